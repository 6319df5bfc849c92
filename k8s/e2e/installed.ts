// What the tests' cluster runs beside the pipelines.

/** The API that users come from; it says what it served. */
export const SOURCE = 'http://source.source.svc.cluster.local:8080';

export const KAFKA = 'kafka.kafka.svc.cluster.local:9092';

export const OPERATOR = {
  namespace: 'userstream-system',
  selector: 'app.kubernetes.io/name=userstream-operator',
};

/** Users of each seed: the limit that the source is deployed with. */
export const USERS = Number(process.env['SOURCE_LIMIT']);

/** A pipeline's source: a batch of one seed every second, whatever the API's limit. */
export function sourceOf(seed: string, batchSize: number) {
  return {
    url: `${SOURCE}/api/1.4/`,
    seed,
    batchSize,
    interval: '1s',
    rateLimit: { users: 1_000_000, per: '1s' },
  };
}

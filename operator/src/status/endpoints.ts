import type { Pipeline } from '../api/resource.ts';
import type { PipelineStatus } from '../api/status.ts';
import { sections } from '../specs/config.ts';

/** Where the parts of the pipeline are reached, from inside the cluster. */
export function endpoints(pipeline: Pipeline): NonNullable<PipelineStatus['endpoints']> {
  const { postgres, kafka, schemaRegistry, cassandra } = sections(pipeline);
  return {
    postgres: `${postgres.host}:${postgres.port}/${postgres.database}`,
    kafka: kafka.bootstrapServers.join(','),
    topic: kafka.topic,
    schemaRegistry: schemaRegistry.url,
    cassandra: `${cassandra.contactPoints.join(',')}:${cassandra.port}/${cassandra.keyspace}.${cassandra.table}`,
  };
}

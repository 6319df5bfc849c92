import type { V1Container } from '@kubernetes/client-node';
import type { Pipeline } from '../api/resource.ts';
import type { KubeObject } from '../kube/object.ts';
import { accessEnv, accessHashes, accessMounts, accessVolumes, caFile } from './access.ts';
import type { BuildContext } from './images.ts';
import { type KafkaConnection, kafkaConnection, registryTopics } from './kafka-connection.ts';
import { configMap, hash, metadata, objectName } from './meta.ts';
import { configVolume, container, http, podSpec, podTemplate, probes, spread, UID } from './pod.ts';
import { propertiesFile } from './properties.ts';
import { containerResources, memoryMib } from './quantities.ts';
import { deployment, service } from './workload.ts';

const DIRECTORY = '/etc/registry';

type Managed = NonNullable<Pipeline['spec']['schemaRegistry']['managed']>;

const MODULES = {
  plain: 'org.apache.kafka.common.security.plain.PlainLoginModule',
  'scram-sha-256': 'org.apache.kafka.common.security.scram.ScramLoginModule',
  'scram-sha-512': 'org.apache.kafka.common.security.scram.ScramLoginModule',
};

/** Kafka's own client properties for a connection; the registry fills in the credentials from its environment. */
function clientSecurity({ tls, saslMechanism, caSecret }: KafkaConnection): Record<string, string> {
  const protocol = `${saslMechanism ? 'SASL_' : ''}${tls ? 'SSL' : 'PLAINTEXT'}`;
  const login = saslMechanism && {
    'sasl.mechanism': saslMechanism.toUpperCase(),
    'sasl.jaas.config': `${MODULES[saslMechanism]} required username="\${KAFKA_USERNAME}" password="\${KAFKA_PASSWORD}";`,
  };
  return {
    'security.protocol': protocol,
    // The registry switches the check of the broker's name off unless told otherwise.
    ...(tls ? { 'ssl.endpoint.identification.algorithm': 'https' } : {}),
    ...(caSecret ? { 'ssl.truststore.type': 'PEM', 'ssl.truststore.location': caFile('KAFKA') } : {}),
    ...login,
  };
}

/** application.properties: the schemas stand in topics of this pipeline's own, which are never cleaned up. */
function configuration(pipeline: Pipeline): string {
  const connection = kafkaConnection(pipeline);
  const { journal, snapshots, events } = registryTopics(pipeline);
  const security = Object.entries(clientSecurity(connection)).map(([name, value]) => [
    `apicurio.kafka.common.${name}`,
    value,
  ]);
  return propertiesFile({
    'apicurio.storage.kind': 'kafkasql',
    'apicurio.kafkasql.bootstrap.servers': connection.bootstrapServers.join(','),
    'apicurio.kafkasql.topic': journal,
    'apicurio.kafkasql.snapshots.topic': snapshots,
    'apicurio.events.kafka.topic': events,
    'apicurio.kafkasql.topic.cleanup.policy': 'delete',
    'apicurio.kafkasql.topic.retention.ms': '-1',
    'apicurio.kafkasql.topic.retention.bytes': '-1',
    'apicurio.storage.snapshot.location': '/tmp/',
    ...Object.fromEntries(security),
  });
}

function registryContainer(pipeline: Pipeline, image: string, { resources }: Managed): V1Container {
  const heap = Math.max(128, Math.floor(memoryMib(resources, 512) / 2));
  return container({
    name: 'registry',
    image,
    env: [
      { name: 'QUARKUS_CONFIG_LOCATIONS', value: `${DIRECTORY}/application.properties` },
      { name: 'JAVA_OPTS_APPEND', value: `-Xmx${heap}m -Djava.io.tmpdir=/tmp` },
      ...accessEnv(pipeline, ['KAFKA']),
    ],
    ports: [{ name: 'http', containerPort: 8080 }],
    resources: containerResources(resources),
    ...probes(http('/health/live'), http('/health/ready'), 300),
    volumeMounts: [
      { name: 'config', mountPath: DIRECTORY, readOnly: true },
      ...accessMounts(pipeline, ['KAFKA']),
    ],
  });
}

/** ConfigMap, Service and Deployment of a managed registry; nothing where it is an existing one. */
export function registryObjects(pipeline: Pipeline, { images, secretHashes }: BuildContext): KubeObject[] {
  const { managed } = pipeline.spec.schemaRegistry;
  if (!managed) return [];
  const data = { 'application.properties': configuration(pipeline) };
  const configHash = hash([data, accessHashes(pipeline, ['KAFKA'], secretHashes)]);
  const spec = podSpec(UID.registry, {
    terminationGracePeriodSeconds: 30,
    topologySpreadConstraints: spread(pipeline, 'registry'),
    containers: [registryContainer(pipeline, managed.image ?? images.registry, managed)],
    volumes: [
      configVolume('config', objectName(pipeline, 'registry')),
      ...accessVolumes(pipeline, ['KAFKA']),
    ],
  });
  return [
    configMap(metadata(pipeline, 'registry'), data),
    service(pipeline, 'registry', { http: 8080 }),
    deployment(pipeline, 'registry', {
      replicas: managed.replicas,
      // One pod at a time, the new one before the old: without a registry, nobody can look up a schema.
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: podTemplate(pipeline, 'registry', configHash, spec),
    }),
  ];
}

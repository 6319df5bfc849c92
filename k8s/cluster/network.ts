/**
 * The addresses of a cluster. They are the same in every cluster and meet nothing of the host's: a cluster lives in a network
 * namespace of its own that no cable leads into or out of.
 */
export const NETWORK = {
  node: '10.10.0.1',
  pods: '10.20.0.0/16',
  services: '10.30.0.0/16',
  /** The API server's Service: the first address of `services`. */
  api: '10.30.0.1',
  dns: '10.30.0.10',
  domain: 'cluster.local',
} as const;

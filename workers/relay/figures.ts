import { Counter, Gauge, type Registry } from 'prom-client';

export type RelayMetrics = {
  records: Counter<'kind'>;
  lagBytes: Gauge;
  lagSeconds: Gauge;
  safeBytes: Gauge;
  active: Gauge;
  /** All records acknowledged by Kafka since the start. */
  total: number;
};

/** The relay's own metrics, registered in `registry`. */
export function relayMetrics(registry: Registry): RelayMetrics {
  const registers = [registry];
  return {
    records: new Counter({
      name: 'userstream_relay_records_total',
      help: 'Records that Kafka acknowledged, by kind: upsert, tombstone or dead_letter.',
      labelNames: ['kind'],
      registers,
    }),
    lagBytes: new Gauge({
      name: 'userstream_relay_lag_bytes',
      help: 'Bytes of WAL that the server has written and this relay has not acknowledged.',
      registers,
    }),
    lagSeconds: new Gauge({
      name: 'userstream_relay_lag_seconds',
      help: 'Age of the transaction being relayed; 0 when nothing is waiting.',
      registers,
    }),
    safeBytes: new Gauge({
      name: 'userstream_relay_slot_safe_bytes',
      help: 'Bytes of WAL that the server may still write before it drops what the slot needs (max_slot_wal_keep_size).',
      registers,
    }),
    active: new Gauge({
      name: 'userstream_relay_active',
      help: '1 while this relay holds the slot, 0 while it stands by.',
      registers,
    }),
    total: 0,
  };
}

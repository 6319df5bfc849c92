import type { KubeClient } from './client.ts';
import { type Clock, elapsed, type Moment, microTime, moment, sleep } from './clock.ts';
import type { KubeObject, ObjectMeta } from './object.ts';

export type LeaseSpec = {
  holderIdentity?: string;
  leaseDurationSeconds?: number;
  acquireTime?: string;
  renewTime?: string;
  leaseTransitions?: number;
};

export type Lease = KubeObject & { spec?: LeaseSpec };

/** What was seen of another's lease, and when (monotonic): its own times are never compared with our clock. */
export type Observation = { record: string; at: number };

export type Move = 'create' | 'renew' | 'take' | 'wait';

/** The next move of `identity`, given the lease as read now and since when it has stood unchanged. */
export function nextMove(
  lease: Lease | undefined,
  identity: string,
  seen: Observation | undefined,
  now: number,
): Move {
  if (!lease) return 'create';
  const { holderIdentity, leaseDurationSeconds = 0 } = lease.spec ?? {};
  if (holderIdentity === identity) return 'renew';
  if (!holderIdentity) return 'take';
  if (!seen || seen.record !== recordOf(lease)) return 'wait';
  return now - seen.at > leaseDurationSeconds * 1000 ? 'take' : 'wait';
}

/** What changes with each renewal of a lease. */
export function recordOf(lease: Lease): string {
  return `${lease.metadata.uid} ${lease.metadata.resourceVersion}`;
}

/** The lease to write for a move; what is kept of `lease` carries its resourceVersion as the precondition. */
export function leaseFor(
  move: 'create' | 'renew' | 'take',
  lease: Lease | undefined,
  holder: { identity: string; name: string; namespace: string; durationSeconds: number; date: Date },
): Lease {
  const time = microTime(holder.date);
  const metadata: ObjectMeta = lease?.metadata ?? { name: holder.name, namespace: holder.namespace };
  const taken = move === 'renew' ? {} : { acquireTime: time, leaseTransitions: transitions(lease) };
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata,
    spec: {
      ...lease?.spec,
      ...taken,
      holderIdentity: holder.identity,
      leaseDurationSeconds: holder.durationSeconds,
      renewTime: time,
    },
  };
}

const transitions = (lease: Lease | undefined) => (lease ? (lease.spec?.leaseTransitions ?? 0) + 1 : 0);

export type ElectorOptions = {
  client: KubeClient;
  clock: Clock;
  namespace: string;
  name: string;
  /** Unique to this process: a restarted one is another. */
  identity: string;
  onStarted: () => void;
  /** Leadership ended without having been given up: the process must begin nothing more and exit. */
  onLost: () => void;
  onError: (error: unknown) => void;
  /** Others may take over this long after they last saw a renewal. */
  durationSeconds: number;
  /** How long to wait between two rounds; 2/15 of the duration unless told otherwise. */
  retryMs?: number;
};

/** The leader itself stops when this share of the duration has passed since it began its last successful renewal. */
const RENEW_SHARE = 2 / 3;

/** Leader election on a Lease: at most one process for which `isLeader()` answers true. */
export class LeaderElector {
  readonly #options: Required<ElectorOptions> & { renewDeadlineMs: number };
  /** When the last successful renewal was begun. */
  #renewed: Moment | undefined;
  #started = false;
  #ended = false;
  #cancelDeadline = () => {};
  /** The lease as written by the last renewal; undefined when it has to be read. */
  #lease: Lease | undefined;
  #seen: Observation | undefined;

  constructor(options: ElectorOptions) {
    const durationMs = options.durationSeconds * 1000;
    const renewDeadlineMs = durationMs * RENEW_SHARE;
    const client = options.client.with({ timeoutMs: renewDeadlineMs / 2 });
    this.#options = { retryMs: (durationMs * 2) / 15, ...options, renewDeadlineMs, client };
  }

  /** Whether a write may be begun in this very tick. */
  isLeader(): boolean {
    return !this.#ended && this.#leadsForMs() > 0;
  }

  /** How long it may lead without another renewal. */
  #leadsForMs(): number {
    const { clock, renewDeadlineMs } = this.#options;
    return this.#renewed ? renewDeadlineMs - elapsed(clock, this.#renewed) : 0;
  }

  /** Runs for the lease and keeps it until `signal` aborts or it is lost. Call `release` afterwards, once idle. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, retryMs, onError } = this.#options;
    while (!signal.aborted && !this.#ended) {
      await this.#round(signal).catch((error) => {
        this.#lease = undefined;
        if (!signal.aborted) onError(error);
      });
      // Jitter keeps two candidates from asking in step.
      await sleep(clock, retryMs * (1 + clock.random() / 5), signal);
    }
  }

  /** Gives the lease up, so that the next leader needn't wait. To be called when nothing is in flight. */
  async release(): Promise<void> {
    const led = this.isLeader();
    this.#end();
    if (!led) return;
    // Read anew: whether the last renewal was written isn't known when it was cut off.
    const lease = await this.#read();
    if (lease?.spec?.holderIdentity !== this.#options.identity) return;
    const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1 };
    await this.#options.client.replace({ ...lease, spec });
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { client, clock, identity, name, namespace, durationSeconds } = this.#options;
    if (this.#started && !this.isLeader()) return this.#lost();
    const lease = this.#lease ?? (await this.#read());
    const move = nextMove(lease, identity, this.#seen, clock.now());
    // Another's name on the lease of a leader: somebody took it away, and two would write.
    if (move === 'wait') return this.#started ? this.#lost() : this.#observe(lease);
    const began = moment(clock);
    const wanted = leaseFor(move, lease, { identity, name, namespace, durationSeconds, date: began.date });
    this.#lease = move === 'create' ? await client.create(wanted) : await client.replace(wanted, signal);
    this.#extend(began);
  }

  #read(): Promise<Lease | undefined> {
    const { client, namespace, name } = this.#options;
    return client.get<Lease>({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace, name });
  }

  #observe(lease: Lease | undefined): void {
    if (!lease || this.#seen?.record === recordOf(lease)) return;
    this.#seen = { record: recordOf(lease), at: this.#options.clock.now() };
  }

  #extend(began: Moment): void {
    if (this.#ended) return;
    const { clock, onStarted } = this.#options;
    this.#renewed = began;
    this.#cancelDeadline();
    this.#cancelDeadline = clock.after(this.#leadsForMs(), () => this.#lost());
    if (this.#started || !this.isLeader()) return;
    this.#started = true;
    onStarted();
  }

  #lost(): void {
    if (this.#ended) return;
    this.#end();
    this.#options.onLost();
  }

  #end(): void {
    this.#ended = true;
    this.#cancelDeadline();
  }
}

/** Where along the pipeline a fault lies. */
export type Stage = 'Source' | 'Postgres' | 'Kafka' | 'SchemaRegistry' | 'Cassandra' | 'Spark' | 'Worker';

export type Figures = Record<string, number>;

/** Whether what stands in Postgres stands in Cassandra, as far as it is known: the condition DataIntact. */
export type Verdict = { status: 'True' | 'False' | 'Unknown'; reason: string; message: string };

/** What `/readyz` answers; the operator turns it into a condition. */
export type Status = {
  ready: boolean;
  stage: Stage;
  reason: string;
  message: string;
  figures?: Figures;
  intact?: Verdict;
};

export type StageErrorOptions = ErrorOptions & {
  /** The neighbour's own word on when to come again (Retry-After). */
  retryAfterMs?: number | undefined;
};

/** A fault of one stage: a CamelCase reason, and a message that says what is wrong and what to do next. */
export class StageError extends Error {
  override readonly name = 'StageError';
  readonly stage: Stage;
  readonly reason: string;
  readonly retryAfterMs: number | undefined;

  constructor(stage: Stage, reason: string, message: string, options: StageErrorOptions = {}) {
    super(message, options);
    this.stage = stage;
    this.reason = reason;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** A worker's readiness, as it last reported it itself. Starts out not ready. */
export class Health {
  #status: Status = { ready: false, stage: 'Worker', reason: 'Starting', message: 'the worker is starting' };

  ready(figures?: Figures, intact?: Verdict): void {
    const status: Status = { ready: true, stage: 'Worker', reason: 'Running', message: '' };
    this.#status = { ...status, ...(figures ? { figures } : {}), ...(intact ? { intact } : {}) };
  }

  notReady(stage: Stage, reason: string, message: string): void {
    this.#status = { ready: false, stage, reason, message };
  }

  snapshot(): Status {
    return this.#status;
  }
}

import { type Logger, pino } from 'pino';

export type { Logger } from 'pino';

/** A logger of JSON lines on stdout; every line names the worker and the pipeline it works for. */
export function createLogger(worker: string, pipeline?: { namespace: string; name: string }): Logger {
  return pino({
    base: pipeline ? { worker, namespace: pipeline.namespace, pipeline: pipeline.name } : { worker },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    // A net below the rule that nobody logs a credential.
    redact: ['password', '*.password', '*.*.password'],
  });
}

/** Which pipelines read which Secrets, each by its `namespace/name`: a Secret that changes concerns its readers. */
export class SecretReaders {
  readonly #readers = new Map<string, Set<string>>();

  add(secret: string, pipeline: string): void {
    const readers = this.#readers.get(secret) ?? new Set();
    this.#readers.set(secret, readers.add(pipeline));
  }

  of(secret: string): Iterable<string> {
    return this.#readers.get(secret) ?? [];
  }

  /** Forgets a pipeline that is gone. */
  remove(pipeline: string): void {
    for (const [secret, readers] of this.#readers) {
      if (readers.delete(pipeline) && readers.size === 0) this.#readers.delete(secret);
    }
  }
}

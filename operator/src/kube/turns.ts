/** Who only asked to be looked at again goes behind those with news, but for news that came this much later. */
const PATIENCE_MS = 60_000;

/** Keys that wait for their turn, each once, in order of arrival: those with news before those to be looked at again. */
export class Turns {
  /** The time that each came. */
  readonly #news = new Map<string, number>();
  readonly #looks = new Map<string, number>();

  get size(): number {
    return this.#news.size + this.#looks.size;
  }

  /** Lets a key wait from `since` on; answers whether it did not wait yet. One to be looked at may get news. */
  add(key: string, since: number, isLook: boolean): boolean {
    if (this.#news.has(key) || (isLook && this.#looks.has(key))) return false;
    const isNew = !this.#looks.delete(key);
    (isLook ? this.#looks : this.#news).set(key, since);
    return isNew;
  }

  /** Takes the key whose turn it is; undefined where none waits. */
  take(): { key: string; since: number } | undefined {
    const [news] = this.#news;
    const [look] = this.#looks;
    const isLook = look && (!news || look[1] + PATIENCE_MS <= news[1]);
    const [key, since] = (isLook ? look : news) ?? [];
    if (key === undefined || since === undefined) return undefined;
    (isLook ? this.#looks : this.#news).delete(key);
    return { key, since };
  }

  clear(): void {
    this.#news.clear();
    this.#looks.clear();
  }
}

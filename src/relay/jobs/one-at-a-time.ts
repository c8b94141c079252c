/** Runs what belongs to one key in turn, and different keys side by side. */
export class OneAtATime<K> {
  readonly #last = new Map<K, Promise<unknown>>();

  /** Resolves or rejects as `work` does, once those before it are done in whatever way. */
  async run<T>(key: K, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const mine = before.then(work, work);
    this.#last.set(key, mine);
    try {
      return await mine;
    } finally {
      if (this.#last.get(key) === mine) this.#last.delete(key);
    }
  }
}

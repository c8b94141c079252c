import type { Compiled } from "./compile-any.ts";

/** Compiled functions by CID, up to so many metered bytes; the one unused for longest goes first. */
export class FunctionStore {
  readonly #mostBytes: number;
  /** In the order of last use. */
  readonly #functions = new Map<string, Compiled>();
  #bytes = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  get(cid: string): Compiled | undefined {
    const found = this.#functions.get(cid);
    if (found === undefined) return undefined;
    this.#functions.delete(cid);
    this.#functions.set(cid, found);
    return found;
  }

  /** Holds a function, however large, and lets go of others until the limit is kept. */
  set(cid: string, compiled: Compiled): void {
    this.delete(cid);
    this.#functions.set(cid, compiled);
    this.#bytes += compiled.meteredBytes;
    for (const oldest of this.#functions.keys()) {
      if (this.#bytes <= this.#mostBytes || oldest === cid) return;
      this.delete(oldest);
    }
  }

  delete(cid: string): void {
    const found = this.#functions.get(cid);
    if (found === undefined) return;
    this.#functions.delete(cid);
    this.#bytes -= found.meteredBytes;
  }
}

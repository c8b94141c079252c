import type { Compiled } from "./compile-any.ts";

/** What holding a function may take: the module as it came, and both forms of it, the precise one made when it is needed. */
export function heldBytes({ source, meteredBytes }: Compiled): number {
  return source.length + 2 * meteredBytes;
}

/** Compiled functions by CID, up to so many bytes; the one unused for longest goes first. */
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
    this.#bytes += heldBytes(compiled);
    for (const oldest of this.#functions.keys()) {
      if (this.#bytes <= this.#mostBytes || oldest === cid) return;
      this.delete(oldest);
    }
  }

  delete(cid: string): void {
    const found = this.#functions.get(cid);
    if (found === undefined) return;
    this.#functions.delete(cid);
    this.#bytes -= heldBytes(found);
  }
}

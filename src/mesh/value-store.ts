import type { Cid } from "../protocol/cid.ts";

interface KeptValue {
  readonly bytes: Uint8Array;
  /** Milliseconds since 1970. */
  until: number;
}

/**
 * Values of steps, kept in memory for the peers that need them next. What was used last stays longest; what is over goes first.
 * One that is gone is computed again.
 */
export class ValueStore {
  readonly #maxBytes: number;
  readonly #now: () => number;
  /** Those used last stand last. */
  readonly #values = new Map<Cid, KeptValue>();
  #bytes = 0;

  /** @param now milliseconds since 1970 */
  constructor(maxBytes: number, now: () => number) {
    this.#maxBytes = maxBytes;
    this.#now = now;
  }

  /** Bytes that are kept. */
  get size(): number {
    return this.#bytes;
  }

  /** @param until milliseconds since 1970 @returns whether it is kept: not one that is larger than all room together */
  keep(cid: Cid, bytes: Uint8Array, until: number): boolean {
    const known = this.#values.get(cid);
    if (known !== undefined) {
      known.until = Math.max(known.until, until);
      this.#touch(cid, known);
      return true;
    }
    if (bytes.length > this.#maxBytes) return false;
    this.#makeRoom(bytes.length);
    this.#values.set(cid, { bytes, until });
    this.#bytes += bytes.length;
    return true;
  }

  find(cid: Cid): Uint8Array | undefined {
    const known = this.#values.get(cid);
    if (known === undefined) return undefined;
    this.#touch(cid, known);
    return known.bytes;
  }

  #touch(cid: Cid, value: KeptValue): void {
    this.#values.delete(cid);
    this.#values.set(cid, value);
  }

  #makeRoom(wanted: number): void {
    const now = this.#now();
    if (this.#bytes + wanted <= this.#maxBytes) return;
    for (const [cid, { until }] of this.#values) if (until < now) this.#drop(cid);
    for (const cid of this.#values.keys()) {
      if (this.#bytes + wanted <= this.#maxBytes) return;
      this.#drop(cid);
    }
  }

  #drop(cid: Cid): void {
    this.#bytes -= this.#values.get(cid)?.bytes.length ?? 0;
    this.#values.delete(cid);
  }
}

import { sha256 } from "@noble/hashes/sha2.js";

const BLOCK_BYTES = 32;
const TAG = new TextEncoder().encode("tabmesh/random/0");

/**
 * Randomness as a program sees it: a stream that follows from the task's seed alone.
 * Block i is SHA-256("tabmesh/random/0" ‖ seed ‖ i as u64, little-endian); the stream is the blocks in order.
 */
export class RandomStream {
  readonly #message: Uint8Array;
  readonly #counter: DataView;
  #block: Uint8Array = new Uint8Array(0);
  #used = 0;
  #next = 0n;

  constructor(seed: Uint8Array) {
    this.#message = new Uint8Array(TAG.length + seed.length + 8);
    this.#message.set(TAG);
    this.#message.set(seed, TAG.length);
    this.#counter = new DataView(this.#message.buffer, TAG.length + seed.length, 8);
  }

  /** Fills `target` with the next bytes of the stream. */
  fill(target: Uint8Array): void {
    for (let at = 0; at < target.length;) {
      if (this.#used === this.#block.length) this.#refill();
      const count = Math.min(BLOCK_BYTES - this.#used, target.length - at);
      target.set(this.#block.subarray(this.#used, this.#used + count), at);
      this.#used += count;
      at += count;
    }
  }

  #refill(): void {
    this.#counter.setBigUint64(0, this.#next, true);
    this.#block = sha256(this.#message);
    this.#used = 0;
    this.#next += 1n;
  }
}

import { sha256 } from "@noble/hashes/sha2.js";
import { type Cid, cidFromDigest, cidOf, RAW } from "../protocol/cid.ts";
import { signedBytes } from "../protocol/signature.ts";
import { HASH_HERE_BYTES } from "./limits.ts";

/** One input on its way. */
export interface WorkItem {
  readonly index: number;
  readonly bytes: Uint8Array;
  readonly cid: Cid;
  /** 32 bytes: clock and randomness of the task, the same at every provider. */
  readonly seed: Uint8Array;
  /** Providers it was given to. */
  attempts: number;
}

/** The seed of a task: SHA-256 over a domain tag, the job's nonce and the input's place as u64be. */
export function taskSeed(nonce: Uint8Array, index: number): Uint8Array {
  const place = new Uint8Array(nonce.length + 8);
  place.set(nonce);
  new DataView(place.buffer).setBigUint64(nonce.length, BigInt(index));
  return sha256(signedBytes("task-seed", place));
}

/** Inputs in order, taken from their source only when somebody has room, and those that came back. */
export class WorkQueue {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #nonce: Uint8Array;
  readonly #sha256: (bytes: Uint8Array) => Promise<Uint8Array>;
  readonly #returned: WorkItem[] = [];
  #next = 0;
  #exhausted = false;

  constructor(
    source: AsyncIterable<Uint8Array>,
    nonce: Uint8Array,
    hash: (bytes: Uint8Array) => Promise<Uint8Array>,
  ) {
    this.#source = source[Symbol.asyncIterator]();
    this.#nonce = nonce;
    this.#sha256 = hash;
  }

  /** Inputs taken so far; all there are once `isExhausted`. */
  get taken(): number {
    return this.#next;
  }

  get isExhausted(): boolean {
    return this.#exhausted;
  }

  get isEmpty(): boolean {
    return this.#exhausted && this.#returned.length === 0;
  }

  /** An input that has to be given to another provider. */
  giveBack(item: WorkItem): void {
    this.#returned.push(item);
  }

  /** The next input; nothing when there is none now. One caller at a time. */
  async take(): Promise<WorkItem | undefined> {
    const back = this.#returned.shift();
    if (back !== undefined) return back;
    if (this.#exhausted) return undefined;
    const { done, value } = await this.#source.next();
    if (done === true) {
      this.#exhausted = true;
      return this.#returned.shift();
    }
    const index = this.#next;
    this.#next += 1;
    const cid =
      value.length <= HASH_HERE_BYTES ? cidOf(RAW, value) : cidFromDigest(RAW, await this.#sha256(value));
    return { index, bytes: value, cid, seed: taskSeed(this.#nonce, index), attempts: 0 };
  }

  /** Tells the source that no more will be taken. */
  async stop(): Promise<void> {
    this.#exhausted = true;
    this.#returned.length = 0;
    await this.#source.return?.();
  }
}

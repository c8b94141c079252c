import { sha256 } from "@noble/hashes/sha2.js";
import { type Cid, cidFromDigest, cidOf, RAW } from "../protocol/cid.ts";
import type { TaskStep } from "../protocol/messages/task.ts";
import { signedBytes } from "../protocol/signature.ts";
import { HASH_HERE_BYTES } from "./limits.ts";

/** The input of a step of a run. */
export interface StepInput {
  readonly cid: Cid;
  /** Bytes of the input. */
  readonly size: number;
  /** Empty where peers hold it. */
  readonly bytes: Uint8Array;
  /** 32 bytes; the same for every attempt. */
  readonly seed: Uint8Array;
  readonly step: TaskStep;
}

/** One input on its way. */
export interface WorkItem {
  readonly index: number;
  readonly bytes: Uint8Array;
  readonly cid: Cid;
  /** Of a run: which step it is, and the length of the input, which peers may hold. */
  readonly step?: TaskStep;
  readonly size?: number;
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
  readonly #source: AsyncIterator<Uint8Array | StepInput>;
  readonly #nonce: Uint8Array;
  readonly #sha256: (bytes: Uint8Array) => Promise<Uint8Array>;
  readonly #onNews: (() => void) | undefined;
  readonly #returned: WorkItem[] = [];
  #next = 0;
  #exhausted = false;
  /** What the source was asked for while nobody could wait for it, and what came of that. */
  #isAsked = false;
  #arrived: WorkItem | undefined;

  /** @param onNews given where inputs come over time: another has come, or none will any more */
  constructor(
    source: AsyncIterable<Uint8Array | StepInput>,
    nonce: Uint8Array,
    hash: (bytes: Uint8Array) => Promise<Uint8Array>,
    onNews?: () => void,
  ) {
    this.#source = source[Symbol.asyncIterator]();
    this.#nonce = nonce;
    this.#sha256 = hash;
    this.#onNews = onNews;
  }

  /** Inputs taken so far; all there are once `isExhausted`. */
  get taken(): number {
    return this.#next;
  }

  get isExhausted(): boolean {
    return this.#exhausted;
  }

  get isEmpty(): boolean {
    return this.#exhausted && this.#returned.length === 0 && this.#arrived === undefined;
  }

  /** An input that has to be given to another provider. */
  giveBack(item: WorkItem): void {
    this.#returned.push(item);
  }

  /** Whether an input waits to be given out: of a source that gives them over time, one that has come. */
  get hasWork(): boolean {
    const onNews = this.#onNews;
    if (onNews === undefined) return !this.isEmpty;
    if (this.#returned.length > 0 || this.#arrived !== undefined) return true;
    if (!this.#exhausted && !this.#isAsked) void this.#ask(onNews);
    return false;
  }

  async #ask(onNews: () => void): Promise<void> {
    this.#isAsked = true;
    this.#arrived = await this.#pull();
    this.#isAsked = false;
    onNews();
  }

  /** The next input; nothing when there is none now. One caller at a time. */
  async take(): Promise<WorkItem | undefined> {
    const back = this.#returned.shift();
    if (back !== undefined) return back;
    const arrived = this.#arrived;
    this.#arrived = undefined;
    if (arrived !== undefined || this.#exhausted) return arrived;
    return (await this.#pull()) ?? this.#returned.shift();
  }

  async #pull(): Promise<WorkItem | undefined> {
    const { done, value } = await this.#source.next();
    if (done === true || this.#exhausted) {
      this.#exhausted = true;
      return undefined;
    }
    const index = this.#next;
    this.#next += 1;
    if (!(value instanceof Uint8Array)) return { ...value, index, attempts: 0 };
    const cid =
      value.length <= HASH_HERE_BYTES ? cidOf(RAW, value) : cidFromDigest(RAW, await this.#sha256(value));
    return { index, bytes: value, cid, seed: taskSeed(this.#nonce, index), attempts: 0 };
  }

  /** Tells the source that no more will be taken. */
  async stop(): Promise<void> {
    this.#exhausted = true;
    this.#returned.length = 0;
    this.#arrived = undefined;
    await this.#source.return?.();
  }
}

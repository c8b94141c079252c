import type { Property } from "../../protocol/property.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { KEPT_CHALLENGES, MOST_PREPARING, MOST_USES } from "./limits.ts";

/** A lane whose answer the relay has computed itself. */
export interface PreparedLane {
  readonly seed: Uint8Array;
  /** 32 bytes. */
  readonly output: Uint8Array;
  /** What it costs, in fuel or multiply-adds; 0 where bytes count. */
  readonly fuel: bigint;
}

/** Kinds of work: a thread alone and all threads do the same, processor and graphics card have the same answers. */
export type WorkKind = "burn" | "fill" | "rows" | "row" | "upstream";

export function workOf(property: Property): WorkKind {
  switch (property) {
    case "fuel":
    case "fuel-all":
      return "burn";
    case "memory":
      return "fill";
    case "wasm-rows":
    case "webgpu-rows":
      return "rows";
    case "wasm-row":
    case "webgpu-row":
      return "row";
    case "upstream":
      return "upstream";
    default:
      throw new RangeError(property satisfies never);
  }
}

/** Computes lanes, one at a time, off the relay's own thread. */
export interface LaneComputer {
  /** @throws Error when the thread is gone or stuck */
  compute(work: WorkKind, amount: number, seed: Uint8Array): Promise<Omit<PreparedLane, "seed">>;
}

interface Kept extends PreparedLane {
  readonly given: PeerId[];
}

/**
 * Challenges with known answers. Each is given to MOST_USES providers, none of them twice and no two of one owner, so that
 * asking costs the relay a fraction of what it costs them, and whoever has the answer from elsewhere is somebody else's friend.
 */
export class ChallengeBank {
  readonly #computer: LaneComputer;
  readonly #random: (count: number) => Uint8Array;
  readonly #sameOwner: (a: PeerId, b: PeerId) => boolean;
  readonly #kept = new Map<string, Kept[]>();
  readonly #wanted = new Map<string, { work: WorkKind; amount: number; lanes: number }>();
  #preparing = false;

  constructor(
    computer: LaneComputer,
    random: (count: number) => Uint8Array,
    sameOwner: (a: PeerId, b: PeerId) => boolean,
  ) {
    this.#computer = computer;
    this.#random = random;
    this.#sameOwner = sameOwner;
  }

  /** Lanes for a provider. @returns undefined where too few are ready: they are being prepared */
  take(
    property: Property,
    amount: number,
    count: number,
    provider: PeerId,
  ): readonly PreparedLane[] | undefined {
    const work = workOf(property);
    const key = `${work} ${amount}`;
    const kept = this.#kept.get(key) ?? [];
    const fresh = kept.filter(({ given }) => given.every((other) => !this.#sameOwner(other, provider)));
    if (fresh.length < count) {
      this.#want(key, work, amount, count - fresh.length);
      return undefined;
    }
    // Which ones is not to be foreseen by who shares answers.
    const [turn = 0] = this.#random(1);
    const chosen = Array.from({ length: count }, (_, i) => fresh[(turn + i) % fresh.length]).filter(
      (lane) => lane !== undefined,
    );
    for (const { given } of chosen) given.push(provider);
    this.#kept.set(
      key,
      kept.filter(({ given }) => given.length < MOST_USES),
    );
    return chosen;
  }

  #want(key: string, work: WorkKind, amount: number, lanes: number): void {
    const before = this.#wanted.get(key);
    if (before === undefined && this.#wanted.size >= MOST_PREPARING) return;
    this.#wanted.set(key, { work, amount, lanes: Math.max(lanes, before?.lanes ?? 0) });
    if (!this.#preparing) void this.#prepare();
  }

  async #prepare(): Promise<void> {
    this.#preparing = true;
    try {
      for (let [next] = this.#wanted; next !== undefined; [next] = this.#wanted) {
        const [key, { work, amount }] = next;
        const seed = this.#random(32);
        // oxlint-disable-next-line no-await-in-loop -- one thread computes
        const computed = await this.#computer.compute(work, amount, seed);
        const kept = this.#kept.get(key) ?? [];
        this.#kept.set(key, [...kept, { ...computed, seed, given: [] }].slice(-KEPT_CHALLENGES));
        this.#oneLess(key);
      }
    } catch {
      // Whoever is still to be asked will want them again.
      this.#wanted.clear();
    } finally {
      this.#preparing = false;
    }
  }

  /** A lane is ready. The rest of them wait behind the others, so that many lanes of one kind keep nobody waiting. */
  #oneLess(key: string): void {
    const wanted = this.#wanted.get(key);
    this.#wanted.delete(key);
    if (wanted !== undefined && wanted.lanes > 1)
      this.#wanted.set(key, { ...wanted, lanes: wanted.lanes - 1 });
  }
}

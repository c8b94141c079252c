import type { OutcomeWithInput } from "./lay-open.ts";

interface Kept {
  readonly outcome: OutcomeWithInput;
  /** In [0, 1). */
  readonly lot: number;
}

/** Objects around an outcome, in bytes: what keeping one costs besides its bytes. */
const OVERHEAD_BYTES = 256;

function sizeOf({ shown, input }: OutcomeWithInput): number {
  return OVERHEAD_BYTES + shown.leaf.length + shown.task.length + input.bytes.length;
}

/**
 * Outcomes with their inputs, in bounded memory: all of them at first, then a random share, halved whenever it is full.
 * Which ones are left depends on nothing that a provider knows or does, apart from an input that is too large by itself.
 */
export class KeptOutcomes {
  readonly #mostBytes: number;
  readonly #random: () => number;
  #kept: Kept[] = [];
  #bytes = 0;
  #share = 1;

  /** @param random in [0, 1), as Math.random */
  constructor(mostBytes: number, random: () => number) {
    this.#mostBytes = mostBytes;
    this.#random = random;
  }

  get isEmpty(): boolean {
    return this.#kept.length === 0;
  }

  get bytes(): number {
    return this.#bytes;
  }

  keep(outcome: OutcomeWithInput): void {
    const size = sizeOf(outcome);
    const lot = this.#random();
    if (lot >= this.#share || size > this.#mostBytes) return;
    this.#kept.push({ outcome, lot });
    this.#bytes += size;
    while (this.#bytes > this.#mostBytes) this.#halve();
  }

  #halve(): void {
    this.#share /= 2;
    this.#kept = this.#kept.filter(({ outcome, lot }) => {
      if (lot < this.#share) return true;
      this.#bytes -= sizeOf(outcome);
      return false;
    });
  }

  /** Those that are kept of a lease. @param indices places in its tree of outcomes */
  of(lease: string, indices: readonly number[]): readonly OutcomeWithInput[] {
    const wanted = new Set(indices);
    return this.#kept
      .map(({ outcome }) => outcome)
      .filter(({ channel, shown }) => channel.lease === lease && wanted.has(shown.index));
  }

  clear(): void {
    this.#kept = [];
    this.#bytes = 0;
  }
}

import { HEDGE_LAST_PERCENT, HEDGE_LATE_FACTOR, HEDGE_LEAST_MS, HEDGE_SAMPLES } from "./limits.ts";
import type { WorkItem } from "./work-queue.ts";

/** An input that a second provider is to compute as well. */
interface Copy<M> {
  readonly item: WorkItem;
  readonly member: M;
  /** Because the first one has fallen silent. */
  readonly isRescue: boolean;
}

/** What a copy needs of the provider that computes it. */
interface Computer {
  readonly session: {
    readonly pulse: { readonly isSilent: boolean } | undefined;
    stop(seq: number): Promise<void>;
  };
}

/** One input on its way, at one provider or at two. */
interface Open<M> {
  readonly item: WorkItem;
  /** When the first provider got it, by performance.now(). */
  readonly begunAt: number;
  /** Seqs under which it was sent. */
  readonly at: Map<M, number>;
  /** What comes of it does not depend on who computes it, nor on what was heard of it before. */
  readonly mayCopy: boolean;
}

/**
 * Which provider computes what. Inputs of a provider that has fallen silent, and in the last part of a job those that take much longer than the others are given to a
 * second provider as well: the first answer counts, and the other copy is stopped (rule 16: what had ended by then is paid,
 * what had begun earns its start fee).
 */
export class Copies<M extends Computer> {
  readonly #open = new Map<number, Open<M>>();
  /** Milliseconds from sent to answered, of the last ones. */
  readonly #durations: number[] = [];
  #made = 0;

  /** Inputs without a result. */
  get open(): number {
    return this.#open.size;
  }

  /** Inputs that were given to a second provider while the first had them. */
  get made(): number {
    return this.#made;
  }

  /** An input has been given to a provider, and is sent now. @param mayCopy whether another may compute it as well */
  begin(item: WorkItem, mayCopy: boolean, now: number): void {
    if (!this.#open.has(item.index))
      this.#open.set(item.index, { item, begunAt: now, at: new Map(), mayCopy });
  }

  sent({ index }: WorkItem, member: M, seq: number): void {
    const open = this.#open.get(index);
    if (open === undefined) return;
    if (open.at.size > 0) this.#made += 1;
    open.at.set(member, seq);
  }

  answered(ms: number): void {
    this.#durations.push(ms);
    if (this.#durations.length > HEDGE_SAMPLES) this.#durations.shift();
  }

  /**
   * A provider has answered. Who could not compute it has no say while another one does.
   * @param isOwn whether the answer is what the function comes to
   * @returns whether it is the result: the first one; the other copy is stopped then.
   */
  counts(item: WorkItem, by: M, isOwn: boolean): boolean {
    const open = this.#open.get(item.index);
    if (open === undefined) return false;
    if (!isOwn && open.at.size > 1) {
      open.at.delete(by);
      return false;
    }
    this.#open.delete(item.index);
    for (const [member, seq] of open.at) if (member !== by) void member.session.stop(seq);
    return true;
  }

  /** A provider has no result and will not have one. @returns whether nobody else has it, so that it is to be given away again. */
  left({ index }: WorkItem, by: M): boolean {
    const open = this.#open.get(index);
    if (open === undefined) return false;
    open.at.delete(by);
    if (open.at.size > 0) return false;
    this.#open.delete(index);
    return true;
  }

  /**
   * The next input to be given to a second provider; nothing where none is, or nobody has room for it.
   * @param total inputs of the whole job; nothing while more are to come
   * @param roomiest who would take it, but for those that have it
   */
  next(
    total: number | undefined,
    now: number,
    roomiest: (but: ReadonlyMap<M, unknown>) => M | undefined,
  ): Copy<M> | undefined {
    const isEnd = total !== undefined && this.#open.size <= lastPart(total);
    const lateBefore = isEnd ? now - this.#lateMs : -Infinity;
    for (const { item, begunAt, at, mayCopy } of this.#open.values()) {
      const [first] = at.keys();
      if (!mayCopy || at.size !== 1 || first === undefined) continue;
      const isRescue = first.session.pulse?.isSilent === true;
      const member = isRescue || begunAt <= lateBefore ? roomiest(at) : undefined;
      if (member !== undefined) return { item, member, isRescue };
    }
    return undefined;
  }

  /** When the next input will be late, by performance.now(); infinity where none will. */
  nextLateAt(total: number): number {
    if (this.#open.size > lastPart(total)) return Infinity;
    const alone = [...this.#open.values()].filter(({ at, mayCopy }) => mayCopy && at.size === 1);
    return Math.min(...alone.map(({ begunAt }) => begunAt + this.#lateMs));
  }

  get #lateMs(): number {
    const sorted = this.#durations.toSorted((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)];
    return median === undefined ? Infinity : Math.max(HEDGE_LEAST_MS, HEDGE_LATE_FACTOR * median);
  }
}

/** Inputs in the last part of a job: at least its last one. */
function lastPart(total: number): number {
  return Math.ceil((total * HEDGE_LAST_PERCENT) / 100);
}

import { failureKind } from "./failure-code.ts";
import type { OutcomeLeaf } from "./messages/task.ts";
import { MerkleTree } from "./merkle.ts";
import type { WorkTotals } from "./tariff.ts";
import { type Fuel, fuel } from "./units.ts";

const NOTHING: WorkTotals = { payable: 0, cancelled: 0, fuel: fuel(0), bytes: 0n };

/**
 * Totals after one more outcome. Of a stream the first segment counts as the task, with its input; those after it add
 * their fuel and output, and a cancelled rest costs nothing more. @param inputBytes size of the task's input
 */
function addOutcome(totals: WorkTotals, outcome: OutcomeLeaf, inputBytes: number): WorkTotals {
  const isFirst = outcome.segment === 0;
  const pay = outcome.code === undefined ? "fuel" : failureKind(outcome.code).pay;
  switch (pay) {
    case "none":
      return totals;
    case "start-fee":
      return isFirst ? { ...totals, cancelled: totals.cancelled + 1 } : totals;
    case "fuel":
      return {
        ...totals,
        payable: totals.payable + (isFirst ? 1 : 0),
        fuel: fuel(totals.fuel + outcome.fuel),
        bytes: totals.bytes + BigInt((isFirst ? inputBytes : 0) + outcome.size),
      };
    default:
      return pay satisfies never;
  }
}

/** What the outcomes up to some count come to. */
interface Standing {
  readonly totals: WorkTotals;
  /** Tasks that have ended. */
  readonly ended: number;
  /** Outcomes that failed and pay all the same. */
  readonly failed: number;
  /** Fuel of the dearest outcome that pays. */
  readonly peak: Fuel;
}

const BEGINNING: Standing = { totals: NOTHING, ended: 0, failed: 0, peak: fuel(0) };

function standingAfter(before: Standing, outcome: OutcomeLeaf, inputBytes: number): Standing {
  const pays = outcome.code === undefined || failureKind(outcome.code).pay === "fuel";
  return {
    totals: addOutcome(before.totals, outcome, inputBytes),
    ended: before.ended + (outcome.end ? 1 : 0),
    failed: before.failed + (pays && outcome.code !== undefined ? 1 : 0),
    peak: pays && outcome.fuel > before.peak ? outcome.fuel : before.peak,
  };
}

/**
 * The outcomes of one lease in the order they ended: tree and totals, kept alike by provider and requester, so that a
 * receipt can be written by one and checked by the other at any count not yet forgotten.
 */
export class OutcomeTally {
  readonly #tree = new MerkleTree();
  /** At counts #kept, #kept + 1, … */
  #history: Standing[] = [BEGINNING];
  #kept = 0;

  get count(): number {
    return this.#tree.size;
  }

  /** @param hash leaf hash of the encoded outcome. */
  append(hash: Uint8Array, outcome: OutcomeLeaf, inputBytes: number): void {
    const before = this.#at(this.count);
    this.#tree.append(hash);
    this.#history.push(standingAfter(before, outcome, inputBytes));
  }

  root(count: number = this.count): Uint8Array {
    return this.#tree.root(count);
  }

  /** @throws RangeError for counts not reached or forgotten. */
  totals(count: number = this.count): WorkTotals {
    return this.#at(count).totals;
  }

  /** Tasks whose last outcome is among the first `count`. @throws RangeError for counts not reached or forgotten. */
  ended(count: number = this.count): number {
    return this.#at(count).ended;
  }

  #at(count: number): Standing {
    const standing = this.#history[count - this.#kept];
    if (standing === undefined) throw new RangeError(`totals at ${count} are not kept`);
    return standing;
  }

  /** What a receipt says of them: nothing where every outcome ended a task. */
  endedField(count: number = this.count): { readonly ended?: number } {
    const ended = this.ended(count);
    return ended === count ? {} : { ended };
  }

  /** What a receipt says for those who audit: see its fields. */
  auditFields(count: number = this.count): { readonly failed?: number; readonly peak?: Fuel } {
    const { failed, peak } = this.#at(count);
    return { ...(failed === 0 ? {} : { failed }), ...(peak === 0n ? {} : { peak }) };
  }

  /** Path from an outcome to the root at `count`. @throws RangeError outside the tree. */
  inclusionProof(index: number, count: number): Uint8Array[] {
    return this.#tree.inclusionProof(index, count);
  }

  consistencyProof(from: number, to: number): Uint8Array[] {
    return this.#tree.consistencyProof(from, to);
  }

  /** Totals below `count` are no longer needed: a receipt at `count` was accepted. */
  forgetBelow(count: number): void {
    if (count <= this.#kept) return;
    this.#history = this.#history.slice(count - this.#kept);
    this.#kept = count;
  }
}

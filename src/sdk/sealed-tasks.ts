import { failureKind } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import { HASH_BYTES } from "../protocol/merkle.ts";
import type { OutcomeLeaf } from "../protocol/messages/task.ts";
import { opensSeal } from "../protocol/seal-outcome.ts";

interface Sealed {
  readonly seal: Uint8Array;
  isAsked: boolean;
}

function badSeal(seq: number, problem: string): FailureError {
  return new FailureError("bad-receipt", `outcome ${seq}: ${problem}`);
}

/** Whether an outcome is one that has to be sealed in such a job. */
function isWorthSealing({ code }: OutcomeLeaf): boolean {
  return code === undefined || failureKind(code).pay === "fuel";
}

/** The seals of one lease, from the task to its outcome: what a provider has committed to before it was asked to show it. */
export class SealedTasks {
  readonly #isSealed: boolean;
  readonly #seals = new Map<number, Sealed>();

  /** @param isSealed whether outcomes of the job are sealed at all */
  constructor(isSealed: boolean) {
    this.#isSealed = isSealed;
  }

  /** Tasks that are sealed and not asked for. */
  get waiting(): readonly number[] {
    return [...this.#seals].filter(([, { isAsked }]) => !isAsked).map(([seq]) => seq);
  }

  /** Whether a task's outcome is sealed and not asked for. */
  has(seq: number): boolean {
    return this.#seals.get(seq)?.isAsked === false;
  }

  /** @throws FailureError `bad-receipt` for a second seal, or where nothing is sealed. */
  take(seq: number, seal: Uint8Array): void {
    if (!this.#isSealed || seal.length !== HASH_BYTES || this.#seals.has(seq))
      throw badSeal(seq, "a seal that has no place here");
    this.#seals.set(seq, { seal: seal.slice(), isAsked: false });
  }

  /** @returns whether it is to be asked for now: it is sealed, and was not asked for before. */
  ask(seq: number): boolean {
    const sealed = this.#seals.get(seq);
    if (sealed === undefined || sealed.isAsked) return false;
    sealed.isAsked = true;
    return true;
  }

  /** Takes an outcome. @throws FailureError `bad-receipt` unless it was sealed where it has to be, asked for, and is the one that was sealed. */
  open(outcome: OutcomeLeaf): void {
    const { seq, seal: nonce } = outcome;
    const sealed = this.#seals.get(seq);
    this.#seals.delete(seq);
    if (!this.#isSealed || !isWorthSealing(outcome)) {
      if (nonce !== undefined || sealed !== undefined)
        throw badSeal(seq, "is under seal, which it must not be");
      return;
    }
    if (sealed === undefined) throw badSeal(seq, "was not sealed");
    if (!sealed.isAsked) throw badSeal(seq, "was shown before it was asked for");
    if (nonce === undefined || !opensSeal(sealed.seal, outcome, nonce))
      throw badSeal(seq, "is not the one that was sealed");
  }
}

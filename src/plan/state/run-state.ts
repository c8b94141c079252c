import type { Cid } from "../../protocol/cid.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { StepKey } from "../runner-ports.ts";
import { keyText } from "./attempts.ts";
import { type Equivocation, equivocationOf } from "./equivocation.ts";
import type { Receipt } from "./receipt.ts";

/** Receipts of one key for one step: attempts, and one more for a proof. Beyond that a peer is only filling memory. */
const MAX_RECEIPTS_EACH = 80;

/** Receipts of one step from whoever sends some: six attempts of each coordinator at 64 peers are fewer. */
const MAX_RECEIPTS_OF_STEP = 4_096;

/** Receipts of one run that a peer holds: a thousand nodes of a thousand iterations. About 1 kB each. */
const MAX_RECEIPTS = 1_000_000;

export type Added = "new" | "known" | "refused";

/**
 * What is known of a run: a set of receipts that only grows. Merging is union, so it does not matter in which order, how
 * often, or by which way they come. What follows from them is read through functions of the set alone.
 */
export class RunState {
  readonly #byKey = new Map<string, Receipt[]>();
  readonly #byId = new Map<Cid, Receipt[]>();
  readonly #all: Receipt[] = [];
  readonly #proofs = new Map<PeerId, Equivocation>();

  /** How many there are; also the cursor after the last. */
  get size(): number {
    return this.#all.length;
  }

  /** Keys that signed two stories for one attempt, with the proof. Nothing that they signed is chosen any more. */
  get proofs(): ReadonlyMap<PeerId, Equivocation> {
    return this.#proofs;
  }

  /** @param isOwn asked for here, or signed here: never refused for what strangers have sent before */
  add(receipt: Receipt, isOwn = false): Added {
    const signed = this.#byId.get(receipt.id) ?? [];
    if (signed.some(({ key }) => key === receipt.key)) return "known";
    const text = keyText(receipt.step);
    const beside = this.#byKey.get(text) ?? [];
    const own = beside.filter(({ key }) => key === receipt.key);
    const isFull =
      own.length >= MAX_RECEIPTS_EACH ||
      beside.length >= MAX_RECEIPTS_OF_STEP ||
      this.#all.length >= MAX_RECEIPTS;
    if (isFull && !isOwn) return "refused";
    for (const other of own) {
      const proof = equivocationOf(other, receipt);
      if (proof !== undefined && !this.#proofs.has(receipt.key)) this.#proofs.set(receipt.key, proof);
    }
    beside.push(receipt);
    signed.push(receipt);
    this.#byKey.set(text, beside);
    this.#byId.set(receipt.id, signed);
    this.#all.push(receipt);
    return "new";
  }

  /** All receipts of a step, in no particular order. */
  of(key: StepKey): readonly Receipt[] {
    return this.#byKey.get(keyText(key)) ?? [];
  }

  /** Receipts with this body: one, unless several peers signed the same words. */
  byId(id: Cid): readonly Receipt[] {
    return this.#byId.get(id) ?? [];
  }

  isLiar(key: PeerId): boolean {
    return this.#proofs.has(key);
  }

  /** In the order in which they came, from a cursor on. */
  since(cursor: number, most: number = MAX_RECEIPTS): readonly Receipt[] {
    return this.#all.slice(cursor, cursor + most);
  }

  /** All, in the one order that does not depend on how they came: by body, then by signer. */
  sorted(): readonly Receipt[] {
    return this.#all.toSorted(byIdAndKey);
  }
}

/** Order by code unit: the same on every machine. */
export function byIdAndKey(a: Receipt, b: Receipt): number {
  if (a.id !== b.id) return a.id < b.id ? -1 : 1;
  if (a.key === b.key) return 0;
  return a.key < b.key ? -1 : 1;
}

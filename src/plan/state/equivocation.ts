import type { Step } from "../../protocol/messages/run.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { Receipt, ReceiptReader } from "./receipt.ts";

/** Two steps of one key for one attempt that cannot both be true. Anybody can check it: it needs nothing but itself. */
export interface Equivocation {
  /** The session key that signed both. */
  readonly key: PeerId;
  readonly root: PeerId;
  /** Step envelopes. */
  readonly first: Uint8Array;
  readonly second: Uint8Array;
}

/** Whether two steps are of one attempt and say different things of it. How they were paid, or in whose words, may differ. */
export function contradict(a: Step, b: Step): boolean {
  const sameAttempt =
    a.run === b.run && a.node === b.node && a.iteration === b.iteration && a.attempt === b.attempt;
  return (
    sameAttempt &&
    (a.status !== b.status ||
      a.code !== b.code ||
      a.args !== b.args ||
      a.result !== b.result ||
      a.callee !== b.callee ||
      a.record !== b.record)
  );
}

/** The proof, where two receipts are one. */
export function equivocationOf(a: Receipt, b: Receipt): Equivocation | undefined {
  if (a.key !== b.key || !contradict(a.step, b.step)) return undefined;
  return { key: a.key, root: a.root, first: a.envelope, second: b.envelope };
}

/** Whether a proof that somebody showed holds. */
export async function isEquivocation(proof: Equivocation, reader: ReceiptReader): Promise<boolean> {
  try {
    const [a, b] = await Promise.all([reader.read(proof.first), reader.read(proof.second)]);
    return a.key === proof.key && a.root === proof.root && equivocationOf(a, b) !== undefined;
  } catch {
    return false;
  }
}

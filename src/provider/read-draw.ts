import { equalBytes } from "../protocol/bytes.ts";
import type { Cid } from "../protocol/cid.ts";
import { openEnvelope, readBody, verified } from "../protocol/envelope.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import type { Ground } from "../protocol/greeting.ts";
import { leafHash } from "../protocol/merkle.ts";
import { disputeMessage, type Draw, drawMessage } from "../protocol/messages/audit.ts";
import { decodeEntry, decodeEntryOf } from "../protocol/messages/entry.ts";
import { type Receipt, receiptMessage, reportMessage } from "../protocol/messages/receipt.ts";
import { advanceMessage } from "../protocol/messages/task.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { Verify } from "../protocol/signature.ts";
import type { NamingAdvance } from "./held-lease.ts";

/** What a relay has answered that contradicts itself: the entry as it sent it, and what it drew from it. */
export interface DrawEvidence {
  readonly entry: Uint8Array;
  readonly draws: readonly Uint8Array[];
}

/** The relay's draw cannot be true: nothing is opened, and its own signature proves it to anybody. */
export class ForgedDrawError extends FailureError {
  static override readonly name = "FailureError";
  readonly evidence: DrawEvidence;

  constructor(detail: string, evidence: DrawEvidence) {
    super("forged-checkpoint", `draw: ${detail}`);
    this.evidence = evidence;
  }
}

/** The receipt in an entry, and what it stands on. */
export interface LoggedStatement {
  readonly receipt: Receipt;
  readonly advance: NamingAdvance;
  /** Outcomes that were logged before it, as whoever brought it says. */
  readonly prevCount: number;
}

/** @throws FailureError `malformed` for an entry that is neither a receipt's nor a dispute's. */
export function statementIn(entry: Uint8Array): LoggedStatement {
  const { receipt, advance, prevCount } =
    decodeEntry(entry).type === "dispute"
      ? readBody(disputeMessage, decodeEntryOf("dispute", entry).body.envelope)
      : readBody(reportMessage, decodeEntryOf("receipt", entry).body.envelope);
  const { taskCount, tasksRoot } = readBody(advanceMessage, advance);
  return {
    receipt: readBody(receiptMessage, receipt),
    advance: { envelope: advance, taskCount, tasksRoot },
    prevCount,
  };
}

/** A draw as the relay sent it, with what it has to fit. */
export interface DrawCase {
  readonly ground: Ground;
  readonly lease: Cid;
  /** The entry's place in the log, and the entry. */
  readonly index: number;
  readonly entry: Uint8Array;
  /** Outcomes in the entry's receipt. */
  readonly count: number;
  readonly draw: Uint8Array;
  /** The relay's key for draws; with `isFresh` after following its rotations once more. */
  readonly drawKey: (isFresh: boolean) => Promise<PeerId>;
  readonly verify: Verify;
}

/** What a draw says that does not fit its entry; nothing where all of it does. */
function misfit({ ground, lease, index, entry, count }: DrawCase, draw: Draw): string | undefined {
  if (draw.origin !== ground.origin || draw.asset !== ground.asset) return "of another relay";
  if (draw.lease !== lease) return "for another lease";
  if (draw.entryIndex !== index || !equalBytes(draw.entryHash, leafHash(entry))) return "from another entry";
  if (draw.end !== count) return `of outcomes up to ${draw.end}, where the receipt has ${count}`;
  let least = draw.first;
  for (const leaf of draw.leaves) {
    if (leaf < least || leaf >= draw.end) return `names outcome ${leaf}, which is not in its range`;
    least = leaf + 1;
  }
  return undefined;
}

/**
 * Reads the draw of a receipt's entry.
 * @throws FailureError `bad-signature` when the relay's draw key has not signed it, which proves nothing against anybody; a
 * ForgedDrawError when it has, and the draw does not fit the entry.
 */
export async function readDraw(each: DrawCase): Promise<Draw> {
  const message = openEnvelope(drawMessage, each.draw);
  const [by, ...more] = message.signedBy;
  const isSigned = async (isFresh: boolean): Promise<boolean> =>
    more.length === 0 && by?.key === (await each.drawKey(isFresh));
  if (!(await isSigned(false)) && !(await isSigned(true)))
    throw new FailureError("bad-signature", "draw: not signed by the relay's draw key alone");
  const { body } = await verified(message, each.verify);
  const wrong = misfit(each, body);
  if (wrong !== undefined) throw new ForgedDrawError(wrong, { entry: each.entry, draws: [each.draw] });
  return body;
}

/** Whether an error says that the relay has sent something wrong, so that asking again is of no use. */
export function isWrongAnswer(error: unknown): error is FailureError {
  return error instanceof FailureError && WRONG.has(error.code);
}

const WRONG: ReadonlySet<number> = new Set(
  (["forged-checkpoint", "bad-signature", "malformed", "unsupported"] as const).map(failureCode),
);

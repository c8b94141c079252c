import { originOf, parseCheckpoint } from "../protocol/checkpoint.ts";
import { FailureError } from "../protocol/failure.ts";
import { leafHash, verifyInclusion } from "../protocol/merkle.ts";
import type { TypedEntry } from "../protocol/messages/entry.ts";
import { keyFromPeerId, type PeerId } from "../protocol/peer-id.ts";
import type { Verify } from "../protocol/signature.ts";
import type { TlogProof } from "../protocol/tlog-proof.ts";
import { type CheckedReceipt, checkReceiptEntry } from "./receipt-check.ts";
import { typedEntry } from "./replay.ts";

/** A proof that a log holds an entry, after it was checked: believe it only when it is `ok`. */
export interface CheckedProof {
  readonly ok: boolean;
  readonly origin: string;
  readonly index: number;
  /** Entries of the log at the checkpoint. */
  readonly size?: number;
  /** Absent when it could not be read. */
  readonly entry?: TypedEntry;
  /** Of a receipt's entry: everything that its parties signed. */
  readonly receipt?: CheckedReceipt;
  /** One sentence: what does not hold. */
  readonly problem?: string;
}

/** @throws FailureError `forged-checkpoint` unless the checkpoint is signed under the key and the entry is in its tree. */
async function requireLogged(
  { index, proof, checkpoint }: Omit<TlogProof, "entry">,
  entry: Uint8Array,
  logKey: PeerId,
  verify: Verify,
): Promise<number> {
  const { claim, size, root } = parseCheckpoint(checkpoint, originOf(checkpoint), keyFromPeerId(logKey));
  if (!(await verify(claim.key, claim.message, claim.signature)))
    throw new FailureError("forged-checkpoint", "the checkpoint's signature does not hold");
  if (!verifyInclusion(leafHash(entry), index, size, proof, root))
    throw new FailureError("forged-checkpoint", "the log's tree does not hold this entry in this place");
  return size;
}

/**
 * Checks a proof by itself. Of a receipt's entry everything in it is checked as well, by receipt-check.ts.
 * @param logKey under which the log named in the checkpoint signs. Never throws for what is in the proof.
 */
export async function checkProof(given: TlogProof, logKey: PeerId, verify: Verify): Promise<CheckedProof> {
  const { entry: bytes, index, checkpoint, proof } = given;
  const origin = originOf(checkpoint);
  const base = { origin, index };
  if (bytes === undefined)
    return { ok: false, ...base, problem: "it does not hold the entry that it is about" };
  try {
    const size = await requireLogged(given, bytes, logKey, verify);
    const entry = typedEntry(bytes);
    if (entry.type !== "receipt") return { ok: true, ...base, size, entry };
    const receipt = await checkReceiptEntry({
      entryBytes: bytes,
      inclusion: { index, leaf: leafHash(bytes), proof, checkpoint },
      logView: {
        origin,
        checkInclusion: async () => {
          await requireLogged(given, bytes, logKey, verify);
        },
      },
      verify,
    });
    const failed = receipt.checks.find((check) => !check.ok);
    return {
      ok: receipt.ok,
      ...base,
      size,
      entry,
      receipt,
      ...(failed === undefined ? {} : { problem: failed.detail }),
    };
  } catch (error) {
    if (error instanceof FailureError) return { ok: false, ...base, problem: error.detail };
    if (error instanceof RangeError) return { ok: false, ...base, problem: error.message };
    throw error;
  }
}

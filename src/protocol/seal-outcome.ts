import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, equalBytes } from "./bytes.ts";
import { type Cid, cidBytes, type Digest } from "./cid.ts";
import type { OutcomeLeaf } from "./messages/task.ts";
import { encodeUtf8 } from "./text.ts";

/**
 * Replicas of one task commit to their outcomes before any of them is shown, or the second would copy the first. The seal
 * says nothing of the outcome to whoever lacks the nonce, and it names the lease, so that it is worth nothing elsewhere.
 */

const SEAL_TAG = encodeUtf8("tabmesh/seal/1");

/** Bytes of the nonce: random, one for each outcome, shown with it. */
export const SEAL_NONCE_BYTES = 32;

/** What of an outcome a replica commits to: everything that another replica has to agree with, and whose it is. */
export type SealedOutcome = Pick<
  OutcomeLeaf,
  "lease" | "seq" | "segment" | "status" | "code" | "outputCid" | "fuel"
>;

function cidOrNothing(cid: Cid | undefined): Uint8Array {
  return cid === undefined ? new Uint8Array(0) : cidBytes(cid);
}

/** Big-endian, 64 bits each. */
function numbers(...values: readonly (number | bigint)[]): Uint8Array {
  const bytes = new Uint8Array(8 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [at, value] of values.entries()) view.setBigUint64(8 * at, BigInt(value));
  return bytes;
}

/**
 * SHA-256 of tag ‖ lease ‖ u64 seq ‖ u64 segment ‖ u64 code ‖ u64 fuel ‖ nonce ‖ output CID, the tag behind 16 bits of
 * length. The code is 0 of an outcome that is done; the output CID is absent of one that failed, and comes last, so that
 * no two outcomes have the same bytes.
 * @throws RangeError when the nonce is not SEAL_NONCE_BYTES long.
 */
export function outcomeSeal(outcome: SealedOutcome, nonce: Uint8Array, digest: Digest = sha256): Uint8Array {
  if (nonce.length !== SEAL_NONCE_BYTES) throw new RangeError(`a nonce of ${nonce.length} bytes`);
  const { lease, seq, segment, code, outputCid, fuel } = outcome;
  return digest(
    concatBytes(
      Uint8Array.of(SEAL_TAG.length >> 8, SEAL_TAG.length & 0xff),
      SEAL_TAG,
      cidBytes(lease),
      numbers(seq, segment, code ?? 0, fuel),
      nonce,
      cidOrNothing(outputCid),
    ),
  );
}

/** Whether an outcome that is now shown is the one that was sealed. */
export function opensSeal(
  seal: Uint8Array,
  outcome: SealedOutcome,
  nonce: Uint8Array,
  digest?: Digest,
): boolean {
  return nonce.length === SEAL_NONCE_BYTES && equalBytes(seal, outcomeSeal(outcome, nonce, digest));
}

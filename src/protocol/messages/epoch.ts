import { HASH_BYTES } from "../merkle.ts";
import { exactBytes, optional, record, type Schema, uint } from "../schema.ts";

/** Commits to the secret of an epoch of entries and reveals the one before, so that every draw can be made again (rule 3). */
export interface EpochOpenBody {
  readonly epoch: number;
  /** SHA-256 of the secret. */
  readonly commit: Uint8Array;
  readonly revealed?: Uint8Array;
}

export const epochOpenBody: Schema<EpochOpenBody> = record<EpochOpenBody>({
  epoch: uint(),
  commit: exactBytes(HASH_BYTES),
  revealed: optional(exactBytes(HASH_BYTES)),
});

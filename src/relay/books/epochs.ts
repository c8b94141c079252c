import { hash, randomBytes } from "node:crypto";
import type { AuditPolicy } from "../../protocol/audit-policy.ts";
import type { Draft } from "./draft.ts";
import type { Epoch } from "./standing.ts";

const SECRET_BYTES = 32;

function secretName(epoch: number): string {
  return `epoch ${epoch}`;
}

/** The secret of an epoch, also of one that is not committed yet. @throws RangeError when it is not there. */
export function epochSecret(draft: Draft, epoch: number): Uint8Array {
  const secret = draft.secret(secretName(epoch));
  if (secret === undefined) throw new RangeError(`the secret of epoch ${epoch} is missing`);
  return secret;
}

/**
 * Commits to the secret that draws of an epoch follow from, and reveals the one before, so that its draws can be checked
 * (rule 3); the same transaction keeps it.
 */
export function openEpoch(draft: Draft, number: number): Epoch {
  const secret = new Uint8Array(randomBytes(SECRET_BYTES));
  const revealed = number === 0 ? undefined : epochSecret(draft, number - 1);
  draft.secrets.push({ name: secretName(number), value: secret });
  const index = draft.append("epoch-open", {
    epoch: number,
    commit: hash("sha256", secret, "buffer"),
    ...(revealed === undefined ? {} : { revealed }),
  });
  const epoch = { number, index, time: draft.time };
  draft.epoch = epoch;
  return epoch;
}

/** The epoch that an entry written now belongs to; the next one when the present one is over. */
export function presentEpoch(draft: Draft, policy: AuditPolicy): Epoch {
  const { epoch } = draft;
  if (epoch === undefined) return openEpoch(draft, 0);
  const isOver = draft.size - epoch.index >= policy.epochEntries || draft.time - epoch.time >= policy.epochMs;
  return isOver ? openEpoch(draft, epoch.number + 1) : epoch;
}

import { toHex } from "../../protocol/bytes.ts";
import type { Cid } from "../../protocol/cid.ts";
import type { Verified } from "../../protocol/envelope.ts";
import { FailureError } from "../../protocol/failure.ts";
import { requireOrigin } from "../../protocol/header.ts";
import type { ApiKey, ApiKeyRevoke } from "../../protocol/messages/api-key.ts";
import type { Job } from "../../protocol/messages/job.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { allowanceOf, isInForce, periodOf } from "./api-key-rules.ts";
import type { Draft } from "./draft.ts";
import { type Court, requireWelcome, soleSigner } from "./judging.ts";
import { MAX_API_KEYS } from "./limits.ts";
import type { ApiKeyState } from "./standing.ts";

/** Only the identity itself may give its money into other hands: a session key that was stolen from a tab may not. */
function requireRoot(court: Court, draft: Draft, message: Verified<ApiKey | ApiKeyRevoke>): void {
  const { account } = message.body;
  requireOrigin(message.body, court.origin, court.asset);
  const signer = soleSigner(court, draft, message);
  if (signer.root !== account || signer.session !== account)
    throw new FailureError("bad-signature", `${message.type}: not signed by the account itself`);
}

/** Logs what an account lets a key do. The same message again answers with the same entry. @returns the entry's index */
export function addApiKey(court: Court, draft: Draft, message: Verified<ApiKey>): number {
  requireRoot(court, draft, message);
  const { body, id } = message;
  const known = draft.apiKey(id);
  if (known !== undefined) return known.index;
  if (draft.apiKeyOfHash(toHex(body.hash)) !== undefined)
    throw new FailureError("replayed", "another api-key has this hash");
  if (body.expires !== undefined && body.expires <= draft.time)
    throw new FailureError("expired", "the key's time has passed");
  requireWelcome(draft, [body.account]);
  const inForce = draft.apiKeysOf(body.account).filter((key) => isInForce(key, draft.time));
  if (inForce.length >= MAX_API_KEYS)
    throw new FailureError("too-large", `an account has at most ${MAX_API_KEYS} keys at a time`);
  const index = draft.append("api-key", { envelope: message.bytes });
  draft.setApiKey({ id, index, terms: body, created: draft.time });
  return index;
}

/** Takes a key back. Doing so again changes nothing. @returns the entry's index */
export function revokeApiKey(court: Court, draft: Draft, message: Verified<ApiKeyRevoke>): number {
  requireRoot(court, draft, message);
  const key = draft.apiKey(message.body.apiKey);
  if (key === undefined || key.terms.account !== message.body.account)
    throw new FailureError("not-found", "this account has no such key");
  if (key.revokedIndex !== undefined) return key.revokedIndex;
  const index = draft.append("api-key-revoke", { envelope: message.bytes });
  draft.setApiKey({ ...key, revoked: draft.time, revokedIndex: index });
  return index;
}

type Spending = Pick<Job, "requester" | "payer" | "cap">;

/** The api-key that a job names. @throws FailureError `bad-signature` unless it lets this requester spend this payer's money. */
function keyFor(draft: Draft, { requester, payer }: Spending, apiKey: Cid): ApiKeyState {
  const key = draft.apiKey(apiKey);
  if (key?.terms.account !== payer)
    throw new FailureError("bad-signature", `job: ${payer} has signed neither it nor its api-key`);
  if (key.terms.gateway !== requester)
    throw new FailureError("bad-signature", `job: its api-key is for another requester than ${requester}`);
  return key;
}

/**
 * Whether the payer stands behind a job: by signing it, or by an api-key that covers it.
 * @param signers root identities that have signed the job.
 * @throws FailureError `bad-signature`, `key-revoked`, `expired`, `insufficient-funds` beyond the key's cap.
 */
export function requirePayer(draft: Draft, job: Job, signers: readonly PeerId[]): void {
  if (job.apiKey !== undefined) requireAllowance(draft, job, job.apiKey);
  else if (!signers.includes(job.payer))
    throw new FailureError("bad-signature", `job: ${job.payer} has not signed it`);
}

/** Whether an api-key lets a requester set so much of a payer's money aside. @throws FailureError as requirePayer does. */
export function requireAllowance(draft: Draft, job: Spending, apiKey: Cid): void {
  const key = keyFor(draft, job, apiKey);
  if (key.revoked !== undefined) throw new FailureError("key-revoked", "the API key was revoked");
  if (!isInForce(key, draft.time)) throw new FailureError("expired", "the API key's time has passed");
  const left = allowanceOf(key, draft.spending(key.id, periodOf(key.terms, draft.time)));
  if (job.cap > left)
    throw new FailureError(
      "insufficient-funds",
      `the API key has ${left} micro-credits left, the cap is ${job.cap}`,
    );
}

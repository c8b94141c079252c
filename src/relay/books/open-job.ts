import type { Signatory } from "../../protocol/delegation.ts";
import { type Verified } from "../../protocol/envelope.ts";
import { FailureError } from "../../protocol/failure.ts";
import { requireOrigin } from "../../protocol/header.ts";
import { CLOCK_SKEW_MS, MAX_JOB_LIFETIME_MS } from "../../protocol/limits.ts";
import type { Job } from "../../protocol/messages/job.ts";
import { requirePayer } from "./api-keys.ts";
import type { Draft } from "./draft.ts";
import { type Court, requireWelcome, signerOf } from "./judging.ts";
import { requireRun } from "./runs.ts";
import type { IsSilent } from "../run-books.ts";

type Signer = Pick<Signatory, "root" | "session">;

function requireSigners(court: Court, draft: Draft, { body, signedBy }: Verified<Job>): readonly Signer[] {
  const signers = signedBy.map((signed) => signerOf(court, draft, signed));
  if (!signers.some(({ root }) => root === body.requester))
    throw new FailureError("bad-signature", `job: ${body.requester} has not signed it`);
  return signers;
}

function requireTime({ expires, issuedAt }: Job, time: number): void {
  if (expires <= time) throw new FailureError("expired", "the job's time has passed");
  if (expires > time + MAX_JOB_LIFETIME_MS + CLOCK_SKEW_MS)
    throw new FailureError("malformed", `job: expires more than ${MAX_JOB_LIFETIME_MS} ms ahead`);
  if (issuedAt > time + CLOCK_SKEW_MS) throw new FailureError("malformed", "job: was issued in the future");
}

const nobodyIsSilent: IsSilent = () => false;

/** Sets a job's cap aside. @returns the escrow's entry. See Books.openJob. */
export function openJob(
  court: Court,
  draft: Draft,
  job: Verified<Job>,
  isSilent: IsSilent = nobodyIsSilent,
): number {
  const { id, body } = job;
  requireOrigin(body, court.origin, court.asset);
  const signers = requireSigners(court, draft, job);
  const known = draft.job(id);
  if (known !== undefined) return known.escrowIndex;
  const roots = signers.map(({ root }) => root);
  if (body.run === undefined) requirePayer(draft, body, roots);
  else requireRun(draft, body, body.run, isSilent);
  requireTime(body, draft.time);
  if (draft.jobOf(body.requester, body.nonce) !== undefined)
    throw new FailureError("replayed", "another job has used this nonce");
  const sessions = signers.map(({ session }) => session);
  requireWelcome(draft, [...roots, ...sessions, body.requester, body.payer]);
  if (draft.denied("cid", body.work.cid) !== undefined)
    throw new FailureError("denied", `${body.work.cid} is not run here`);
  const { available } = draft.account(body.payer);
  if (available < body.cap)
    throw new FailureError("insufficient-funds", `${available} micro-credits, the cap is ${body.cap}`);
  return draft.append(
    "escrow",
    { job: id, payer: body.payer, amount: body.cap, envelope: job.bytes },
    { type: "escrow", job: id, terms: body, signers: job.signedBy.map(({ key }) => key) },
  );
}

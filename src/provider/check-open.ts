import { type Cid, cidOf, DAG_CBOR } from "../protocol/cid.ts";
import { signatory } from "../protocol/delegation.ts";
import { openEnvelope, type Verified, verified } from "../protocol/envelope.ts";
import { FailureError } from "../protocol/failure.ts";
import { requireOrigin } from "../protocol/header.ts";
import { MAX_ARGS_BYTES, MAX_ENVELOPE_BYTES, SANDBOX_PROFILE } from "../protocol/limits.ts";
import {
  entriesOf,
  type Job,
  type JobArgs,
  jobArgsSchema,
  jobMessage,
  kindOfAbi,
} from "../protocol/messages/job.ts";
import { type Lease, leaseMessage } from "../protocol/messages/lease.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import { decode } from "../protocol/schema.ts";
import type { Verify } from "../protocol/signature.ts";
import { isWithinTariff, type Tariff, tariffCid } from "../protocol/tariff.ts";
import { openSchema } from "../protocol/work-frame.ts";

/** What a requester must have shown before its first task. */
export interface WorkOrder {
  readonly job: Verified<Job>;
  readonly lease: Verified<Lease>;
  readonly tariff: Tariff;
  readonly args: JobArgs;
}

/** Who the provider is, and which relay it works for. */
export interface ProviderIdentity {
  readonly origin: string;
  readonly asset: string;
  /** Key the relay signs leases with, pinned at first contact. */
  readonly leaseKey: PeerId;
  readonly root: PeerId;
  readonly instance: PeerId;
}

/** Profiles this build's sandbox has. */
export const SUPPORTED_PROFILES: readonly number[] = [SANDBOX_PROFILE];

function refuseUnless(
  holds: boolean,
  name: "wrong-provider" | "wrong-peer" | "malformed" | "bad-signature",
  detail: string,
): void {
  if (!holds) throw new FailureError(name, detail);
}

function checkLease(lease: Verified<Lease>, job: Verified<Job>, me: ProviderIdentity, remote: string): void {
  const [by] = lease.signedBy;
  refuseUnless(
    lease.signedBy.length === 1 && by?.key === me.leaseKey,
    "bad-signature",
    "lease: not signed by the relay's lease key",
  );
  refuseUnless(lease.body.job === job.id, "malformed", "lease: for another job");
  refuseUnless(lease.body.provider === me.root, "wrong-provider", "lease: for another provider");
  refuseUnless(
    lease.body.instance === me.instance,
    "wrong-provider",
    "lease: for another session of this provider",
  );
  refuseUnless(
    lease.body.requesterKey === remote,
    "wrong-peer",
    "lease: for another requester than this connection's",
  );
  refuseUnless(
    lease.body.profile === job.body.work.profile,
    "malformed",
    "lease: profile differs from the job's",
  );
}

function checkJob(job: Verified<Job>, lease: Verified<Lease>): void {
  const [by] = job.signedBy;
  refuseUnless(
    job.signedBy.length === 1 && by?.key === lease.body.requesterKey,
    "bad-signature",
    "job: not signed by the lease's requester key",
  );
  if (!SUPPORTED_PROFILES.includes(job.body.work.profile)) {
    throw new FailureError(
      "profile-unsupported",
      `profile ${job.body.work.profile} is not among ${SUPPORTED_PROFILES.join(", ")}`,
    );
  }
  const { kind, abi, entry } = job.body.work;
  refuseUnless(kind === kindOfAbi(abi), "malformed", `job: a ${kind} of interface ${abi}`);
  refuseUnless(
    entriesOf(kind)?.includes(entry) ?? true,
    "malformed",
    kind === "model" ? "job: a model has no such entry" : "job: an effect has no such entry",
  );
}

/**
 * Decodes and verifies an open frame for this provider and this connection.
 * @param remote peer id of the connection, authenticated by the mesh.
 * @param nowMs milliseconds since 1970, for delegations only; leases count from arrival (rule 19).
 * @throws FailureError naming the first thing that does not hold.
 */
export async function checkOpen(
  payload: Uint8Array,
  me: ProviderIdentity,
  remote: string,
  nowMs: number,
  verify: Verify,
): Promise<WorkOrder> {
  const open = decode(openSchema, payload, 2 * MAX_ENVELOPE_BYTES + MAX_ARGS_BYTES);
  const [job, lease] = await Promise.all([
    verified(openEnvelope(jobMessage, open.job), verify),
    verified(openEnvelope(leaseMessage, open.lease), verify),
  ]);
  requireOrigin(job.body, me.origin, me.asset);
  requireOrigin(lease.body, me.origin, me.asset);
  checkLease(lease, job, me, remote);
  checkJob(job, lease);
  await checkSignatory(job, nowMs, verify);
  refuseUnless(
    tariffCid(open.tariff) === lease.body.tariff,
    "malformed",
    "tariff: not the one the lease names",
  );
  refuseUnless(
    isWithinTariff(open.tariff, job.body.tariffMax),
    "malformed",
    "tariff: above the job's highest",
  );
  const argsCid: Cid = cidOf(DAG_CBOR, open.args);
  refuseUnless(argsCid === job.body.argsCid, "malformed", "arguments: not those the job names");
  return { job, lease, tariff: open.tariff, args: decode(jobArgsSchema, open.args, MAX_ARGS_BYTES) };
}

/** The job's requester is the root of the key that signed it. */
async function checkSignatory(job: Verified<Job>, nowMs: number, verify: Verify): Promise<void> {
  const [by] = job.signedBy;
  if (by === undefined) throw new FailureError("bad-signature", "job: not signed");
  const { root, delegation } = signatory(by, nowMs);
  if (delegation !== undefined) await verified(delegation, verify);
  refuseUnless(root === job.body.requester, "bad-signature", "job: signed for another requester");
}

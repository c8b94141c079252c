import { requireDeadline } from "../../market/lease-terms.ts";
import { FailureError } from "../../protocol/failure.ts";
import { isTestAsset } from "../../protocol/header.ts";
import { SANDBOX_PROFILE } from "../../protocol/limits.ts";
import type { Job } from "../../protocol/messages/job.ts";
import { isWithinTariff, type Tariff } from "../../protocol/tariff.ts";

/** Sandbox profiles whose jobs this relay takes. */
export const ACCEPTED_PROFILES: readonly number[] = [SANDBOX_PROFILE];

/** Ways of checking results that this relay can hold to. */
export const VERIFICATION_POLICIES: readonly string[] = ["sampled", "none"];

export interface JobRules {
  readonly tariff: Tariff;
  /** Test money may be spent here (rule 18). */
  readonly isLoopback: boolean;
}

/**
 * Whether the relay can do what a job asks for, as far as the job alone tells. Money, time and signatures are the books'
 * to judge. @throws FailureError naming the first thing that stands against it.
 */
export function checkJob(job: Job, { tariff, isLoopback }: JobRules): void {
  if (isTestAsset(job.asset) && !isLoopback)
    throw new FailureError("wrong-asset", "test credits are spent at relays on loopback only");
  if (job.work.kind !== "function") throw unsupported("models are not run yet");
  if (!ACCEPTED_PROFILES.includes(job.work.profile)) {
    const accepted = ACCEPTED_PROFILES.join(", ");
    throw new FailureError("profile-refused", `profile ${job.work.profile}, this relay accepts ${accepted}`);
  }
  if (job.work.effects.length > 0) throw unsupported("no effects are granted yet");
  if (job.verify.k > 1) throw unsupported("replicas are not compared yet");
  if (!VERIFICATION_POLICIES.includes(job.verify.policy))
    throw unsupported(`verification is one of ${VERIFICATION_POLICIES.join(", ")}`);
  if (job.parallel < 1 || job.maxTasks < 1 || job.cap < 1n)
    throw new FailureError("malformed", "job: parallel, maxTasks and cap are at least 1");
  if (!isWithinTariff(tariff, job.tariffMax))
    throw new FailureError("overpriced", "the relay's tariff is above the job's highest");
  requireDeadline(job.limits);
}

function unsupported(detail: string): FailureError {
  return new FailureError("unsupported", `job: ${detail}`);
}

import { assumedFuelPerSecond, requireDeadline } from "../../market/lease-terms.ts";
import { FailureError } from "../../protocol/failure.ts";
import { isTestAsset } from "../../protocol/header.ts";
import { SANDBOX_PROFILE } from "../../protocol/limits.ts";
import { entriesOf, type Job, kindOfAbi, type Work } from "../../protocol/messages/job.ts";
import { isWithinTariff, type Tariff } from "../../protocol/tariff.ts";

/** Sandbox profiles whose jobs this relay takes. */
export const ACCEPTED_PROFILES: readonly number[] = [SANDBOX_PROFILE];

/** Ways of checking results that this relay can hold to. */
export const VERIFICATION_POLICIES: readonly string[] = ["sampled", "none"];

/** Replicas compared by their requester, where the relay sees to it that they are of distinct owners. */
function checkReplicas({ verify, parallel }: Job, maxReplicas: number): void {
  if (verify.k > maxReplicas)
    throw unsupported(
      maxReplicas === 0
        ? "replicas are not compared here, as nothing is recomputed where they disagree"
        : `at most ${maxReplicas} replicas of a task, not ${verify.k}`,
    );
  if (parallel < verify.k)
    throw new FailureError("malformed", `job: ${verify.k} replicas need as many providers at a time`);
}

export interface JobRules {
  readonly tariff: Tariff;
  /** Test money may be spent here (rule 18). */
  readonly isLoopback: boolean;
  /** Replicas of one task at most; 0 where results are not audited, as nobody could say who is right. */
  readonly maxReplicas: number;
}

/**
 * Whether the relay can do what a job asks for, as far as the job alone tells. Money, time and signatures are the books'
 * to judge. @throws FailureError naming the first thing that stands against it.
 */
export function checkJob(job: Job, { tariff, isLoopback, maxReplicas }: JobRules): void {
  if (isTestAsset(job.asset) && !isLoopback)
    throw new FailureError("wrong-asset", "test credits are spent at relays on loopback only");
  checkWork(job.work);
  if (!ACCEPTED_PROFILES.includes(job.work.profile)) {
    const accepted = ACCEPTED_PROFILES.join(", ");
    throw new FailureError("profile-refused", `profile ${job.work.profile}, this relay accepts ${accepted}`);
  }
  if (job.verify.k > 1) checkReplicas(job, maxReplicas);
  if (!VERIFICATION_POLICIES.includes(job.verify.policy))
    throw unsupported(`verification is one of ${VERIFICATION_POLICIES.join(", ")}`);
  if (job.parallel < 1 || job.maxTasks < 1 || job.cap < 1n)
    throw new FailureError("malformed", "job: parallel, maxTasks and cap are at least 1");
  if (!isWithinTariff(tariff, job.tariffMax))
    throw new FailureError("overpriced", "the relay's tariff is above the job's highest");
  requireDeadline(job.limits, assumedFuelPerSecond(job.work));
}

/** Each kind of work has interfaces of its own, and models and effects entries of their own; only effects need effects. */
function checkWork({ kind, abi, entry, effects }: Work): void {
  if (kind !== kindOfAbi(abi))
    throw new FailureError("malformed", `job: a ${kind} has not the interface ${abi}`);
  const entries = entriesOf(kind);
  if (entries?.includes(entry) === false)
    throw unsupported(`entries of ${kind}s are ${entries.join(" and ")}`);
  if (kind !== "effect" && effects.length > 0) throw unsupported(`no effects are granted to ${kind}s`);
  if (kind === "effect" && !effects.every((need) => need.split(" ")[0] === entry))
    throw new FailureError("malformed", "job: needs other effects than its entry");
}

function unsupported(detail: string): FailureError {
  return new FailureError("unsupported", `job: ${detail}`);
}

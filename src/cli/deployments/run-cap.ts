import { webcrypto } from "node:crypto";
import { boundsOf } from "../../plan/bounds.ts";
import type { Plan } from "../../plan/plan.ts";
import { DEFAULT_AUDIT_POLICY } from "../../protocol/audit-policy.ts";
import { peerIdFromSeed } from "../../protocol/ed25519.ts";
import { failureCode } from "../../protocol/failure-code.ts";
import { FailureError } from "../../protocol/failure.ts";
import type { Tariff } from "../../protocol/tariff.ts";
import { microCredits } from "../../protocol/units.ts";
import { createRelayViews } from "../../provider/relay-views.ts";
import type { AccountOwner } from "../../sdk/index.ts";
import { usageError } from "../plain-error.ts";
import { creditsText } from "../quantities.ts";

/** What one run of a deployment may cost. */

/** Micro-credits, where no step is paid for: a run has a budget all the same. */
const FREE_CAP = 10_000n;
/** Micro-credits that a run may cost of an account that is not known yet: less than a relay grants at first. */
const NEW_ACCOUNT_CAP = 4_000_000n;

export interface CapGround {
  /** The relay's. */
  readonly tariff: Tariff;
  /** Micro-credits; nothing where the relay knows no account yet. */
  readonly available: bigint;
}

/** What the relay takes, and what the account has there. @throws FailureError */
export async function capGround({ relay, seed }: AccountOwner): Promise<CapGround> {
  const views = createRelayViews(relay);
  const peer = await peerIdFromSeed(webcrypto.subtle, new Uint8Array(seed));
  const { tariff } = await views.info();
  try {
    const { available } = await views.account(peer);
    return { tariff, available: available > 0n ? available : 0n };
  } catch (error) {
    if (error instanceof FailureError && error.code === failureCode("not-found"))
      return { tariff, available: 0n };
    throw error;
  }
}

/**
 * The most that a run may cost, micro-credits: what was given, or what a run asks for that nobody bounds, twice what its plan costs
 * at its limits and half the balance at most.
 * @throws PlainError with the cap that is needed, when a step at its limits would find no provider under the one that was given
 */
export function runCap(plan: Plan, given: bigint | undefined, { tariff, available }: CapGround): bigint {
  const { cost, dearestStep } = boundsOf(plan, {
    tariff,
    leaseFee: microCredits(DEFAULT_AUDIT_POLICY.leaseFee),
  });
  // A step's job sets one step more aside, for each lease: a lease whose rest covers no step is spent.
  const least = 2n * dearestStep;
  if (given !== undefined) {
    if (given >= least) return given;
    throw usageError(
      `With --cap ${creditsText(given)} the plan ${plan.name} never runs: its dearest step needs ${creditsText(least)} credits.`,
      `Give --cap ${creditsText(least)} or more, set lower limits in the plan, or leave --cap out.`,
    );
  }
  const spare = available === 0n ? NEW_ACCOUNT_CAP : available / 2n;
  const wanted = 2n * cost;
  const cap = wanted < spare ? wanted : spare;
  if (cap < least) return least;
  return cap === 0n ? FREE_CAP : cap;
}

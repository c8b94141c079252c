import { type AuditPolicy, PPM } from "../protocol/audit-policy.ts";

/**
 * Whether the results of several providers for one task may be taken, by credibility: L. F. G. Sarmenta, "Sabotage-tolerance
 * mechanisms for volunteer computing systems", Future Generation Computer Systems 18 (2002). The providers have to be of
 * distinct owners and to have sealed their results before they saw another's.
 */

/** What one replica says. */
export interface Replica<R> {
  /** Equal results are equal values: the output's CID, or the failure's code, with the fuel. */
  readonly result: R;
  /** Audits that its provider has passed since its record began anew. */
  readonly passed: number;
}

export type ReplicaJudgement<R> =
  | { readonly kind: "accepted"; readonly result: R }
  /** One more replica is needed. */
  | { readonly kind: "more" }
  /** The relay has to recompute. */
  | { readonly kind: "referee" };

/**
 * Probability that a result of a provider is right, who is barred when an audit finds it wrong: 1 − f after no audit,
 * 1 − f / ((1 − f) · e · k) after k that it passed, whatever share of its results it falsifies.
 */
export function credibility(passed: number, { faultPpm }: Pick<AuditPolicy, "faultPpm">): number {
  const fault = faultPpm / PPM;
  if (fault >= 1) return 0;
  const unaudited = 1 - fault;
  // The first bound is better than the second for a single audit of a distrusted crowd.
  return passed <= 0 ? unaudited : Math.max(unaudited, 1 - fault / ((1 - fault) * Math.E * passed));
}

/**
 * Judges what came in so far. Equal results are wrong only if all of them are: ∏(1 − Cr) against ∏Cr. They are accepted when
 * that is less likely than `acceptPpm`; else one more replica is asked, up to `maxReplicas`. Whoever disagrees is not
 * outvoted, since voices are cheap: the relay recomputes. How many replicas there are at least is the requester's to say.
 */
export function judgeReplicas<R>(
  results: readonly Replica<R>[],
  policy: Pick<AuditPolicy, "faultPpm" | "acceptPpm" | "maxReplicas">,
): ReplicaJudgement<R> {
  const [first] = results;
  if (first !== undefined) {
    if (results.some(({ result }) => result !== first.result)) return { kind: "referee" };
    let right = 1;
    let wrong = 1;
    for (const { passed } of results) {
      const each = credibility(passed, policy);
      right *= each;
      wrong *= 1 - each;
    }
    if (right > 0 && wrong / (right + wrong) <= policy.acceptPpm / PPM)
      return { kind: "accepted", result: first.result };
  }
  return results.length < policy.maxReplicas ? { kind: "more" } : { kind: "referee" };
}

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
  | {
      readonly kind: "accepted";
      readonly result: R;
      /** Places of the replicas that say otherwise: their leaves are to be recomputed. */
      readonly dissenting: readonly number[];
    }
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

interface Group<R> {
  readonly result: R;
  /** Products of credibilities and of their complements. */
  right: number;
  wrong: number;
}

function groupsOf<R>(
  results: readonly Replica<R>[],
  policy: Pick<AuditPolicy, "faultPpm">,
): readonly Group<R>[] {
  const groups = new Map<R, Group<R>>();
  for (const { result, passed } of results) {
    let group = groups.get(result);
    if (group === undefined) groups.set(result, (group = { result, right: 1, wrong: 1 }));
    const right = credibility(passed, policy);
    group.right *= right;
    group.wrong *= 1 - right;
  }
  return [...groups.values()];
}

function othersWrong<R>(groups: readonly Group<R>[], but: Group<R>): number {
  return groups.reduce((product, group) => (group === but ? product : product * group.wrong), 1);
}

/** The group with the best chance of being right, and that chance: either all groups are wrong, or one is right. */
function bestOf<R>(
  groups: readonly Group<R>[],
): { readonly group: Group<R>; readonly probability: number } | undefined {
  let allCases = groups.reduce((product, { wrong }) => product * wrong, 1);
  let best: { group: Group<R>; weight: number } | undefined;
  for (const group of groups) {
    const weight = group.right * othersWrong(groups, group);
    allCases += weight;
    if (best === undefined || weight > best.weight) best = { group, weight };
  }
  return best === undefined || allCases === 0
    ? undefined
    : { group: best.group, probability: best.weight / allCases };
}

/**
 * Judges what came in so far. A result is accepted when it is wrong less often than `acceptPpm`; else one more replica is
 * asked, up to `maxReplicas`; then the relay recomputes. How many replicas there are at least is the requester's to say.
 */
export function judgeReplicas<R>(
  results: readonly Replica<R>[],
  policy: Pick<AuditPolicy, "faultPpm" | "acceptPpm" | "maxReplicas">,
): ReplicaJudgement<R> {
  const best = bestOf(groupsOf(results, policy));
  if (best !== undefined && 1 - best.probability <= policy.acceptPpm / PPM) {
    const { result } = best.group;
    const dissenting = results.flatMap((replica, place) => (replica.result === result ? [] : [place]));
    return { kind: "accepted", result, dissenting };
  }
  return results.length < policy.maxReplicas ? { kind: "more" } : { kind: "referee" };
}

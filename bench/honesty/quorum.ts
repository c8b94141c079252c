import { judgeReplicas, type Replica } from "../../src/market/replicas.ts";
import type { AuditPolicy } from "../../src/protocol/audit-policy.ts";
import { Lots } from "./lots.ts";

export interface QuorumOptions {
  readonly policy: AuditPolicy;
  readonly seed: string;
  /** Tasks, each asked of two providers. */
  readonly tasks: number;
  /** Share of the providers that lie whenever they are asked. */
  readonly liars: number;
  /** Liars say the same lie. */
  readonly collude: boolean;
  /** Audits that everybody has passed. */
  readonly passed: number;
}

export interface QuorumResult {
  /** Lies that were accepted. */
  readonly accepted: number;
  /** Tasks that the relay recomputed. */
  readonly refereed: number;
  /** Replicas in all. */
  readonly replicas: number;
}

const TRUTH = 0;
const SHARED_LIE = 1;

/** Quorums of two out of a large crowd: who is asked for a task is drawn for each replica anew. */
export function simulateQuorums({
  policy,
  seed,
  tasks,
  liars,
  collude,
  passed,
}: QuorumOptions): QuorumResult {
  const lots = new Lots(`${seed} quorum ${liars} ${collude} ${passed}`);
  let [accepted, refereed, asked] = [0, 0, 0];
  const answer = (): Replica<number> => {
    asked += 1;
    // A lie made up alone is as good as never the same as another one: outputs are named by 256 bits.
    const lie = collude ? SHARED_LIE : 1 + asked;
    return { result: lots.isHit(liars) ? lie : TRUTH, passed };
  };
  for (let task = 0; task < tasks; task += 1) {
    const replicas = [answer(), answer()];
    let judgement = judgeReplicas(replicas, policy);
    while (judgement.kind === "more") {
      replicas.push(answer());
      judgement = judgeReplicas(replicas, policy);
    }
    if (judgement.kind === "referee") refereed += 1;
    else if (judgement.result !== TRUTH) accepted += 1;
  }
  return { accepted, refereed, replicas: asked };
}

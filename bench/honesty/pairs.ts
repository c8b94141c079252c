import { hash as hashOnce } from "node:crypto";
import { judgeReplicas } from "../../src/market/replicas.ts";
import type { AuditPolicy } from "../../src/protocol/audit-policy.ts";
import type { Cid, Digest } from "../../src/protocol/cid.ts";
import { opensSeal, outcomeSeal, type SealedOutcome } from "../../src/protocol/seal-outcome.ts";
import type { Fuel } from "../../src/protocol/units.ts";
import type { Deed } from "./strategy.ts";

const digest: Digest = (bytes) => hashOnce("sha256", bytes, "buffer");

export interface Task {
  readonly seq: number;
  /** The output that computing gives. */
  readonly truth: Cid;
  readonly fuel: Fuel;
  readonly nonce: Uint8Array;
}

/** One of two that are asked for the same task. */
export interface Replicant {
  readonly lease: Cid;
  readonly deed: Deed;
  /** Audits it has passed. */
  readonly passed: number;
}

export interface Agreement {
  /** Whether each showed what it had sealed. */
  readonly shown: readonly [boolean, boolean];
  /** What the requester takes: by agreement, or by the relay's recomputation, which is never wrong. */
  readonly accepted: "true" | "false" | "recomputed";
  /** Places of those whose result the relay finds false. */
  readonly wrong: readonly number[];
}

/** What somebody can know before the other one shows its result: the truth only if it computed, else something made up. */
function sealedOutput({ deed, lease }: Replicant, { truth }: Task): Cid {
  return deed === "work" ? truth : lease;
}

/** Seals are exchanged, then outcomes; who copies shows what the other has shown. */
export function agree(
  task: Task,
  [a, b]: readonly [Replicant, Replicant],
  policy: AuditPolicy,
  seals: boolean,
): Agreement {
  const outcome = ({ lease }: Replicant, outputCid: Cid): SealedOutcome => ({
    lease,
    seq: task.seq,
    segment: 0,
    status: "done",
    outputCid,
    fuel: task.fuel,
  });
  const first = sealedOutput(a, task);
  const second = sealedOutput(b, task);
  const said = [a.deed === "copy" ? second : first, b.deed === "copy" ? first : second] as const;
  const opens = (who: Replicant, sealed: Cid, now: Cid): boolean =>
    !seals ||
    opensSeal(outcomeSeal(outcome(who, sealed), task.nonce, digest), outcome(who, now), task.nonce, digest);
  const shown = [opens(a, first, said[0]), opens(b, second, said[1])] as const;
  const replicas = [a, b].flatMap(({ passed }, place) =>
    shown[place] === true ? [{ result: said[place]!, passed }] : [],
  );
  const judgement = judgeReplicas(replicas, policy);
  const accepted =
    judgement.kind !== "accepted" || replicas.length < 2
      ? "recomputed"
      : judgement.result === task.truth
        ? "true"
        : "false";
  const wrong = [0, 1].filter(
    (place) => accepted === "recomputed" && shown[place] === true && said[place] !== task.truth,
  );
  return { shown, accepted, wrong };
}

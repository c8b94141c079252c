import { type FailureCode, failureKind } from "../../protocol/failure-code.ts";
import type { Cid } from "../../protocol/cid.ts";
import type { Job } from "../../protocol/messages/job.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { OutcomeLeaf, Task } from "../../protocol/messages/task.ts";

/** One drawn outcome, to be computed again from its task alone. What was claimed says only which part of a stream it is. */
export interface Recomputation {
  readonly job: Job;
  readonly lease: Cid;
  readonly task: Task;
  readonly claimed: OutcomeLeaf;
  readonly input: Uint8Array;
  /** What an effect is followed from, where it was shown (EffectEvidence). */
  readonly effects?: Cid;
  /** Session key of the provider, where an effect is followed. */
  readonly instance?: PeerId;
  /** From the moment a thread turns to it, milliseconds. */
  readonly deadlineMs: number;
}

/** What came of it. */
export type Recomputed =
  | {
      readonly kind: "known";
      /** As an honest provider would have claimed it. */
      readonly expected: OutcomeLeaf;
      /** The result's bytes, where there are any. */
      readonly output?: Uint8Array;
    }
  /** By a fault of this machine's: nothing follows for anybody. */
  | { readonly kind: "unknown"; readonly why: string };

/** Computes tasks of one kind of work in threads. */
export interface Recomputer {
  /** Outcomes it works on at a time. */
  readonly lanes: number;
  /** Never rejects but with ContentMissing. */
  recompute(recomputation: Recomputation): Promise<Recomputed>;
  stop(): Promise<void>;
}

/** How a task or a part of a stream ended, before it becomes a leaf. */
export type Ended =
  | {
      readonly kind: "done";
      readonly outputCid: Cid;
      readonly size: number;
      readonly fuel: OutcomeLeaf["fuel"];
      readonly effectsCid?: Cid;
    }
  | { readonly kind: "failed"; readonly code: FailureCode; readonly fuel: OutcomeLeaf["fuel"] };

/** Which part of a stream it is; a task that is none is one whole part. */
export interface Part {
  readonly segment: number;
  readonly from: number;
  readonly to: number;
  readonly stateHash?: Uint8Array;
  readonly end: boolean;
}

export const WHOLE: Part = { segment: 0, from: 0, to: 0, end: true };

/** The leaf of an outcome, as providers write it. The seal of a replica is taken from the claim: no recomputation knows its nonce. */
export function expectedLeaf({ lease, task, claimed }: Recomputation, ended: Ended, part: Part): OutcomeLeaf {
  const { segment, from, to, stateHash, end } = part;
  return {
    lease,
    seq: task.seq,
    segment,
    from,
    to,
    inputCid: task.inputCid,
    salt: task.salt,
    status: ended.kind,
    ...(ended.kind === "done"
      ? { outputCid: ended.outputCid, size: ended.size }
      : { code: ended.code, size: 0 }),
    fuel: ended.fuel,
    ...(ended.kind === "done" && ended.effectsCid !== undefined ? { effectsCid: ended.effectsCid } : {}),
    ...(stateHash === undefined ? {} : { stateHash }),
    end,
    ...(claimed.seal === undefined ? {} : { seal: claimed.seal }),
  };
}

/** Whether a task that fails so fails so on every machine. */
export function isOwnFailure(code: FailureCode): boolean {
  const { name, pay } = failureKind(code);
  return (
    pay === "fuel" || name === "invalid-module" || name === "import-refused" || name === "export-missing"
  );
}

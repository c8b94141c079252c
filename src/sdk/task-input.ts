import type { Cid } from "../protocol/cid.ts";
import type { OutcomeLeaf, TaskStep } from "../protocol/messages/task.ts";
import type { FinalSegment } from "./task-answers.ts";

/** What one task needs. */
export interface TaskInput {
  readonly bytes: Uint8Array;
  readonly cid: Cid;
  /** 32 bytes; the same wherever the task runs. */
  readonly seed: Uint8Array;
  /** Told each output as soon as it is there. What it throws ends the session, and nothing more is signed for. */
  readonly check?: (output: Uint8Array, outcome: OutcomeLeaf) => void;
  /** Of a stream: told each segment when it is final, in their order, before the task's answer. */
  readonly onSegment?: (segment: FinalSegment) => void;
  /** Of a run: which step it is. Where peers hold the input, `bytes` is empty and `size` its length. */
  readonly step?: TaskStep | undefined;
  readonly size?: number;
}

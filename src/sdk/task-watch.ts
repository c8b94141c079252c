import type { OutcomeLeaf } from "../protocol/messages/task.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { FinalSegment } from "./task-answers.ts";

/**
 * What a job of a model knows about the outputs of its tasks, beyond that they are bytes. Whatever its functions throw ends
 * the session with that provider, and the task is given to another.
 */
export interface TaskWatch {
  /** A task is given to a provider, perhaps not its first. @param input as the job began with it */
  attempt(index: number, input: Uint8Array, provider: PeerId): TaskAttempt;
}

/** One task at one provider. */
export interface TaskAttempt {
  /** What is sent to it: of a stream, what is left of the task. */
  readonly input: Uint8Array;
  /** An output has arrived; it is not signed for yet. @throws FailureError when it cannot be right */
  check(output: Uint8Array, outcome: OutcomeLeaf): void;
  /** A segment of a stream is signed for. @throws FailureError when it cannot follow on those before */
  segment?(segment: FinalSegment): void;
  /** The provider has not finished it. Later segments are not heard. @returns whether it came further */
  leave(): boolean;
}

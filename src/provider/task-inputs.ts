import { PartAssembly, type Whole } from "../mesh/parts.ts";
import { FailureError } from "../protocol/failure.ts";
import type { Task } from "../protocol/messages/task.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import { splitHeader, splitSeq } from "../protocol/work-frame.ts";
import type { HeldLease } from "./held-lease.ts";
import type { ProviderChannel } from "./provider-channel.ts";
import { failureOf } from "./requester-messages.ts";
import type { SessionPorts } from "./session-ports.ts";
import type { TasksInHand } from "./tasks-in-hand.ts";

/** Why a task was not run at all. */
export type NotRun = "not-started" | "over-budget" | "function-unavailable";

export interface TaskInputsOptions {
  readonly channel: ProviderChannel;
  readonly hand: TasksInHand;
  readonly held: HeldLease | undefined;
  readonly runs: SessionPorts["runs"];
  /** A task is in hand whole. */
  readonly onReady: () => void;
  /** A task whose input cannot be had. */
  readonly onFailed: (task: Task, name: NotRun, detail: string) => void;
}

/** Takes the tasks of one lease in, until each is there with its input: along with it, or from the peers that hold it. */
export class TaskInputs {
  readonly #options: TaskInputsOptions;
  readonly #assembly = new PartAssembly<Task>();

  constructor(options: TaskInputsOptions) {
    this.#options = options;
  }

  /** A task frame. @throws FailureError that ends the session */
  begin(payload: Uint8Array): void {
    const { channel, held, runs } = this.#options;
    const [encoded, data] = splitHeader(payload);
    const task = channel.receive(encoded);
    const { inflightMax } = channel.order.lease.body;
    if (channel.unanswered > inflightMax)
      throw new FailureError("window-exceeded", `more than ${inflightMax} tasks unanswered`);
    if (task.step !== undefined && runs === undefined)
      throw new FailureError("unsupported", "this provider takes no part in runs");
    // Views would drag the whole frame along.
    held?.task(encoded.slice());
    if (runs === undefined || task.step === undefined || task.step.from.length === 0) {
      this.#complete(this.#assembly.begin(task.seq, task, task.size, data));
      return;
    }
    if (data.length > 0)
      throw new FailureError(
        "malformed",
        `task ${task.seq}: its input is elsewhere, and comes along as well`,
      );
    void this.#fetch(task, task.step.from, runs);
  }

  /** A frame with more of an input. @throws FailureError that ends the session */
  add(payload: Uint8Array): void {
    this.#complete(this.#assembly.add(...splitSeq(payload)));
  }

  #complete(whole: Whole<Task> | undefined): void {
    if (whole !== undefined) this.#take(whole.header, whole.data.slice());
  }

  #take(task: Task, input: Uint8Array): void {
    const { held, hand, onReady } = this.#options;
    held?.input(task.seq, input);
    hand.ready.push({ task, input });
    onReady();
  }

  async #fetch(task: Task, from: readonly PeerId[], runs: NonNullable<SessionPorts["runs"]>): Promise<void> {
    const { hand, onFailed } = this.#options;
    const signal = hand.begin(task);
    let input: Uint8Array | FailureError;
    try {
      input = await runs.fetchInput({ cid: task.inputCid, size: task.size, from }, signal);
    } catch (error) {
      input = failureOf(error, "function-unavailable", "the input could not be fetched");
    }
    // Given back, or the session is over.
    if (!hand.end(task)) return;
    if (signal.aborted) onFailed(task, "not-started", "cancelled before its input was there");
    else if (input instanceof FailureError) onFailed(task, "function-unavailable", input.detail);
    else this.#take(task, input);
  }
}

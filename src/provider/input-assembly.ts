import { FailureError } from "../protocol/failure.ts";
import type { Task } from "../protocol/messages/task.ts";

interface Part {
  readonly task: Task;
  readonly bytes: Uint8Array;
  filled: number;
}

export interface CompleteInput {
  readonly task: Task;
  readonly input: Uint8Array;
}

/** Puts inputs together that came in several frames. Sizes were bounded when the task header was decoded. */
export class InputAssembly {
  readonly #open = new Map<number, Part>();

  /** Header and first bytes of a task. Answers when that is all of it. @throws FailureError `malformed` on more bytes than announced. */
  begin(task: Task, data: Uint8Array): CompleteInput | undefined {
    if (data.length > task.size)
      throw new FailureError("malformed", `task ${task.seq}: more input than its size`);
    if (data.length === task.size) return { task, input: data };
    const bytes = new Uint8Array(task.size);
    bytes.set(data);
    this.#open.set(task.seq, { task, bytes, filled: data.length });
    return undefined;
  }

  /** More bytes of a task. @throws FailureError `malformed` when it is not open or gets more than announced. */
  add(seq: number, data: Uint8Array): CompleteInput | undefined {
    const part = this.#open.get(seq);
    if (part === undefined)
      throw new FailureError("malformed", `input data for task ${seq}, which expects none`);
    if (part.filled + data.length > part.bytes.length) {
      throw new FailureError("malformed", `task ${seq}: more input than its size`);
    }
    part.bytes.set(data, part.filled);
    part.filled += data.length;
    if (part.filled < part.bytes.length) return undefined;
    this.#open.delete(seq);
    return { task: part.task, input: part.bytes };
  }
}

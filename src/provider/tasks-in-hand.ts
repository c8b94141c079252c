import { type SealedSecret, sealedSecretsSchema } from "../protocol/messages/effect.ts";
import type { Task } from "../protocol/messages/task.ts";
import { decode } from "../protocol/schema.ts";

/** A complete task that waits for the requester's signature or for budget. */
export interface ReadyTask {
  readonly task: Task;
  readonly input: Uint8Array;
}

/** A task handed to the pool. */
interface Running {
  readonly task: Task;
  readonly cancel: AbortController;
}

/** Tasks of one lease that are here whole and have no outcome. */
export class TasksInHand {
  /** In their order. */
  readonly ready: ReadyTask[] = [];
  readonly #running = new Map<number, Running>();
  #runningBytes = 0;
  #secrets: readonly SealedSecret[] = [];

  /** What the requester has sealed to this provider, for all tasks of an effect. */
  get secrets(): readonly SealedSecret[] {
    return this.#secrets;
  }

  /** @throws WireError */
  takeSecrets(payload: Uint8Array): void {
    this.#secrets = decode(sealedSecretsSchema, payload);
  }

  get running(): number {
    return this.#running.size;
  }

  /** Input bytes of those that run. */
  get runningBytes(): number {
    return this.#runningBytes;
  }

  isRunning(seq: number): boolean {
    return this.#running.has(seq);
  }

  /** A task goes to the pool. @returns aborted when it is not wanted any more */
  begin(task: Task): AbortSignal {
    const cancel = new AbortController();
    this.#running.set(task.seq, { task, cancel });
    this.#runningBytes += task.size;
    return cancel.signal;
  }

  /** It is back from the pool. @returns whether its outcome is wanted */
  end({ seq, size }: Task): boolean {
    this.#runningBytes -= size;
    return this.#running.delete(seq);
  }

  /** Ends those that run from there on. */
  cancelFrom(seq: number): void {
    for (const { task, cancel } of this.#running.values()) if (task.seq >= seq) cancel.abort();
  }

  /** Ends one task that runs; or takes one away that waits. Streams are passed over. @returns the one that waited */
  stop(seq: number): Task | undefined {
    const running = this.#running.get(seq);
    if (running?.task.stream === false) running.cancel.abort();
    const place = this.ready.findIndex(({ task }) => task.seq === seq && !task.stream);
    return place < 0 ? undefined : this.ready.splice(place, 1)[0]?.task;
  }

  /** Ends what runs, forgets what waits. @returns all of them, in no order */
  giveBack(): readonly number[] {
    const back = [...this.#running.keys(), ...this.ready.map(({ task }) => task.seq)];
    this.cancelFrom(0);
    this.#running.clear();
    this.ready.length = 0;
    return back;
  }
}

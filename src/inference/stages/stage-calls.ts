import { FailureError } from "../../protocol/failure.ts";
import { failureCode } from "../../protocol/failure-code.ts";
import type { Line } from "./line.ts";
import { readFromStage, type StageAnswer, type StageRequest, type ToStage } from "./messages.ts";

type Done = Exclude<StageAnswer, { readonly kind: "failed" }>;

/** The calls into one stage: this file settles all of them, whatever becomes of the thread. */
export class StageCalls {
  readonly #line: Line;
  readonly #waiting: Map<number, { resolve(answer: Done): void; reject(reason: unknown): void }> = new Map();
  readonly #onLost: (error: FailureError) => void;
  #next = 0;
  #end: unknown;

  /** @param onLost told once at most, when the stage is no more by itself; all its calls have failed then */
  constructor(line: Line, onLost: (error: FailureError) => void) {
    this.#line = line;
    this.#onLost = onLost;
    line.listen(
      (message) => this.#take(message),
      (reason) => this.#lose(reason),
    );
  }

  /** @param transfer buffers that are moved @throws FailureError of the stage, `worker-lost` where it is no more */
  call(request: StageRequest, transfer: readonly ArrayBuffer[] = []): Promise<Done> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    const call = this.#next;
    this.#next += 1;
    const { promise, resolve, reject } = Promise.withResolvers<Done>();
    this.#waiting.set(call, { resolve, reject });
    const message: ToStage = { kind: "call", call, request };
    this.#line.post(message, transfer);
    return promise;
  }

  /** As `call`, for what is answered with values. */
  async values(request: StageRequest, transfer: readonly ArrayBuffer[] = []): Promise<Int32Array> {
    const answer = await this.call(request, transfer);
    if (answer.kind !== "values")
      throw new TypeError(`a stage has answered ${request.kind} with ${answer.kind}`);
    return answer.values;
  }

  /** Ends all calls under way with a reason; the stage stops within 100 ms. */
  drop(reason: unknown): void {
    if (this.#waiting.size === 0 || this.#end !== undefined) return;
    const message: ToStage = { kind: "drop", before: this.#next };
    this.#line.post(message);
    this.#rejectAll(reason);
  }

  /** Ends the stage at once, and all its calls with a reason. */
  close(reason: unknown): void {
    if (this.#end !== undefined) return;
    this.#end = reason;
    this.#line.close();
    this.#rejectAll(reason);
  }

  #take(message: unknown): void {
    if (this.#end !== undefined) return;
    try {
      const { call, answer } = readFromStage(message);
      const waiting = this.#waiting.get(call);
      this.#waiting.delete(call);
      // Those that were dropped may have been answered already.
      if (answer.kind !== "failed") waiting?.resolve(answer);
      else if (answer.code === LOST) this.#lose(answer.detail);
      else waiting?.reject(new FailureError(answer.code, answer.detail));
    } catch (error) {
      this.#lose(error instanceof Error ? error.message : String(error));
    }
  }

  #lose(reason: string): void {
    if (this.#end !== undefined) return;
    const error = new FailureError("worker-lost", `a stage of the model: ${reason}`);
    this.close(error);
    this.#onLost(error);
  }

  #rejectAll(reason: unknown): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const each of waiting) each.reject(reason);
  }
}

const LOST = failureCode("worker-lost");

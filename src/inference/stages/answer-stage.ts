import { failureCode } from "../../protocol/failure-code.ts";
import { FailureError } from "../../protocol/failure.ts";
import { Breaks } from "../breaks.ts";
import { openWasmPart, type WasmPart } from "../wasm/wasm-part.ts";
import type { Line } from "./line.ts";
import { buffersOf, readToStage, type StageAnswer, type StageRequest } from "./messages.ts";

/** Makes this thread a stage of whoever is at the other end of the line. */
export function answerStage(line: Line): void {
  const stage = new Stage(line);
  line.listen(
    (message) => stage.take(message),
    () => line.close(),
  );
}

class Stage {
  readonly #line: Line;
  /** Between two calls the thread listens as within one. */
  readonly #breaks: Breaks = new Breaks(new AbortController().signal);
  #part: WasmPart | undefined;
  #queue: Promise<void> = Promise.resolve();
  /** Calls below it need no answer. */
  #wanted = 0;
  #running: { readonly call: number; readonly controller: AbortController } | undefined;

  constructor(line: Line) {
    this.#line = line;
  }

  take(value: unknown): void {
    const message = readToStage(value);
    if (message.kind === "call") {
      this.#queue = this.#queue.then(() => this.#answer(message.call, message.request));
    } else {
      this.#wanted = message.before;
      if (this.#running !== undefined && this.#running.call < message.before)
        this.#running.controller.abort();
    }
  }

  async #answer(call: number, request: StageRequest): Promise<void> {
    await this.#breaks.take();
    if (call < this.#wanted) return;
    const controller = new AbortController();
    this.#running = { call, controller };
    try {
      const answer = await this.#run(request, controller.signal);
      this.#line.post({ call, answer }, answer.kind === "values" ? buffersOf(answer.values) : []);
    } catch (error) {
      if (!controller.signal.aborted) this.#line.post({ call, answer: failed(error) });
    } finally {
      this.#running = undefined;
    }
  }

  async #run(request: StageRequest, signal: AbortSignal): Promise<StageAnswer> {
    if (request.kind === "open") {
      const { part, build, mostPositions } = request;
      const options = { mostPositions, ...(build === "fastest" ? {} : { build }) };
      this.#part = await openWasmPart(part, options);
      return { kind: "opened", memoryBytes: this.#part.memoryBytes };
    }
    if (this.#part === undefined) throw new TypeError("the stage has no part of a model");
    return { kind: "values", values: await valuesOf(this.#part, request, new Breaks(signal)) };
  }
}

function valuesOf(
  part: WasmPart,
  request: Exclude<StageRequest, { readonly kind: "open" }>,
  breaks: Breaks,
): Promise<Int32Array> {
  switch (request.kind) {
    case "tokens":
      return part.forwardTokens(request.position, request.tokens, breaks);
    case "stream":
      return part.forwardStream(request.position, request.stream, breaks);
    case "logits":
      return part.logits(request.hidden, breaks);
    case "likeliest":
      return part.likeliest(request.hidden, request.guesses, breaks);
    default:
      throw new TypeError(request satisfies never);
  }
}

/** What is no failure is a bug of the stage: nothing that it holds is to be trusted any more. */
function failed(error: unknown): StageAnswer {
  if (error instanceof FailureError) return { kind: "failed", code: error.code, detail: error.detail };
  const detail = error instanceof Error ? error.message : String(error);
  return { kind: "failed", code: failureCode("worker-lost"), detail };
}

import { readFile } from "node:fs/promises";
import { Worker } from "node:worker_threads";
import { failureCode } from "../../../protocol/failure-code.ts";
import { decodeModelData, generateSegmentSchema } from "../../../protocol/messages/model-task.ts";
import { isModelReply, type ModelCall, type ModelReply } from "../../../relay/audits/model-call.ts";
import type { Callee, StepLimits } from "../../../plan/plan.ts";
import type { Computed } from "./compute-here.ts";

/** More tokens than any model has positions: a text is made in one piece. */
const WHOLE = 2 ** 30;

const ENTRY = new URL("../../../relay/audits/model-main.ts", import.meta.url);

/** Models of a run on this machine: one thread, which holds one model and runs one step at a time. */
export class LocalModels {
  readonly #paths: ReadonlyMap<string, string>;
  #thread: Worker | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** @param paths of model files by the CID of their manifest */
  constructor(paths: ReadonlyMap<string, string>) {
    this.#paths = paths;
  }

  run(callee: Callee, input: Uint8Array, limits: StepLimits, signal: AbortSignal): Promise<Computed> {
    const turn = this.#last.then(() => this.#run(callee, input, limits, signal));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async stop(): Promise<void> {
    const thread = this.#thread;
    this.#thread = undefined;
    await thread?.terminate();
  }

  async #run(
    { cid, entry }: Callee,
    input: Uint8Array,
    limits: StepLimits,
    signal: AbortSignal,
  ): Promise<Computed> {
    signal.throwIfAborted();
    const isText = entry === "generate";
    const call: ModelCall = {
      cid,
      entry,
      input,
      fuelLimit: limits.fuel,
      outputBytes: limits.output,
      from: 0,
      to: isText ? WHOLE : 0,
    };
    let reply = await this.#ask(call, signal);
    if (reply.kind === "file-wanted") {
      const path = this.#paths.get(cid);
      if (path === undefined) return lost("function-unavailable", `the model ${cid} is not on this machine`);
      const file = Uint8Array.from(await readFile(path)).buffer;
      reply = await this.#ask({ ...call, file }, signal, [file]);
    }
    if (reply.kind === "file-wanted") return lost("worker-lost", "the model was given and is not open");
    if (reply.kind === "failed")
      return { kind: "failed", code: reply.code, detail: reply.detail, fuel: reply.fuel };
    // The value of a text is the text, as a provider's is.
    const output = isText
      ? new TextEncoder().encode(decodeModelData(generateSegmentSchema, reply.output).text)
      : reply.output;
    return { kind: "done", output, fuel: reply.fuel };
  }

  async #ask(
    call: ModelCall,
    signal: AbortSignal,
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<ModelReply> {
    const thread = (this.#thread ??= new Worker(ENTRY, { env: {}, argv: [] }));
    const { promise, resolve, reject } = Promise.withResolvers<ModelReply>();
    const onMessage = (reply: unknown): void => {
      if (isModelReply(reply)) resolve(reply);
    };
    const onAbort = (): void => {
      // It computes without a pause: ending the thread is what stops it.
      void this.stop();
      reject(signal.reason);
    };
    thread.on("message", onMessage).once("error", reject);
    signal.addEventListener("abort", onAbort, { once: true });
    thread.postMessage(call, transfer);
    try {
      return await promise;
    } finally {
      thread.off("message", onMessage).off("error", reject);
      signal.removeEventListener("abort", onAbort);
    }
  }
}

function lost(name: "function-unavailable" | "worker-lost", detail: string): Computed {
  return { kind: "failed", code: failureCode(name), detail, fuel: 0n };
}

import { Worker } from "node:worker_threads";
import { cidFromDigest, RAW } from "../../protocol/cid.ts";
import { failureCode, failureKind } from "../../protocol/failure-code.ts";
import { isStreamed } from "../../protocol/messages/job.ts";
import { fuel } from "../../protocol/units.ts";
import { OneAtATime } from "../jobs/one-at-a-time.ts";
import { OPEN_MODEL_MS } from "./limits.ts";
import { isModelReply, type ModelCall, type ModelReply } from "./model-call.ts";
import {
  expectedLeaf,
  isOwnFailure,
  type Part,
  type Recomputation,
  type Recomputed,
  type Recomputer,
} from "./recompute.ts";
import type { WorkContent } from "./work-content.ts";

const ENTRY = new URL("model-main.ts", import.meta.url);

/** Failures of a task of a model that are the same on every machine, besides those that are of functions too. */
const OWN_CODES: ReadonlySet<number> = new Set((["malformed", "too-large"] as const).map(failureCode));

/** Computes tasks of models again, in a thread of its own that holds one model and runs one task at a time. */
export class ModelRecomputer implements Recomputer {
  readonly lanes = 1;
  readonly #content: WorkContent;
  readonly #turns = new OneAtATime<"model">();
  #thread: Worker | undefined;
  #stopped = false;

  constructor(content: WorkContent) {
    this.#content = content;
  }

  recompute(recomputation: Recomputation): Promise<Recomputed> {
    return this.#turns.run("model", () => this.#recompute(recomputation));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#drop();
  }

  async #recompute(recomputation: Recomputation): Promise<Recomputed> {
    const { job, task, input, claimed, deadlineMs } = recomputation;
    const call: ModelCall = {
      cid: job.work.cid,
      entry: job.work.entry,
      input,
      fuelLimit: task.fuelLimit,
      outputBytes: job.limits.output,
      from: claimed.from,
      to: claimed.to,
    };
    let reply = await this.#ask(call, deadlineMs);
    if (reply.kind === "file-wanted") {
      const { file, memory } = await this.#content.model(job.work.cid);
      reply = await this.#ask({ ...call, file, memoryBytes: memory }, OPEN_MODEL_MS + deadlineMs, [file]);
    }
    return concluded(recomputation, reply);
  }

  /** @returns `worker-lost` for a thread that dies or takes longer than it may */
  async #ask(call: ModelCall, withinMs: number, transfer: readonly ArrayBuffer[] = []): Promise<ModelReply> {
    if (this.#stopped) return lost("the audits are stopped");
    const thread = (this.#thread ??= new Worker(ENTRY, { env: {}, argv: [] }));
    const { promise, resolve } = Promise.withResolvers<ModelReply>();
    const timer = setTimeout(() => resolve(lost(`no answer within ${withinMs} ms`)), withinMs);
    const onMessage = (reply: unknown): void => {
      if (isModelReply(reply)) resolve(reply);
    };
    const onError = (error: unknown): void => resolve(lost(String(error)));
    const onExit = (code: number): void => resolve(lost(`its thread ended with exit code ${code}`));
    thread.on("message", onMessage).once("error", onError).once("exit", onExit);
    thread.postMessage(call, transfer);
    const reply = await promise;
    clearTimeout(timer);
    thread.off("message", onMessage).off("error", onError).off("exit", onExit);
    if (reply.kind === "failed" && reply.code === WORKER_LOST) await this.#drop();
    return reply;
  }

  async #drop(): Promise<void> {
    const thread = this.#thread;
    this.#thread = undefined;
    await thread?.terminate();
  }
}

const WORKER_LOST = failureCode("worker-lost");

function lost(detail: string): ModelReply {
  return { kind: "failed", code: WORKER_LOST, detail, fuel: 0n, from: 0, isOpening: true };
}

function concluded(recomputation: Recomputation, reply: ModelReply): Recomputed {
  const { job, claimed } = recomputation;
  if (reply.kind === "file-wanted") return { kind: "unknown", why: "the model was sent and is not open" };
  const { from } = reply;
  // The first part of a stream begins at 0, and no other one does.
  const segment = isStreamed(job.work) && from > 0 ? Math.max(claimed.segment, 1) : 0;
  if (reply.kind === "part") {
    const { to, output, outputSha256, stateHash, end } = reply;
    const outputCid = cidFromDigest(RAW, outputSha256);
    const ended = { kind: "done", outputCid, size: output.byteLength, fuel: fuel(reply.fuel) } as const;
    const part: Part = { segment, from, to, stateHash, end };
    return { kind: "known", expected: expectedLeaf(recomputation, ended, part), output };
  }
  const { code, detail, isOpening } = reply;
  if (isOpening || !(isOwnFailure(code) || OWN_CODES.has(code)))
    return { kind: "unknown", why: `${failureKind(code).name}: ${detail}` };
  const ended = { kind: "failed", code, fuel: fuel(reply.fuel) } as const;
  return {
    kind: "known",
    expected: expectedLeaf(recomputation, ended, { segment, from, to: from, end: true }),
  };
}

/** The page on which the command line lets one model compute: a script of its own in the build, which no other page loads. */
import { FailureError } from "../../protocol/failure.ts";
import { type GpuRefusal, openGpu } from "../webgpu/open-gpu.ts";
import { countBuffers } from "./buffer-count.ts";
import { type LocalModel, localModel } from "./local-model.ts";
import { openModelFile } from "./open-model.ts";
import type { PageAnswer, PageCall, PageJob, PageModel } from "./page-calls.ts";

declare global {
  interface Performance {
    /** In Chromium alone. */
    readonly memory?: { readonly usedJSHeapSize: number };
  }
}

/** Of the command line: is told pieces of text. */
declare function tellText(piece: string): Promise<void>;

let model: LocalModel | undefined;

class RefusedError extends Error {
  static override readonly name = "RefusedError";
  readonly reason: GpuRefusal;

  constructor(reason: GpuRefusal, detail: string) {
    super(detail);
    this.reason = reason;
  }
}

/** @throws RefusedError; FailureError `malformed`, `no-memory`, `gpu-lost` */
async function open(url: string): Promise<PageModel> {
  const begun = performance.now();
  const response = await fetch(url);
  if (!response.ok) throw new Error(`the model file is not there: ${response.status}`);
  const file = new Uint8Array(await response.arrayBuffer());
  // Not in every browser, and not in every kind of page.
  const api: GPU | undefined = navigator.gpu;
  const gpuBytes = api === undefined ? () => 0 : countBuffers();
  const found = await openGpu();
  if (found.kind === "refused") throw new RefusedError(found.reason, found.detail);
  const { backend, about } = found.gpu;
  const ready = await openModelFile(file, backend, sha256);
  model = localModel(ready, () => ({
    wasmBytes: 0,
    gpuBytes: gpuBytes(),
    heapBytes: performance.memory?.usedJSHeapSize ?? 0,
  }));
  return { kind: model.kind, cid: model.cid, adapter: about, loadMs: performance.now() - begun };
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

function opened(): LocalModel {
  if (model === undefined) throw new Error("no model is open");
  return model;
}

/** The text is told without waiting for whoever reads it, so that the times are those of the model. */
async function write({ sampling, ...job }: PageJob): Promise<unknown> {
  const telling: Promise<void>[] = [];
  const seed = Uint8Array.from(sampling.seed);
  const written = await opened().write({ ...job, sampling: { ...sampling, seed } }, (piece) => {
    if (piece !== "") telling.push(tellText(piece));
  });
  await Promise.all(telling);
  return written;
}

function answer(call: PageCall): Promise<unknown> {
  switch (call.call) {
    case "open":
      return open(call.url);
    case "write":
      return write(call.job);
    case "encode":
      return opened().encode(call.text);
    case "verify":
      return opened().verify(call.transcript);
    default:
      throw new RangeError(String(call satisfies never));
  }
}

async function answerCall(call: PageCall): Promise<PageAnswer<unknown>> {
  try {
    const value = await answer(call);
    const { memoryBytes, peak } = opened();
    return { kind: "done", value, state: { memoryBytes, peak } };
  } catch (error) {
    return answerOf(error);
  }
}

function answerOf(error: unknown): PageAnswer<never> {
  if (error instanceof RefusedError) return { kind: "refused", reason: error.reason, detail: error.message };
  if (!(error instanceof FailureError))
    return { kind: "error", message: error instanceof Error ? error.message : String(error) };
  const { code, detail, cause } = error;
  // A kernel that only some models need is asked when the first of them is opened.
  if (cause instanceof Error && cause.name === "WrongAnswerError")
    return { kind: "refused", reason: "wrong-answer", detail };
  return { kind: "failed", code, detail };
}

Object.assign(globalThis, { answerCall });

import type { GpuAbout, LocalMemory, LocalModel, Workers } from "../../relay/models/open-model.ts";
import { usageError } from "../plain-error.ts";
import { writeAll } from "../write-all.ts";

/** What computes on this machine; all give the same bits. */
export type LocalBackend = "wasm" | "webgpu" | "reference";

/** A model that is open, and what it took. */
export interface OpenedLocally {
  readonly model: LocalModel;
  /** Milliseconds from the file to the model that is ready; those of a browser's start are not in them. */
  readonly loadMs: number;
  /** What computes, as a person calls it. */
  readonly computedBy: string;
  /** Of WebGPU. */
  readonly browser?: { readonly adapter: GpuAbout; readonly ms: number };
}

export interface OpenOptions {
  readonly backend: LocalBackend;
  /** Threads, for a text model on `wasm`. */
  readonly workers: Workers;
  readonly signal?: AbortSignal;
}

/** Threads that a person asked for, or those of the command. @throws PlainError where the backend has none */
export function chosenWorkers(
  { backend, workers }: { readonly backend: LocalBackend; readonly workers?: number },
  otherwise: Workers,
): Workers {
  if (workers !== undefined && backend !== "wasm")
    throw usageError("--workers is for --backend wasm.", `${backend} computes in its own way.`);
  return workers ?? otherwise;
}

/** @throws PlainError and FailureError; the signal's reason */
export async function openOn(
  path: string,
  { backend, workers, signal }: OpenOptions,
): Promise<OpenedLocally> {
  if (backend === "webgpu") {
    const { adapterText, openInBrowser } = await import("./browser-model.ts");
    const model = await openInBrowser(path, { tell, ...(signal === undefined ? {} : { signal }) });
    const { adapter, loadMs, browserMs } = model;
    const computedBy = `webgpu on ${adapterText(adapter)}`;
    return { model, loadMs, computedBy, browser: { adapter, ms: browserMs } };
  }
  const { openLocally } = await import("../../relay/models/open-model.ts");
  const begun = performance.now();
  const model = await openLocally(path, backend, workers);
  return { model, loadMs: performance.now() - begun, computedBy: backend };
}

function tell(text: string): void {
  void writeAll(process.stderr, `${text}\n`);
}

/** Memory as JSON has it, whatever computed. */
export function memoryTold({ model, browser }: OpenedLocally): Readonly<Record<string, unknown>> {
  const { peak, memoryBytes } = model;
  return {
    memoryBytes,
    peakMemory: { ...peak, bytes: peakBytes(peak) },
    // Of this process, which computes nothing where a browser does.
    ...(browser === undefined ? { peakResidentBytes: process.resourceUsage().maxRSS * 1024 } : {}),
  };
}

/** The adapter as JSON has it, where there is one. */
export function adapterTold({ browser }: OpenedLocally): { readonly adapter?: GpuAbout } {
  return browser === undefined ? {} : { adapter: browser.adapter };
}

export function peakBytes({ wasmBytes, gpuBytes, heapBytes }: LocalMemory): number {
  return wasmBytes + gpuBytes + heapBytes;
}

/** Milliseconds to a tenth. */
export function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}

/** Milliseconds of the start as JSON has them. */
export function startTold({ loadMs, browser }: OpenedLocally): {
  readonly load: number;
  readonly browser?: number;
} {
  return { load: tenths(loadMs), ...(browser === undefined ? {} : { browser: tenths(browser.ms) }) };
}

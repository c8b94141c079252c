import type { FailureCode } from "../../protocol/failure-code.ts";
import type { GpuAbout, GpuRefusal } from "../webgpu/open-gpu.ts";
import type { LocalMemory, LocalModel, TextJob } from "./local-model.ts";

/** What is asked of the page on which one model computes on WebGPU (model-page.ts). All of it is JSON. */
export type PageCall =
  /** The first call, and only once. */
  | { readonly call: "open"; readonly url: string }
  | { readonly call: "write"; readonly job: PageJob }
  | { readonly call: "encode"; readonly text: string }
  | { readonly call: "verify"; readonly transcript: unknown };

export type PageJob = Omit<TextJob, "sampling" | "signal"> & {
  readonly sampling: Omit<TextJob["sampling"], "seed"> & { readonly seed: readonly number[] };
};

export interface PageModel {
  readonly kind: LocalModel["kind"];
  /** Of its manifest. */
  readonly cid: string;
  readonly adapter: GpuAbout;
  /** From the request for the file until the model is ready. */
  readonly loadMs: number;
}

export interface PageState {
  readonly memoryBytes: number;
  readonly peak: LocalMemory;
}

export type PageAnswer<T> =
  | { readonly kind: "done"; readonly value: T; readonly state: PageState }
  /** There is no WebGPU here that may compute. */
  | { readonly kind: "refused"; readonly reason: GpuRefusal; readonly detail: string }
  | { readonly kind: "failed"; readonly code: FailureCode; readonly detail: string }
  /** What is no failure that has a code: a prompt that is too long, or a mistake of ours. */
  | { readonly kind: "error"; readonly message: string };

import type { FailureCode } from "../../protocol/failure-code.ts";

/** What crosses the line between the relay and the thread that computes models again. Plain values. */

export interface ModelCall {
  /** Of the model's manifest. */
  readonly cid: string;
  /** All of the model's file; absent where the thread is thought to hold it. Transferred. */
  readonly file?: ArrayBuffer;
  /** What the manifest says that it needs, bytes. */
  readonly memoryBytes?: number;
  readonly entry: string;
  readonly input: Uint8Array;
  readonly fuelLimit: bigint;
  readonly outputBytes: number;
  /** Units [from, to) of the stream are asked for; 0 and 0 of what is none. */
  readonly from: number;
  readonly to: number;
}

export type ModelReply =
  /** Another model is open: send the file along. */
  | { readonly kind: "file-wanted" }
  | {
      readonly kind: "part";
      readonly from: number;
      readonly to: number;
      readonly end: boolean;
      readonly output: Uint8Array;
      readonly outputSha256: Uint8Array;
      readonly fuel: bigint;
      readonly stateHash: Uint8Array;
    }
  | {
      readonly kind: "failed";
      readonly code: FailureCode;
      readonly detail: string;
      readonly fuel: bigint;
      /** Units told before. */
      readonly from: number;
      /** WebAssembly engine or model: it failed when the model was opened, not in the task. */
      readonly isOpening: boolean;
    };

export function isModelCall(value: unknown): value is ModelCall {
  return typeof value === "object" && value !== null && "cid" in value && "fuelLimit" in value;
}

export function isModelReply(value: unknown): value is ModelReply {
  return typeof value === "object" && value !== null && "kind" in value;
}

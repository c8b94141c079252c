/* What a thread that has a stage is sent, and what it answers. Both ends take what arrives for unknown until it is read here. */
import { type FailureCode, isFailureCode } from "../../protocol/failure-code.ts";
import type { LlamaPart } from "../model/llama-part.ts";
import type { KernelBuild } from "../wasm/kernels.ts";
import { isCount, isObject, isPart } from "./part-message.ts";

/** What a stage can be asked. It answers in order. */
export type StageRequest =
  | {
      readonly kind: "open";
      readonly part: LlamaPart;
      readonly build: KernelBuild | "fastest";
      /** See WasmOptions; the model's context at most. */
      readonly mostPositions: number;
    }
  /** For the first stage. */
  | { readonly kind: "tokens"; readonly position: number; readonly tokens: Int32Array }
  /** For all others: the residual stream behind the stage before, i32[rows, width]. */
  | { readonly kind: "stream"; readonly position: number; readonly stream: Int32Array }
  /** For the last stage, as the two below. */
  | { readonly kind: "logits"; readonly hidden: Int32Array }
  | { readonly kind: "likeliest"; readonly hidden: Int32Array; readonly guesses: Int32Array };

/** A request with its number, which grows; or: those below `before` need no answer any more. */
export type ToStage =
  | { readonly kind: "call"; readonly call: number; readonly request: StageRequest }
  | { readonly kind: "drop"; readonly before: number };

export type StageAnswer =
  | { readonly kind: "opened"; readonly memoryBytes: number }
  /** The residual stream, scores or tokens. */
  | { readonly kind: "values"; readonly values: Int32Array }
  | { readonly kind: "failed"; readonly code: FailureCode; readonly detail: string };

export interface FromStage {
  readonly call: number;
  readonly answer: StageAnswer;
}

/** What is moved with values rather than copied: they are nobody's afterwards who sends them. */
export function buffersOf({ buffer }: Int32Array): readonly ArrayBuffer[] {
  return buffer instanceof ArrayBuffer ? [buffer] : [];
}

type AllFields<T> = T extends unknown ? keyof T : never;
type Fields<T> = { readonly [K in AllFields<T>]?: unknown };

function isRequest(value: unknown): value is StageRequest {
  if (!isObject(value)) return false;
  const {
    kind,
    part,
    build,
    mostPositions,
    position,
    tokens,
    stream,
    hidden,
    guesses,
  }: Fields<StageRequest> = value;
  switch (kind) {
    case "open":
      return (
        isPart(part) &&
        isCount(mostPositions) &&
        (build === "baseline" || build === "relaxed" || build === "fastest")
      );
    case "tokens":
      return isCount(position) && tokens instanceof Int32Array;
    case "stream":
      return isCount(position) && stream instanceof Int32Array;
    case "logits":
      return hidden instanceof Int32Array;
    case "likeliest":
      return hidden instanceof Int32Array && guesses instanceof Int32Array;
    default:
      return false;
  }
}

function isToStage(value: unknown): value is ToStage {
  if (!isObject(value)) return false;
  const { kind, call, request, before }: Fields<ToStage> = value;
  return kind === "drop" ? isCount(before) : kind === "call" && isCount(call) && isRequest(request);
}

function isAnswer(value: unknown): value is StageAnswer {
  if (!isObject(value)) return false;
  const { kind, memoryBytes, values, code, detail }: Fields<StageAnswer> = value;
  switch (kind) {
    case "opened":
      return isCount(memoryBytes);
    case "values":
      return values instanceof Int32Array;
    case "failed":
      return isCount(code) && isFailureCode(code) && typeof detail === "string";
    default:
      return false;
  }
}

function isFromStage(value: unknown): value is FromStage {
  if (!isObject(value)) return false;
  const { call, answer }: Fields<FromStage> = value;
  return isCount(call) && isAnswer(answer);
}

/** @throws TypeError for what is no such message: a bug at the other end */
export function readToStage(value: unknown): ToStage {
  if (!isToStage(value)) throw new TypeError("a stage was sent what is no request");
  return value;
}

/** @throws TypeError for what is no such message: a bug at the other end */
export function readFromStage(value: unknown): FromStage {
  if (!isFromStage(value)) throw new TypeError("a stage has sent what is no answer");
  return value;
}

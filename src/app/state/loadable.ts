import type { Failure } from "../../protocol/failure.ts";
import { FailureError } from "../../protocol/failure.ts";

/** Something that comes from elsewhere: on its way, here, or not to be had. */
export type Loadable<T> =
  | { readonly kind: "loading" }
  | { readonly kind: "ready"; readonly value: T }
  | { readonly kind: "failed"; readonly failure: Failure };

export const LOADING: { readonly kind: "loading" } = { kind: "loading" };

export function ready<T>(value: T): Loadable<T> {
  return { kind: "ready", value };
}

/** An expected failure as it is; a chunk or request that never arrived is a lost connection. A bug passes through. */
export function failed(error: unknown): { readonly kind: "failed"; readonly failure: Failure } {
  if (error instanceof FailureError) return { kind: "failed", failure: error.toFailure() };
  if (error instanceof TypeError) {
    return { kind: "failed", failure: new FailureError("disconnected", error.message).toFailure() };
  }
  throw error;
}

export function valueOf<T>(loadable: Loadable<T>): T | undefined {
  return loadable.kind === "ready" ? loadable.value : undefined;
}

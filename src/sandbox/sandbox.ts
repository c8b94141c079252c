import { failureCode } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import { type Compiled, compileAny, isCompiledComponent } from "./compile-any.ts";
import { FunctionStore } from "./function-store.ts";
import { MAX_HELD_BYTES, PAGE_BYTES } from "./limits.ts";
import { checkImports, runTask } from "./run-task.ts";
import type { LoadResult, Sandbox } from "./task.ts";

const NO_BYTES = new Uint8Array(0);
const UNAVAILABLE = failureCode("function-unavailable");

/** A sandbox in this thread. It ends with the thread; a deadline is kept by whoever can end that. */
export function createSandbox(): Sandbox {
  const store = new FunctionStore(MAX_HELD_BYTES);
  return {
    load: (cid, bytes) => load(store, cid, bytes),
    async run(request) {
      const compiled = store.get(request.function.cid);
      if (compiled !== undefined) return runTask(compiled, request);
      const detail = `${request.function.cid} is not loaded`;
      return { kind: "failed", code: UNAVAILABLE, detail, fuel: 0n, stderr: NO_BYTES };
    },
    async forget(cid) {
      store.delete(cid);
    },
  };
}

async function load(store: FunctionStore, cid: string, bytes: Uint8Array): Promise<LoadResult> {
  try {
    const compiled = store.get(cid) ?? (await compileChecked(bytes));
    store.set(cid, compiled);
    const minimumMemoryBytes = compiled.minimumPages * PAGE_BYTES;
    return { kind: "loaded", meteredBytes: compiled.meteredBytes, minimumMemoryBytes };
  } catch (error) {
    if (error instanceof FailureError) return { kind: "failed", ...error.toFailure() };
    throw error;
  }
}

async function compileChecked(bytes: Uint8Array): Promise<Compiled> {
  const compiled = await compileAny(new Uint8Array(bytes));
  // Those of a component are looked at while it is linked.
  if (!isCompiledComponent(compiled)) checkImports(compiled, ["wasi-p1", "bytes-1"]);
  return compiled;
}

import { failureCode, type FailureCode, failureKind } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import { BYTES_IMPORTS, runBytes } from "./abi/bytes-1.ts";
import { runWasi, WASI_IMPORTS } from "./abi/wasi-p1.ts";
import { type Compiled, isCompiledComponent, preciseFormOf } from "./compile-any.ts";
import type { CompiledFunction } from "./compile-function.ts";
import { runComponent } from "./component/run-component.ts";
import { hashBytes } from "./hash.ts";
import { failed, refused, type RunOutcome } from "./outcome.ts";
import type { CoreAbi, TaskRequest, TaskResult } from "./task.ts";

const IMPORTS: Readonly<Record<CoreAbi, ReadonlyMap<string, string>>> = {
  "wasi-p1": WASI_IMPORTS,
  "bytes-1": BYTES_IMPORTS,
};

/**
 * Refuses a function that imports what is on none of the lists given: deny by default, before anything of it runs.
 * @throws FailureError `import-refused` naming the import
 */
export function checkImports(compiled: CompiledFunction, abis: readonly CoreAbi[]): void {
  for (const { module, name, signature } of compiled.imports) {
    const allowed = abis
      .map((abi) => IMPORTS[abi].get(`${module}.${name}`))
      .filter((type) => type !== undefined);
    if (allowed.length === 0) throw new FailureError("import-refused", `${module}.${name}`);
    if (!allowed.includes(signature))
      throw new FailureError(
        "import-refused",
        `${module}.${name} has the type ${signature}, not ${allowed.join(" or ")}`,
      );
  }
}

/**
 * Runs one task in a fresh instance. Whatever the function does, the result says so as data; only a bug of the
 * sandbox rejects. Uses nothing that only browsers have.
 */
export async function runTask(compiled: Compiled, request: TaskRequest): Promise<TaskResult> {
  const hashing = hashBytes(owned(request.input));
  const outcome = await runExactly(compiled, request);
  const inputSha256 = await hashing;
  const { fuel, stderr, memoryBytes } = outcome;
  const totals = {
    fuel,
    stderr,
    inputSha256,
    ...(memoryBytes === undefined ? {} : { peakMemoryBytes: memoryBytes }),
  };
  if (outcome.kind === "failed") {
    const { code, detail, stack } = outcome.failure;
    return { kind: "failed", code, detail, ...(stack === undefined ? {} : { stack }), ...totals };
  }
  const outputSha256 = await hashBytes(owned(outcome.output));
  return { kind: "done", output: outcome.output, ...totals, outputSha256 };
}

/**
 * A trap loses the fuel that the fast form held in locals. Then the task runs once more in the precise form, from the
 * start and with the same limits, and what that says is the answer: the same function on the same input ends the same.
 */
async function runExactly(compiled: Compiled, request: TaskRequest): Promise<RunOutcome> {
  const first = runGuarded(compiled, request);
  if (first.kind === "done" || first.failure.inexact !== true) return first;
  const second = runGuarded(await preciseFormOf(compiled), request);
  if (second.kind === "failed" && mayFollow(first.failure.code, second.failure.code)) return second;
  const detail = `a trap (${first.failure.detail}) did not happen again in the precise form`;
  return failed({ code: WORKER_LOST, detail }, 0n, second.stderr);
}

/** What a trap of the fast form can turn out to be: itself, a machine's failure, or what the fast form cannot see. */
function mayFollow(fast: FailureCode, precise: FailureCode): boolean {
  return fast === precise || failureKind(precise).fault === "nobody" || SEEN_BY_PRECISE.has(precise);
}

/** Fuel may have run out in a local, and only the precise form shows the end of the stack; the others share their messages with other traps in some engine. */
const SEEN_BY_PRECISE: ReadonlySet<FailureCode> = new Set([
  failureCode("out-of-fuel"),
  failureCode("stack-overflow"),
  failureCode("trap-integer-overflow"),
  failureCode("trap-table-bounds"),
  failureCode("trap-indirect-call"),
]);
const WORKER_LOST = failureCode("worker-lost");

function runGuarded(compiled: Compiled, request: TaskRequest): RunOutcome {
  try {
    const { abi } = request.function;
    if (isCompiledComponent(compiled) !== (abi === "component-1"))
      throw new FailureError("invalid-module", `the interface ${abi} is not for ${kindOf(compiled)}`);
    if (isCompiledComponent(compiled)) return runComponent(compiled, request);
    checkImports(compiled, abi === "component-1" ? [] : [abi]);
    return abi === "bytes-1" ? runBytes(compiled, request) : runWasi(compiled, request);
  } catch (error) {
    if (error instanceof FailureError) return refused(error.toFailure());
    throw error;
  }
}

function kindOf(compiled: Compiled): string {
  return isCompiledComponent(compiled) ? "components" : "core modules";
}

/** Bytes on a plain buffer: shared memory never enters the sandbox, a copy of it may. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return isOnPlainBuffer(bytes) ? bytes : new Uint8Array(bytes);
}

function isOnPlainBuffer(bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer;
}

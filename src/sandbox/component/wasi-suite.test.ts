import { readFileSync } from "node:fs";
import { componentNew, preview1AdapterCommandPath } from "@bytecodealliance/jco";
import { describe, expect, it } from "vitest";
import { createSandbox } from "../sandbox.ts";
import type { TaskResult } from "../task.ts";
import {
  HAS_WASI_SUITE,
  wasiArgs,
  type WasiExpectation,
  wasiExpectation,
  wasiPrograms,
} from "../wasi-programs.contract.ts";
import { NO_ARGS, requestFor, text } from "../wat.contract.ts";

const ASSERTS = "an assertion of the program's own runtime fails behind the adapter";

/** Programs of preview 1, each made a component by the adapter, that cannot pass behind the adapter, with the reason. */
const KNOWN_FAILURES: ReadonlyMap<string, string> = new Map([
  ["assemblyscript/args_get-multiple-arguments.wasm", `${ASSERTS}; so in jco`],
  ["assemblyscript/environ_get-multiple-variables.wasm", ASSERTS],
  ["assemblyscript/fd_write-to-invalid-fd.wasm", "the adapter answers with another error number; so in jco"],
]);

async function run(program: URL, wanted: WasiExpectation): Promise<TaskResult> {
  const adapter = readFileSync(preview1AdapterCommandPath());
  const component = await componentNew(readFileSync(program), [["wasi_snapshot_preview1", adapter]]);
  const sandbox = createSandbox();
  expect(await sandbox.load("f", new Uint8Array(component))).toMatchObject({ kind: "loaded" });
  const args = { ...NO_ARGS, ...wasiArgs(program, wanted) };
  return sandbox.run({
    ...requestFor("wasi-p1", { args }),
    function: { cid: "f", abi: "component-1", entry: "" },
  });
}

const programs = wasiPrograms();

if (!HAS_WASI_SUITE)
  console.log("WASI suite as components skipped: ../shared/conformance/wasi-p1 is missing");
else
  console.log(
    `WASI suite as components: ${programs.length} programs, known failures: ${KNOWN_FAILURES.size}`,
  );

describe.skipIf(!HAS_WASI_SUITE)("the WASI preview 1 suite behind the adapter to preview 2", () => {
  it.each(programs)("%s", async (name, program) => {
    const wanted = wasiExpectation(program);
    const result = await run(program, wanted);
    const ended = result.kind === "done" ? "exit code 0" : result.detail;
    // The adapter tells success from failure, not one failure from another.
    const passed = ended === ((wanted.exit_code ?? 0) === 0 ? "exit code 0" : "exit code 1");
    expect(passed, `${ended} ${text(result.stderr)}`).toBe(!KNOWN_FAILURES.has(name));
    if (passed && result.kind === "done" && wanted.stdout !== undefined)
      expect(text(result.output)).toBe(wanted.stdout);
  });
});

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { failureKind } from "../protocol/failure-code.ts";
import { createSandbox } from "./sandbox.ts";
import type { TaskResult } from "./task.ts";
import {
  HAS_WASI_SUITE,
  wasiArgs,
  type WasiExpectation,
  wasiExpectation,
  wasiPrograms,
} from "./wasi-programs.contract.ts";
import { requestFor, text } from "./wat.contract.ts";

/** Programs that cannot pass here, with the reason. */
const KNOWN_FAILURES: ReadonlyMap<string, string> = new Map();

async function run(program: URL, wanted: WasiExpectation): Promise<TaskResult> {
  const sandbox = createSandbox();
  await sandbox.load("f", new Uint8Array(readFileSync(program)));
  const args = wasiArgs(program, wanted);
  return sandbox.run(requestFor("wasi-p1", { args }));
}

const programs = wasiPrograms();

if (!HAS_WASI_SUITE) console.log("WASI suite skipped: ../shared/conformance/wasi-p1 is missing");
else console.log(`WASI suite: ${programs.length} programs, known failures: ${KNOWN_FAILURES.size}`);

describe.skipIf(!HAS_WASI_SUITE)("the WASI preview 1 suite", () => {
  it.each(programs)("%s", async (name, program) => {
    const wanted = wasiExpectation(program);
    const result = await run(program, wanted);
    const ended =
      result.kind === "done" ? "exit code 0" : `${failureKind(result.code).name}: ${result.detail}`;
    const expected =
      (wanted.exit_code ?? 0) === 0 ? "exit code 0" : `exit-code: exit code ${wanted.exit_code}`;
    const passed = ended === expected;
    expect(passed, `${ended} ${text(result.stderr)}`).toBe(!KNOWN_FAILURES.has(name));
    if (passed && result.kind === "done" && wanted.stdout !== undefined)
      expect(text(result.output)).toBe(wanted.stdout);
  });
});

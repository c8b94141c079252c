import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { failureKind } from "../protocol/failure-code.ts";
import { createSandbox } from "./sandbox.ts";
import type { TaskArgs, TaskFile, TaskResult } from "./task.ts";
import { requestFor, text } from "./wat.contract.ts";

/** Programs of the WASI test suite with what they expect, in the folder beside the repository. */
const SUITE = new URL("../../../shared/conformance/wasi-p1/", import.meta.url);
const present = existsSync(SUITE);

interface Expectation {
  readonly args?: readonly string[];
  readonly env?: Record<string, string>;
  readonly root?: string;
  readonly exit_code?: number;
  readonly stdout?: string;
}

/** Programs that cannot pass here, with the reason. */
const KNOWN_FAILURES: ReadonlyMap<string, string> = new Map();

function filesOf(folder: URL, path = ""): readonly TaskFile[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const below = new URL(`${entry.name}${entry.isDirectory() ? "/" : ""}`, folder);
    if (entry.isDirectory()) return filesOf(below, `${path}${entry.name}/`);
    return [{ path: `${path}${entry.name}`, bytes: new Uint8Array(readFileSync(below)) }];
  });
}

function expectationOf(program: URL): Expectation {
  const file = new URL(program.href.replace(/\.wasm$/, ".json"));
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
}

async function run(program: URL, wanted: Expectation): Promise<TaskResult> {
  const sandbox = createSandbox();
  await sandbox.load("f", new Uint8Array(readFileSync(program)));
  const args: TaskArgs = {
    args: wanted.args ?? [],
    env: wanted.env ?? {},
    files: wanted.root === undefined ? [] : filesOf(new URL(`${wanted.root}/`, program)),
  };
  return sandbox.run(requestFor("wasi-p1", { args }));
}

function programs(): readonly (readonly [string, URL])[] {
  if (!present) return [];
  return ["assemblyscript/", "c/"].flatMap((folder) =>
    readdirSync(new URL(folder, SUITE))
      .filter((name) => name.endsWith(".wasm"))
      .map((name) => [`${folder}${name}`, new URL(folder + name, SUITE)] as const),
  );
}

if (!present) console.log("WASI suite skipped: ../shared/conformance/wasi-p1 is missing");
else console.log(`WASI suite: ${programs().length} programs, known failures: ${KNOWN_FAILURES.size}`);

describe.skipIf(!present)("the WASI preview 1 suite", () => {
  it.each(programs())("%s", async (name, program) => {
    const wanted = expectationOf(program);
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

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { componentNew, preview1AdapterCommandPath } from "@bytecodealliance/jco";
import { describe, expect, it } from "vitest";
import { createSandbox } from "../sandbox.ts";
import type { TaskFile, TaskResult } from "../task.ts";
import { NO_ARGS, requestFor, text } from "../wat.contract.ts";

/** Programs of the WASI test suite, in the folder beside the repository; here each becomes a component by the adapter. */
const SUITE = new URL("../../../../shared/conformance/wasi-p1/", import.meta.url);
const present = existsSync(SUITE);

interface Expectation {
  readonly args?: readonly string[];
  readonly env?: Record<string, string>;
  readonly root?: string;
  readonly exit_code?: number;
  readonly stdout?: string;
}

const OVERWRITES =
  "AssemblyScript's allocator takes all memory there is, also the page that the adapter got for itself; so in jco";

/** Programs that cannot pass behind the adapter, with the reason. */
const KNOWN_FAILURES: ReadonlyMap<string, string> = new Map([
  ["assemblyscript/args_get-multiple-arguments.wasm", OVERWRITES],
  ["assemblyscript/environ_get-multiple-variables.wasm", OVERWRITES],
  ["assemblyscript/fd_write-to-invalid-fd.wasm", "the adapter answers with another error number; so in jco"],
]);

function filesOf(folder: URL, path = ""): readonly TaskFile[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const below = new URL(`${entry.name}${entry.isDirectory() ? "/" : ""}`, folder);
    if (entry.isDirectory()) return filesOf(below, `${path}${entry.name}/`);
    return [{ path: `${path}${entry.name}`, bytes: new Uint8Array(readFileSync(below)) }];
  });
}

async function run(program: URL, wanted: Expectation): Promise<TaskResult> {
  const adapter = readFileSync(preview1AdapterCommandPath());
  const component = await componentNew(readFileSync(program), [["wasi_snapshot_preview1", adapter]]);
  const sandbox = createSandbox();
  expect(await sandbox.load("f", new Uint8Array(component))).toMatchObject({ kind: "loaded" });
  const files = wanted.root === undefined ? [] : filesOf(new URL(`${wanted.root}/`, program));
  const args = { ...NO_ARGS, args: wanted.args ?? [], env: wanted.env ?? {}, files };
  return sandbox.run({
    ...requestFor("wasi-p1", { args }),
    function: { cid: "f", abi: "component-1", entry: "" },
  });
}

const programs = present
  ? ["assemblyscript/", "c/"].flatMap((folder) =>
      readdirSync(new URL(folder, SUITE))
        .filter((name) => name.endsWith(".wasm"))
        .map((name) => [`${folder}${name}`, new URL(folder + name, SUITE)] as const),
    )
  : [];

if (!present) console.log("WASI suite as components skipped: ../shared/conformance/wasi-p1 is missing");
else
  console.log(
    `WASI suite as components: ${programs.length} programs, known failures: ${KNOWN_FAILURES.size}`,
  );

describe.skipIf(!present)("the WASI preview 1 suite behind the adapter to preview 2", () => {
  it.each(programs)("%s", async (name, program) => {
    const file = new URL(program.href.replace(/\.wasm$/, ".json"));
    const wanted: Expectation = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
    const result = await run(program, wanted);
    const ended = result.kind === "done" ? "exit code 0" : result.detail;
    // The adapter tells success from failure, not one failure from another.
    const passed = ended === ((wanted.exit_code ?? 0) === 0 ? "exit code 0" : "exit code 1");
    expect(passed, `${ended} ${text(result.stderr)}`).toBe(!KNOWN_FAILURES.has(name));
    if (passed && result.kind === "done" && wanted.stdout !== undefined)
      expect(text(result.output)).toBe(wanted.stdout);
  });
});

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";

const MAIN = join(import.meta.dirname, "..", "main.ts");
const COMPONENT = join(import.meta.dirname, "../../../examples/component-c/summarise.wasm");
const execute = promisify(execFile);

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
}

function runLocally(...more: readonly string[]): Promise<Ended> {
  return execute(process.execPath, [MAIN, "run", "--local", COMPONENT, ...more]);
}

describe("run --local with a component", () => {
  test("takes arguments as JSON and prints the result as JSON", async () => {
    const { stdout } = await runLocally("--args-json", '["the quick brownish fox"]', "--entry", "summarise");
    expect(stdout).toBe('{"words":4,"longest":"brownish","lengths":[3,5,8,3]}');
  });

  test("finds the only function by itself, and takes arguments by name", async () => {
    const { stdout } = await runLocally("--args-json", '{"text": "one"}', "--json");
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, abi: "component-1", outputBytes: 41 });
  });

  test("says which argument does not fit, and what is no JSON", async () => {
    await expect(runLocally("--args-json", "[5]")).rejects.toThrow("$[0] is not a string");
    await expect(runLocally("--args-json", "[five]")).rejects.toThrow("--args-json takes JSON, not [five].");
    await expect(runLocally("--args-json", "[]", "--input", MAIN)).rejects.toThrow(
      "either --input or --args-json",
    );
  });

  test("refuses bytes where the function takes none", async () => {
    await expect(runLocally("--raw", "--input", MAIN)).rejects.toThrow(
      "does not take and return one list<u8> each",
    );
  });
});

import { beforeAll, describe, expect, it } from "vitest";
import { failureKind } from "../../protocol/failure-code.ts";
import type { Sandbox } from "../task.ts";
import { requestFor } from "../wat.contract.ts";
import { type Escape, escapes } from "./escapes.contract.ts";

/** How an escape ends in a sandbox: at loading, or in one task. */
export async function endOfEscape(sandbox: Sandbox, escape: Escape): Promise<string> {
  await sandbox.forget("f");
  const loaded = await sandbox.load("f", new Uint8Array(escape.module));
  if (loaded.kind === "failed") return failureKind(loaded.code).name;
  const base = requestFor(escape.abi ?? "bytes-1");
  const result = await sandbox.run({
    ...base,
    function: { ...base.function, entry: escape.entry ?? "" },
    input: escape.input?.slice() ?? base.input,
    limits: { ...base.limits, ...escape.limits },
  });
  return result.kind === "failed"
    ? failureKind(result.code).name
    : `done ${[...result.output.subarray(0, 16)].join()}`;
}

/** Hundreds of modules, on a machine that does other things besides. */
const COMPILING_MS = 60_000;

/** What every sandbox must withstand. */
export function escapesContract(where: string, open: () => Promise<Sandbox>): void {
  describe(`attempts to escape from a sandbox in ${where}`, () => {
    let sandbox: Sandbox;
    let all: readonly Escape[];
    beforeAll(async () => {
      sandbox = await open();
      all = await escapes();
    }, COMPILING_MS);

    it("end each with its own failure, and the sandbox goes on", async () => {
      const ends: [string, string][] = [];
      // oxlint-disable-next-line no-await-in-loop -- one sandbox runs one after the other
      for (const each of all) ends.push([each.says, await endOfEscape(sandbox, each)]);
      const wanted = all.map(({ says, code, output }) => [says, code ?? `done ${(output ?? []).join()}`]);
      expect(Object.fromEntries(ends)).toEqual(Object.fromEntries(wanted));
      expect(all.length).toBeGreaterThan(120);
    });
  });
}

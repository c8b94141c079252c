/** `tabmesh model run` and `model verify` on all backends: WebGPU in a Chromium that the command starts, and what may go wrong there. */
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "@playwright/test";
import { findChromium } from "../src/cli/browser/find-chromium.ts";
import { DIST_FOLDER } from "../src/cli/built-app.ts";
import { openInBrowser } from "../src/cli/local/browser-model.ts";
import { encoderModel, type TestModel, writerModel } from "../src/inference/host/models.contract.ts";
import { HAS_STORIES, NO_STORIES } from "../src/inference/reference/stories.contract.ts";
import { storiesFile } from "./support/mesh-models.ts";

if (!HAS_STORIES) console.log(NO_STORIES);
const HAS_PROC = process.platform === "linux";
const NO_PROC = "processes are looked for in /proc, which Linux has";
if (!HAS_PROC) console.log(`skipped: the end of processes of model run (${NO_PROC})`);
test.describe.configure({ mode: "serial", timeout: 300_000 });

const FOLDER = fileURLToPath(new URL("..", import.meta.url));
const BACKENDS = ["reference", "wasm", "webgpu"] as const;
const STORY = ", there was a little girl named Lily. She loved to play outside in the park.";

const home = mkdtempSync(join(tmpdir(), "tabmesh-model-run-"));
test.afterAll(() => rmSync(home, { recursive: true }));

interface Ended {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  return spawn(process.execPath, ["src/cli/main.ts", "model", ...args], {
    cwd: FOLDER,
    env: { ...process.env, ...env },
  });
}

async function ended(child: ChildProcess): Promise<Ended> {
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const exit = await new Promise<number | null>((resolve) => void child.on("close", resolve));
  return { exit, stdout, stderr };
}

const model = (args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Ended> => ended(start(args, env));

async function json(...args: readonly string[]): Promise<Record<string, unknown>> {
  const { stdout, stderr } = await model([...args, "--json"]);
  expect(stdout, stderr).not.toBe("");
  return JSON.parse(stdout) as Record<string, unknown>;
}

async function keep(name: string, { file }: TestModel): Promise<string> {
  const path = join(home, name);
  writeFileSync(path, new Uint8Array(await file.arrayBuffer()));
  return path;
}

/** Runs on all backends. @returns what WebGPU says, after all that is of the text has been found the same */
async function onAll(same: readonly string[], ...args: readonly string[]): Promise<Record<string, unknown>> {
  const told: Record<string, unknown>[] = [];
  for (const backend of BACKENDS) told.push(await json("run", "--local", ...args, "--backend", backend));
  const [reference, wasm, webgpu] = told;
  for (const field of same) {
    expect(reference?.[field], field).toBeDefined();
    expect(wasm?.[field], field).toEqual(reference?.[field]);
    expect(webgpu?.[field], field).toEqual(reference?.[field]);
  }
  for (const [i, each] of told.entries()) expect(each).toMatchObject({ ok: true, backend: BACKENDS[i] });
  expect(wasm).not.toHaveProperty("adapter");
  return webgpu ?? {};
}

/** All numbers that a person may want of the run. */
function expectMeasured(told: Record<string, unknown>, ...times: readonly string[]): void {
  const ms = told["ms"] as Record<string, number>;
  for (const name of ["load", "browser", ...times]) expect(ms[name], name).toBeGreaterThan(0);
  const peak = told["peakMemory"] as Record<string, number>;
  expect(peak["gpuBytes"]).toBeGreaterThanOrEqual(told["memoryBytes"] as number);
  expect(peak["heapBytes"]).toBeGreaterThan(100_000);
  expect(peak["bytes"]).toBe(peak["wasmBytes"]! + peak["gpuBytes"]! + peak["heapBytes"]!);
  const adapter = told["adapter"] as Record<string, unknown>;
  expect(typeof adapter["isSoftware"]).toBe("boolean");
  expect(`${String(adapter["vendor"])}${String(adapter["architecture"])}`).not.toBe("");
}

const OF_A_TEXT = ["text", "endedBy", "tokens", "fuel", "transcript"];

test(
  "stories260K writes the same tokens with the same hashes on all three backends",
  { tag: "@long" },
  async () => {
    test.skip(!HAS_STORIES, NO_STORIES);
    const file = await storiesFile(home);
    const asked = [file, "--prompt", "Once upon a time", "--max-tokens", "60"];
    const told = await onAll(OF_A_TEXT, ...asked);
    expect(String(told["text"]).startsWith(STORY)).toBe(true);
    const { tokens, links } = told["transcript"] as { tokens: number[]; links: string[] };
    expect(links).toHaveLength(tokens.length - 1);
    expectMeasured(told, "prefill", "decode");
    console.log(`WebGPU: ${JSON.stringify({ adapter: told["adapter"], ms: told["ms"] })}`);
    const drawn = [
      "--temperature",
      "0.9",
      "--top-k",
      "40",
      "--top-p",
      "0.95",
      "--seed",
      "5",
      "--stop",
      "mom",
    ];
    await onAll(OF_A_TEXT, ...asked, ...drawn);
  },
);

test(
  "an odd-shaped model does so up to the edge of its context, and others verify it",
  { tag: "@long" },
  async () => {
    const shape = { width: 54, inner: 37, heads: 3, keyHeads: 1, headSize: 18, layers: 3, context: 71 };
    const file = await keep("odd.tmm", await writerModel({ seed: 12, shape, endTokens: [] }));
    const told = await onAll(OF_A_TEXT, file, "--prompt", "ab ba é ab", "--max-tokens", "200");
    expect(told["endedBy"]).toBe("length");
    expectMeasured(told, "prefill", "decode");
    const transcript = told["transcript"] as { tokens: number[] };
    expect(transcript.tokens).toHaveLength(shape.context + 1);
    const path = join(home, "t.json");
    writeFileSync(path, JSON.stringify(transcript));
    const verify = (): Promise<Ended[]> =>
      Promise.all(
        BACKENDS.map((backend) => model(["verify", path, "--model", file, "--backend", backend, "--json"])),
      );
    const said = { ok: true, kind: "holds", positions: shape.context };
    for (const { exit, stdout } of await verify()) {
      expect(exit, stdout).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject(said);
    }
    transcript.tokens[40] = transcript.tokens[40] === 7 ? 8 : 7;
    writeFileSync(path, JSON.stringify(transcript));
    for (const { exit, stdout } of await verify()) {
      expect(exit, stdout).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject({ ok: false, kind: "differs", position: 39, what: "token" });
    }
  },
);

test("a sentence encoder has the same vector and hash on all three backends", { tag: "@long" }, async () => {
  const file = await keep("encoder.tmm", await encoderModel());
  const same = ["vector", "dims", "hash", "model", "tokens", "isCut", "fuel"];
  expectMeasured(await onAll(same, file, "--prompt", "a bad cab had a head"), "encode");
  const { exit, stderr } = await model([
    "verify",
    join(home, "t.json"),
    "--model",
    file,
    "--backend",
    "webgpu",
  ]);
  expect(exit).toBe(2);
  expect(stderr).toContain("writes no transcripts");
});

test(
  "the text streams to standard output, and standard error names the adapter",
  { tag: "@long" },
  async () => {
    const file = join(home, "odd.tmm");
    const args = ["run", "--local", file, "--prompt", "ab", "--max-tokens", "30"];
    const webgpu = await model([...args, "--backend", "webgpu"]);
    const wasm = await model(args);
    expect(webgpu).toMatchObject({ exit: 0, stdout: wasm.stdout });
    expect(wasm.stdout.length).toBeGreaterThan("ab\n".length);
    expect(webgpu.stderr).toMatch(/30 tokens after \d+, .* at most, webgpu on \S/u);
  },
);

const ON_GPU = ["run", "--local", join(home, "odd.tmm"), "--prompt", "ab", "--backend", "webgpu"];

test(
  "no Chromium, one without a graphics card, and a file that is none are told with what to do",
  { tag: "@long" },
  async () => {
    const none = await model(ON_GPU, { CHROMIUM_PATH: join(home, "nothing") });
    expect(none.exit).toBe(1);
    expect(none.stderr).toContain("There is no Chromium here");
    expect(none.stderr).toContain("do:   Install Chromium");
    const bare = join(home, "bare-chromium");
    writeFileSync(
      bare,
      `#!/bin/sh\nexec "${findChromium(process.env)}" "$@" --disable-gpu --disable-software-rasterizer\n`,
    );
    chmodSync(bare, 0o755);
    const refused = await model(ON_GPU, { CHROMIUM_PATH: bare });
    expect(refused.exit).toBe(1);
    expect(refused.stderr).toContain("gives no graphics card away");
    expect(refused.stderr).toContain("WebAssembly gives the same bits");
    const missing = ON_GPU.map((arg) => arg.replace("odd.tmm", "missing.tmm"));
    expect((await model(missing)).stderr).toContain("there is no such file or folder");
    const broken = join(home, "broken.tmm");
    writeFileSync(broken, readFileSync(join(home, "odd.tmm")).subarray(0, 5_000));
    expect((await model(ON_GPU.map((arg) => arg.replace("odd.tmm", "broken.tmm")))).stderr).toContain(
      "5000 bytes",
    );
  },
);

test("a graphics card whose answers are not the known ones computes nothing", { tag: "@long" }, async () => {
  const script = readFileSync(join(DIST_FOLDER, "model-page.js"), "utf8");
  const kernels = readFileSync(join(FOLDER, "src/inference/webgpu/known-answer.ts"), "utf8");
  const known = /"llama 8": "(\w+)"/u.exec(kernels)?.[1] ?? "";
  expect(known).not.toBe("");
  expect(script).toContain(known);
  // As good as a card that computes something else: neither has the answer that is known.
  writeFileSync(join(home, "model-page.js"), script.replaceAll(known, known.replace(/^./u, "x")));
  await expect(openInBrowser(join(home, "odd.tmm"), { build: home })).rejects.toMatchObject({
    what: expect.stringContaining("something else than the known answers"),
    advice: expect.stringContaining("WebAssembly gives the same bits"),
  });
});

/** Processes that a process has started, and those that they have. */
function descendants(pid: number): readonly number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/u.test(entry)))
    try {
      const [, parent] = /\) \S (\d+)/u.exec(readFileSync(`/proc/${name}/stat`, "utf8")) ?? [];
      parents.set(Number(name), Number(parent));
    } catch {
      // It has ended meanwhile.
    }
  const found = [pid];
  // Grows as it is walked.
  for (const id of found) for (const [child, parent] of parents) if (parent === id) found.push(child);
  return found.slice(1);
}

function isGpuProcess(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("--type=gpu-process");
  } catch {
    return false;
  }
}

/** Starts a text that takes seconds. @returns when its first words are there */
async function startLong(): Promise<{ readonly child: ChildProcess; readonly end: Promise<Ended> }> {
  const args = ["--prompt", "Once upon a time", "--max-tokens", "400", "--backend", "webgpu"];
  const child = start(["run", "--local", join(home, "stories.tmm"), ...args]);
  const end = ended(child);
  let text = "";
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes("Lily")) resolve();
    });
    child.on("close", () => reject(new Error(`it ended: ${text}`)));
  });
  return { child, end };
}

test("a graphics card that is lost in the middle is told, with what to do", { tag: "@long" }, async () => {
  test.skip(!HAS_STORIES, NO_STORIES);
  test.skip(!HAS_PROC, NO_PROC);
  const { child, end } = await startLong();
  const gpus = descendants(child.pid ?? 0).filter((pid) => isGpuProcess(pid));
  expect(gpus).not.toEqual([]);
  for (const pid of gpus) process.kill(pid, "SIGKILL");
  const { exit, stderr } = await end;
  expect(exit).toBe(1);
  expect(stderr).toContain("The graphics card was lost while it computed.");
  expect(stderr).toContain("do:   Run it again.");
});

test("Ctrl-C ends the text, and the browser with it", { tag: "@long" }, async () => {
  test.skip(!HAS_STORIES, NO_STORIES);
  test.skip(!HAS_PROC, NO_PROC);
  const { child, end } = await startLong();
  const browser = descendants(child.pid ?? 0);
  expect(browser.length).toBeGreaterThan(2);
  child.kill("SIGINT");
  expect(await end).toMatchObject({ exit: 130 });
  const alive = (): readonly number[] =>
    browser.filter((pid) => {
      try {
        return !/\) Z/u.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
      } catch {
        return false;
      }
    });
  await expect.poll(alive).toEqual([]);
});

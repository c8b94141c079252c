/** The command and the demonstration, as a person runs them. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import { freePort, startRelayProcess } from "./support/relay-process.ts";
import { openProviderTab } from "./support/tab.ts";

const ROOT = join(import.meta.dirname, "..");
const GRANT = 10_000_000n;

let folder = "";
const open: (() => Promise<unknown>)[] = [];

test.beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tabmesh-command-"));
});

test.afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close().catch(() => undefined);
  rmSync(folder, { recursive: true, force: true });
});

interface Run {
  readonly child: ChildProcess;
  /** Both streams as they came so far. */
  readonly said: () => string;
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
}

function start(script: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Run {
  const child = spawn(process.execPath, [join(ROOT, script), ...args], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, TABMESH_HOME: join(folder, "home"), ...env },
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) =>
    child.once("close", (code) => resolve({ code, stdout, stderr })),
  );
  open.push(async () => {
    child.kill("SIGTERM");
    await ended;
  });
  return { child, said: () => stdout + stderr, ended };
}

const demo = (...args: readonly string[]): Run => start("src/cli/demo/main.ts", ["--json", ...args]);
const tabmesh = (relay: string, ...args: readonly string[]): Run =>
  start("src/cli/bin.js", [...args, "--yes"], { TABMESH_RELAY: relay });

async function meshOfOneTab(): Promise<string> {
  const relay = await startRelayProcess({ dataDir: join(folder, "relay"), port: await freePort() });
  open.push(() => relay.kill());
  const tab = await openProviderTab(relay.url);
  open.push(() => tab.browser.close());
  return relay.url;
}

function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1) ?? "";
}

test("the demonstration ends with one line that holds what it has proven", async () => {
  const out = join(folder, "studio.png");
  const { code, stdout, stderr } = await demo("--out", out).ended;
  expect(code, stderr).toBe(0);
  const told = JSON.parse(lastLine(stdout)) as Record<string, unknown>;
  expect(told).toEqual({
    ok: true,
    job: expect.stringMatching(/^bafy/u),
    tasks: 144,
    outputSha256: createHash("sha256").update(readFileSync(out)).digest("hex"),
    receiptVerified: true,
    inclusionVerified: true,
    earnedMicroCredits: expect.any(Number),
    transport: "webrtc",
  });
  expect(told["earnedMicroCredits"]).toBeGreaterThan(0);
  expect(readFileSync(out).subarray(1, 4).toString()).toBe("PNG");
});

test("where WebRTC is blocked the demonstration fails and says why", { tag: "@long" }, async () => {
  const { code, stdout, stderr } = await demo("--block-webrtc", "--out", join(folder, "studio.png")).ended;
  expect(code).toBe(1);
  expect(stderr).toContain("WebRTC is blocked");
  expect(JSON.parse(lastLine(stdout))).toMatchObject({
    ok: false,
    error: { what: expect.stringContaining("WebRTC") },
  });
  expect(existsSync(join(folder, "studio.png"))).toBe(false);
});

test(
  "a demonstration that is interrupted leaves no browser and no file behind",
  { tag: "@long" },
  async () => {
    const temporary = join(folder, "tmp");
    mkdirSync(temporary);
    const run = start("src/cli/demo/main.ts", ["--json", "--out", join(folder, "studio.png")], {
      TMPDIR: temporary,
    });
    await expect.poll(run.said, { timeout: 60_000 }).toContain("✓ tab");
    expect(processesNaming(temporary)).not.toEqual([]);
    run.child.kill("SIGINT");
    expect((await run.ended).code).toBe(130);
    await expect.poll(() => processesNaming(temporary)).toEqual([]);
    expect(readdirSync(temporary).filter((name) => /^(?:tabmesh|playwright)/u.test(name))).toEqual([]);
  },
);

/** Command lines of all processes that name a path: a browser names its profile. */
function processesNaming(path: string): readonly string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/u.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      try {
        const line = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ");
        return line.includes(path) ? [line.slice(0, 100)] : [];
      } catch {
        return [];
      }
    });
}

test("map writes an output for each input, and run passes standard output on", async () => {
  const relay = await meshOfOneTab();
  writeFileSync(join(folder, "a.txt"), "one two\nthree\n");
  writeFileSync(join(folder, "b.txt"), "four\n");
  const wordcount = join(ROOT, "examples/wordcount-c/wordcount.wasm");
  const mapped = await tabmesh(
    relay,
    "map",
    wordcount,
    "--inputs",
    join(folder, "*.txt"),
    "--out",
    join(folder, "out"),
    "--ext",
    "count",
    "--json",
  ).ended;
  expect(mapped.code, mapped.stderr).toBe(0);
  expect(JSON.parse(mapped.stdout)).toMatchObject({ ok: true, tasks: 2, done: 2, failed: 0 });
  expect(readFileSync(join(folder, "out/a.count"), "utf8")).toBe("2 3 14\n");
  expect(readFileSync(join(folder, "out/b.count"), "utf8")).toBe("1 1 5\n");
  const once = await tabmesh(relay, "run", wordcount, "--input", join(folder, "a.txt"), "--quiet").ended;
  expect(once).toEqual({ code: 0, stdout: "2 3 14\n", stderr: "" });
});

test("a function that fails ends with 1 and its own reason", { tag: "@long" }, async () => {
  const relay = await meshOfOneTab();
  const wordcount = join(ROOT, "examples/wordcount-c/wordcount.wasm");
  const { code, stdout, stderr } = await tabmesh(
    relay,
    "run",
    wordcount,
    "--input",
    wordcount,
    "--fuel",
    "100",
  ).ended;
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toContain("[30001 out-of-fuel]");
});

test(
  "Ctrl-C cancels the job at the provider and brings the rest of the money back",
  { tag: "@long" },
  async () => {
    const relay = await meshOfOneTab();
    const scene = join(ROOT, "examples/raytrace/scenes/studio.json");
    const run = tabmesh(relay, "render", scene, "-o", join(folder, "studio.png"), "--quality", "fine");
    await expect.poll(run.said, { timeout: 60_000 }).toMatch(/^[1-9]\d*\/144/mu);
    run.child.kill("SIGINT");
    const { code, stderr } = await run.ended;
    expect(code, stderr).toBe(130);
    const [, spent, refunded] =
      /Cancelled after \d+ tasks?: ([\d.]+) test credits spent, ([\d.]+) refunded/u.exec(stderr) ?? [];
    expect(Number(spent)).toBeGreaterThan(0);
    expect(Number(refunded)).toBeGreaterThan(0);
    const account = await start("src/cli/bin.js", ["account", "--json"], { TABMESH_RELAY: relay }).ended;
    const told = JSON.parse(account.stdout) as { account: Record<string, string> };
    const micros = BigInt(Math.round(Number(spent) * 1e6));
    expect(told.account).toMatchObject({ available: (GRANT - micros).toString(), escrowed: "0" });
  },
);

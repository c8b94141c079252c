import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { cidOf, RAW } from "../../protocol/cid.ts";
import { relayConfig } from "../../relay/config.ts";
import { type Relay, startRelay } from "../../relay/start-relay.ts";
import type { Ended } from "../command-line.contract.ts";
import { type FunctionProvider, startFunctionProvider } from "../function-provider.contract.ts";
import { runHere } from "../run-here.contract.ts";

const NOOP = join(import.meta.dirname, "..", "..", "..", "examples", "noop", "noop.wasm");

let folder = "";
let relay: Relay;
let provider: FunctionProvider;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tabmesh-plan-"));
  const module = new Uint8Array(readFileSync(NOOP));
  writeFileSync(
    join(folder, "echo.yaml"),
    `v: 1
name: echo
params: {words: "list<text>"}
nodes:
  each:
    kind: map
    over: $words
    max: 8
    graph:
      params: {item: text}
      nodes:
        same:
          kind: call
          title: Say it again
          callee: {kind: function, cid: ${cidOf(RAW, module)}, entry: tabmesh_run, abi: bytes-1}
          input: $item
          output: text
      result: same
  all: {kind: expr, expression: 'join(each, " ")', with: {each: each}}
result: all
`,
  );
  relay = await startRelay(
    relayConfig({ port: 0, dataDir: ":memory:", iceServers: [], logLevel: "silent", auditThreads: 1 }),
  );
  provider = await startFunctionProvider(relay.url, { module });
}, 60_000);

afterAll(async () => {
  await provider.vanish();
  await relay.stop();
  rmSync(folder, { recursive: true });
});

function plan(...args: readonly string[]): Promise<Ended> {
  return runHere(join(folder, "home"), ["plan", ...args, "--relay", relay.url]);
}

it("a plan is run at providers, shown, listed, fetched again and verified by its name", async () => {
  const asked = ["run", join(folder, "echo.yaml"), "-p", 'words=["a","b","c"]', "--with", NOOP, "--yes"];
  const { exit, stdout, stderr } = await plan(...asked);
  expect(stderr).toMatch(/Say it again: 3 done · ….{6} · 3 B → 3 B · .* test credits/u);
  expect(stderr).toMatch(
    /Done: 5 steps at 1 peer in .*, 0\.0\d+ of at most .* test credits\. Verified: 3 receipts by 1 peer\./u,
  );
  expect({ exit, stdout }).toEqual({ exit: 0, stdout: "a b c" });
  const run = /Run (bafy\S+)/u.exec(stderr)?.[1] ?? "";

  const shown = await plan("show", run);
  expect(shown.stdout).toContain("The plan echo is done");
  expect(shown.stdout).toMatch(/relay {4}done, 0\.0\d+ of at most/u);
  const listed = await plan("runs", "--json");
  expect(JSON.parse(listed.stdout)).toMatchObject({
    runs: [{ run, name: "echo", state: "done", isKept: true }],
  });

  // What waits at the relay is what it came to: nothing is done or paid again.
  const before = provider.begun;
  const fetched = await plan("continue", run, "--json", "--quiet");
  expect(JSON.parse(fetched.stdout)).toMatchObject({ ok: true, run, result: "a b c", runVerified: true });
  expect(provider.begun).toBe(before);
  const verified = await runHere(join(folder, "home"), ["plan", "verify", run]);
  expect(verified.stdout).toContain("Verified: the run of the plan echo came to");
}, 60_000);

it("a budget that is too small is said before anything is paid", async () => {
  const asked = [
    "run",
    join(folder, "echo.yaml"),
    "-p",
    'words=["a"]',
    "--with",
    NOOP,
    "--yes",
    "--cap",
    "0.000001",
  ];
  const { exit, stdout, stderr } = await plan(...asked, "--wait", "2s", "--json");
  expect(exit).toBe(1);
  expect(stderr).toContain("Say it again");
  expect(stderr).toContain("  do:   ");
  expect(JSON.parse(stdout)).toMatchObject({ ok: false, costMicroCredits: "0", failure: { node: "same" } });
}, 60_000);

it("a step that is to be computed again is computed again here, and both receipts prove it", async () => {
  const text = readFileSync(join(folder, "echo.yaml"), "utf8");
  const replayed = text.replace(
    "          output: text",
    "          output: text\n          provenance: replay",
  );
  expect(replayed).not.toBe(text);
  writeFileSync(join(folder, "replayed.yaml"), replayed);
  const { exit, stdout, stderr } = await plan(
    "run",
    join(folder, "replayed.yaml"),
    "-p",
    'words=["x"]',
    "--with",
    NOOP,
    "--yes",
  );
  expect({ exit, stdout }).toEqual({ exit: 0, stdout: "x" });
  expect(stderr).toContain("Verified: 1 receipt by 1 peer.");
  const run = /Run (bafy\S+)/u.exec(stderr)?.[1] ?? "";
  const receipts = await plan("show", run, "--node", "same");
  expect(receipts.stdout.match(/ done {5}/gu)?.length).toBeGreaterThanOrEqual(2);
}, 60_000);

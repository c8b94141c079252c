/** Three tabs compute everything twice or more: their results agree, are audited on top, and all who computed are paid. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "@playwright/test";
import { encodeScene, tileInputs } from "../examples/raytrace/scene.ts";
import { createRelayClient } from "../src/mesh/relay-client.ts";
import type { Plan } from "../src/plan/plan.ts";
import { verifyRun } from "../src/plan/verify/verify-run.ts";
import { cidOf, RAW } from "../src/protocol/cid.ts";
import { verifierOf } from "../src/protocol/ed25519.ts";
import { fuel } from "../src/protocol/units.ts";
import type { PeerId } from "../src/protocol/peer-id.ts";
import { connect, type JobSummary, type MapResult } from "../src/sdk/index.ts";
import { hexOf, outputsHere } from "./support/outputs-here.ts";
import { ownedBy } from "./support/money.ts";
import { freePort, type RelayProcess, startRelayProcess } from "./support/relay-process.ts";
import { openProviderTab } from "./support/tab.ts";

const RAYTRACE = new URL("../examples/raytrace/", import.meta.url);
const LIMITS = { fuel: 1_000_000_000n, memoryBytes: 64 * 1024 * 1024, outputBytes: 256 * 1024 } as const;
const PICTURE = { width: 96, height: 54, tilesX: 4, tilesY: 2, samples: 8 };
const TABS = 3;
const REPLICAS = 2;

const folder = mkdtempSync(join(tmpdir(), "tabmesh-replicas-"));
let relay: RelayProcess;
const open: (() => Promise<unknown>)[] = [];

test.describe.configure({ mode: "serial" });

test.beforeAll(async () => {
  relay = await startRelayProcess({ dataDir: folder, port: await freePort() });
});
test.afterAll(async () => {
  for (const close of open.splice(0).toReversed()) await close().catch(() => undefined);
  await relay?.kill();
  rmSync(folder, { recursive: true });
});

function outputsOf(results: readonly MapResult[]): readonly string[] {
  return results
    .toSorted((a, b) => a.index - b.index)
    .map((result) => (result.kind === "done" ? Buffer.from(result.output).toString("hex") : "failed"));
}

test(
  "tabs that compute the same tiles agree to the bit, pass their audits, and each is paid for what it computed",
  { tag: "@long" },
  async () => {
    for (let tab = 0; tab < TABS; tab += 1) {
      const { browser } = await openProviderTab(relay.url);
      open.push(() => browser.close());
    }
    const module = new Uint8Array(await readFile(new URL("raytrace.wasm", RAYTRACE)));
    const scene = encodeScene(JSON.parse(await readFile(new URL("scenes/studio.json", RAYTRACE), "utf8")));
    const inputs = tileInputs(scene, PICTURE).map(({ bytes }) => bytes);
    const tabmesh = await connect({ relay: relay.url, iceServers: [] });
    open.push(() => tabmesh.close());
    const results: MapResult[] = [];
    const handle = await tabmesh.map(module, inputs, {
      ...LIMITS,
      parallel: TABS,
      replicas: REPLICAS,
      accept: "audited",
    });
    for await (const result of handle) results.push(result);
    const summary = await handle.summary;
    expect(outputsOf(results)).toEqual(hexOf(await outputsHere(module, inputs, LIMITS)));
    expect(summary).toMatchObject({
      done: inputs.length,
      failed: 0,
      agreed: inputs.length,
      disputed: 0,
      voided: 0,
    });
    await expectPaid(summary, inputs.length);
  },
);

/** Every outcome that was asked for is paid to whoever computed it, and nothing else is. */
async function expectPaid(summary: JobSummary, tiles: number): Promise<void> {
  const client = createRelayClient({ baseUrl: relay.url, fetch });
  const { leases, spent } = await client.job(summary.job);
  const earned = new Map<PeerId, bigint>();
  for (const { provider, amount, forfeited } of leases) {
    expect(forfeited).toBe(0n);
    earned.set(provider, (earned.get(provider) ?? 0n) + amount);
  }
  const computed = summary.leases.reduce((sum, { tasks }) => sum + tasks, 0);
  expect(computed).toBeGreaterThanOrEqual(REPLICAS * tiles);
  const paid = [...earned].filter(([, amount]) => amount > 0n);
  expect(paid.length).toBeGreaterThanOrEqual(REPLICAS);
  for (const [provider, amount] of paid) {
    expect(ownedBy(await client.account(provider))).toBe(amount);
    const standing = await client.standing(provider);
    expect(standing).toMatchObject({ mismatched: 0, missing: 0 });
    expect(standing.matched).toBeGreaterThan(0);
  }
  const sum = paid.reduce((all, [, amount]) => all + amount, 0n);
  // Each lease costs a fee that nobody gets.
  expect(spent - sum).toBe(BigInt(leases.length));
}

test(
  "a step of a plan that must be audited counts once the relay has found right what it drew",
  { tag: "@long" },
  async () => {
    const module = new Uint8Array(await readFile(new URL("../noop/noop.wasm", RAYTRACE)));
    const plan: Plan = {
      v: 1,
      name: "audited",
      graph: {
        params: { word: { type: "text" } },
        nodes: {
          same: {
            kind: "call",
            callee: {
              kind: "function",
              cid: cidOf(RAW, module),
              entry: "tabmesh_run",
              abi: "bytes-1",
              args: [],
            },
            input: { from: "param", param: "word" },
            output: { type: "text" },
            place: { at: "any" },
            provenance: { check: "audited" },
            limits: { fuel: fuel(1_000_000), memory: 8 << 20, output: 1 << 16, deadlineMs: 5_000 },
          },
        },
        result: { from: "node", node: "same" },
      },
    };
    const tabmesh = await connect({ relay: relay.url, iceServers: [] });
    open.push(() => tabmesh.close());
    const notes: string[] = [];
    const run = await tabmesh.startRun(
      plan,
      { word: "checked" },
      { modules: [module], onEvent: (event) => (event.kind === "note" ? notes.push(event.text) : undefined) },
    );
    expect((await run.result()).value).toBe("checked");
    expect(notes.some((note) => note.startsWith("same: "))).toBe(true);
    const { jobs, providers } = await run.summary;
    const [provider] = providers;
    if (provider === undefined) throw new Error("nobody worked");
    const client = createRelayClient({ baseUrl: relay.url, fetch });
    const { leases } = await client.job(jobs[0]!);
    expect(leases.some((lease) => lease.provider === provider && lease.judged > 0)).toBe(true);
    expect((await verifyRun(run.record(), verifierOf(crypto.subtle))).problems).toEqual([]);
  },
);

test("anybody recomputes the log with it", { tag: "@long" }, async () => {
  const main = join(import.meta.dirname, "../src/cli/main.ts");
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [main, "fsck", "--relay", relay.url, "--json"],
    { env: { ...process.env, TABMESH_HOME: join(folder, "home") } },
  );
  expect(JSON.parse(stdout)).toMatchObject({ ok: true });
});

import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CallNode, Plan } from "../plan/plan.ts";
import type { RunEvent } from "../plan/runner-ports.ts";
import { verifyRun } from "../plan/verify/verify-run.ts";
import { cidOf, RAW } from "../protocol/cid.ts";
import { verifierOf } from "../protocol/ed25519.ts";
import { fuel } from "../protocol/units.ts";
import { relayConfig } from "../relay/config.ts";
import { checkBooks } from "../relay/books/check-books.ts";
import { openSqliteStore } from "../relay/store/sqlite-store.ts";
import { type Relay, startRelay } from "../relay/start-relay.ts";
import { connect, type PlanRun, type Tabmesh } from "../sdk/index.ts";
import { type FunctionProvider, startFunctionProvider } from "./function-provider.contract.ts";

const ECHO = new Uint8Array(await readFile(new URL("../../examples/noop/noop.wasm", import.meta.url)));

function call(input: CallNode["input"]): CallNode {
  return {
    kind: "call",
    callee: { kind: "function", cid: cidOf(RAW, ECHO), entry: "tabmesh_run", abi: "bytes-1", args: [] },
    input,
    output: { type: "text" },
    place: { at: "any" },
    provenance: { check: "signature" },
    limits: { fuel: fuel(10_000_000), memory: 8 << 20, output: 1 << 20, deadlineMs: 5_000 },
  };
}

/** Enough steps, one after the other, that somebody can leave between two of them. */
const CHAIN: Plan = {
  v: 1,
  name: "chain",
  graph: {
    params: { word: { type: "text" } },
    nodes: {
      a: call({ from: "param", param: "word" }),
      b: call({ from: "node", node: "a" }),
      c: call({ from: "node", node: "b" }),
      d: call({ from: "node", node: "c" }),
    },
    result: { from: "node", node: "d" },
  },
};

let folder = "";
let relay: Relay;
let provider: FunctionProvider;
const clients: Tabmesh[] = [];

async function client(): Promise<Tabmesh> {
  const made = await connect({ relay: relay.url });
  clients.push(made);
  return made;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tabmesh-hold-"));
  relay = await startRelay(
    relayConfig({ port: 0, dataDir: folder, iceServers: [], logLevel: "silent", auditThreads: 1 }),
  );
  provider = await startFunctionProvider(relay.url, { module: ECHO });
}, 60_000);

afterAll(async () => {
  await Promise.all(clients.map((each) => each.close()));
  await provider.vanish();
  await relay.stop();
  rmSync(folder, { recursive: true });
});

test("whoever holds a run goes on with it when its starter leaves: one of two, at the starter's expense", async () => {
  const [starter, first, second] = await Promise.all([client(), client(), client()]);
  const stop = new AbortController();
  const taken: [string, PlanRun][] = [];
  const troubles: unknown[] = [];
  const holding = [first, second].map((each) =>
    each.holdRuns({
      signal: stop.signal,
      onRun: (run) => taken.push([each.requester, run]),
      onTrouble: (error) => troubles.push(error),
    }),
  );
  const begun = Promise.withResolvers<void>();
  const told: RunEvent[] = [];
  const run = await starter.startRun(
    CHAIN,
    { word: "passed on" },
    {
      modules: [ECHO],
      holders: [first.requester, second.requester],
      onEvent: (event) => (event.kind === "ended" ? begun.resolve() : undefined),
    },
  );
  await begun.promise;
  // While its starter is there nobody takes it.
  expect(taken).toEqual([]);
  await run.leave();
  await expect.poll(() => taken.length, { timeout: 20_000 }).toBe(1);
  const [[who, held] = []] = taken;
  if (held === undefined) throw new Error("nobody took it");
  void (async () => {
    for await (const event of held) told.push(event);
  })();
  expect(who).toBe(first.requester);
  expect((await held.result()).value).toBe("passed on");
  const summary = await held.summary;
  expect(summary.failure).toBeUndefined();
  const done = run.record().steps.length;
  expect(done).toBeGreaterThan(0);
  expect(told.some((event) => event.kind === "given" && event.node === "a")).toBe(false);
  expect((await verifyRun(held.record(), verifierOf(crypto.subtle))).problems).toEqual([]);
  expect((await first.account())?.available ?? 0n).toBe(0n);
  stop.abort();
  await Promise.all(holding);
  expect(taken).toHaveLength(1);
  expect(troubles).toEqual([]);
  await relay.stop();
  const store = openSqliteStore(join(folder, "books.sqlite"));
  expect(checkBooks(store)).toEqual([]);
  store.close();
}, 60_000);

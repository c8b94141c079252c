import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Plan } from "../plan/plan.ts";
import { createRelayClient, type RelayClient } from "../mesh/relay-client.ts";
import { cidOf, RAW } from "../protocol/cid.ts";
import { fuel } from "../protocol/units.ts";
import { relayConfig } from "../relay/config.ts";
import { type Relay, startRelay } from "../relay/start-relay.ts";
import { connect, type HostedSchedule, memoryMarks, type PlanRun, type Tabmesh } from "../sdk/index.ts";
import { type FunctionProvider, startFunctionProvider } from "./function-provider.contract.ts";

const ECHO = new Uint8Array(await readFile(new URL("../../examples/noop/noop.wasm", import.meta.url)));
const SEED = new Uint8Array(32).fill(0x5c);
const PLAN: Plan = {
  v: 1,
  name: "tick",
  graph: {
    params: { word: { type: "text" } },
    nodes: {
      same: {
        kind: "call",
        callee: { kind: "function", cid: cidOf(RAW, ECHO), entry: "tabmesh_run", abi: "bytes-1", args: [] },
        input: { from: "param", param: "word" },
        output: { type: "text" },
        place: { at: "any" },
        provenance: { check: "signature" },
        limits: { fuel: fuel(10_000_000), memory: 8 << 20, output: 1 << 20, deadlineMs: 5_000 },
      },
    },
    result: { from: "node", node: "same" },
  },
};
const EVERY_MS = 1_500;

let relay: Relay;
let provider: FunctionProvider;
let views: RelayClient;
const clients: Tabmesh[] = [];

beforeAll(async () => {
  relay = await startRelay(
    relayConfig({ port: 0, dataDir: ":memory:", iceServers: [], logLevel: "silent", auditThreads: 1 }),
  );
  provider = await startFunctionProvider(relay.url, { module: ECHO });
  views = createRelayClient({ baseUrl: relay.url, fetch: (input, init) => fetch(input, init) });
}, 60_000);

afterAll(async () => {
  await Promise.all(clients.map((each) => each.close()));
  await provider.vanish();
  await relay.stop();
});

async function program(): Promise<Tabmesh> {
  const client = await connect({ relay: relay.url, seed: SEED });
  clients.push(client);
  return client;
}

test("each time has one run, with two programs of one person, after an end in the middle, and with what was missed", async () => {
  const [one, two] = [await program(), await program()];
  const marks = memoryMarks();
  const schedule: HostedSchedule = {
    name: "tick",
    plan: PLAN,
    params: { word: "again" },
    when: { everyMs: EVERY_MS },
    missed: "once",
    budget: 20_000n,
    run: { modules: [ECHO] },
    marks,
  };
  const started: [number, PlanRun][] = [];
  const host = (client: Tabmesh, stop: AbortController): Promise<void> =>
    client.hostSchedule(schedule, {
      signal: stop.signal,
      onRun: (run, at) => started.push([at, run]),
      onTrouble: (error) => expect.fail(String(error)),
    });
  const [first, second] = [new AbortController(), new AbortController()];
  const hosting = [host(one, first), host(two, second)];
  await expect.poll(() => started.length, { timeout: 20_000 }).toBeGreaterThan(1);
  for (const [, run] of started.slice(0, 2)) expect((await run.result()).value).toBe("again");
  // The one that hosts ends; the other goes on.
  first.abort();
  await hosting[0];
  const here = started.length;
  await expect.poll(() => started.length, { timeout: 20_000 }).toBeGreaterThan(here);
  second.abort();
  await Promise.all(hosting);
  const runs = new Map(started.map(([at, run]) => [at, run.id]));
  for (const [at, run] of started) expect(runs.get(at)).toBe(run.id);
  expect(new Set(runs.values()).size).toBe(runs.size);
  expect([...runs.keys()].every((at) => at % EVERY_MS === 0)).toBe(true);

  // The program ended in the middle of the last one: that is seen through, under the same name; of all that was missed the newest follows.
  const [last, lastRun] = started.at(-1) ?? [];
  if (last === undefined || lastRun === undefined) throw new Error("no run");
  const mark = await marks.load(`${one.requester} tick`);
  const before = (await views.runs(one.requester, { limit: 50 })).length;
  await marks.keep(`${one.requester} tick`, {
    through: last - EVERY_MS,
    begun: mark?.begun ?? { event: last, at: (await views.run(lastRun.id)).issuedAt },
  });
  await new Promise((resolve) => setTimeout(resolve, 2 * EVERY_MS));
  const again = new AbortController();
  const count = started.length;
  const resumed = host(one, again);
  await expect.poll(() => started.length, { timeout: 20_000 }).toBeGreaterThan(count + 1);
  again.abort();
  await resumed;
  const [seen, next] = started.slice(count);
  expect(seen?.[1].id).toBe(lastRun.id);
  expect(next?.[0]).toBeGreaterThan(last);
  expect((await views.runs(one.requester, { limit: 50 })).length).toBe(before + started.length - count - 1);
}, 60_000);

test("times that are none are refused before anything runs", async () => {
  const client = await program();
  const schedule = { name: "never", plan: PLAN, budget: 1_000n };
  await expect(
    client.hostSchedule({ ...schedule, when: { cron: "61 * * * *", zone: "UTC" } }),
  ).rejects.toThrow(/61/u);
  await expect(
    client.hostSchedule({ ...schedule, when: { cron: "0 0 30 2 *", zone: "UTC" } }),
  ).rejects.toThrow(/never come/u);
});

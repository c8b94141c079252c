import { createServer, type IncomingMessage, type Server } from "node:http";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { browserExchange } from "../effects/browser-exchange.ts";
import { canonicalJson, type Json } from "../effects/canonical-json.ts";
import { decodeRecord, replayEffect } from "../effects/replay-effect.ts";
import { provesRandomness } from "../effects/verifiable-random.ts";
import { createRelayClient } from "../mesh/relay-client.ts";
import { printPlan } from "../plan/plan-text.ts";
import type { EffectNode, Graph, Plan } from "../plan/plan.ts";
import type { RunEvent } from "../plan/runner-ports.ts";
import { openEnvelope } from "../protocol/envelope.ts";
import { type Capability, capabilityCid } from "../protocol/messages/effect.ts";
import { type Step, stepMessage } from "../protocol/messages/run.ts";
import { fuel } from "../protocol/units.ts";
import type { EffectParts } from "../provider/effects/effect-desk.ts";
import { relayConfig } from "../relay/config.ts";
import { type Relay, startRelay } from "../relay/start-relay.ts";
import { connect, type PlanRun, type PlanRunOptions, type Tabmesh } from "../sdk/index.ts";
import { type FunctionProvider, startFunctionProvider } from "./function-provider.contract.ts";
import { runHere } from "./run-here.contract.ts";

const LIMITS = { fuel: fuel(1), memory: 65_536, output: 1 << 20, deadlineMs: 5_000 } as const;
const NOTHING = { origins: [], methods: [], namespace: "", chains: [], secrets: [] } as const;
const SECRET = "fresh-as-the-morning-5e";

/** What the server of documents was asked. */
const asked: { readonly path: string; readonly headers: IncomingMessage["headers"] }[] = [];
/** What the relay has logged. */
const logged: string[] = [];
let documents: Server;
let origin: string;
let relay: Relay;
let provider: FunctionProvider;
let tabmesh: Tabmesh;

beforeAll(async () => {
  documents = createServer((request, response) => {
    asked.push({ path: request.url ?? "", headers: request.headers });
    if (request.url === "/moved") response.writeHead(302, { location: "http://127.0.0.1:1/inside" }).end();
    else
      response
        .writeHead(200, { "content-type": "application/json", "set-cookie": "a=b" })
        .end('{"b":1, "a":[2]}');
  });
  await new Promise<void>((resolve) => void documents.listen(0, "127.0.0.1", resolve));
  const address = documents.address();
  origin = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  relay = await startRelay(
    relayConfig({
      port: 0,
      dataDir: ":memory:",
      iceServers: [],
      auditThreads: 1,
      egress: { anyPublic: false, origins: [origin] },
    }),
    { log: pino({ level: "trace" }, { write: (line: string) => void logged.push(line) }) },
  );
  provider = await startFunctionProvider(relay.url, {
    module: new Uint8Array(),
    effects: granted(),
  });
  tabmesh = await connect({ relay: relay.url });
}, 60_000);

beforeEach(() => {
  asked.length = 0;
});

afterAll(async () => {
  await tabmesh.close();
  await provider.vanish();
  await relay.stop();
  documents.close();
});

/** What the people of these providers allow. */
function granted(): EffectParts {
  return {
    grants: () => ({ timeAndRandom: true, fetch: [origin], chains: {} }),
    exchange: browserExchange((url, init) => fetch(url, init)),
    allowLocal: true,
  };
}

function capability(changes: Partial<Capability> & Pick<Capability, "kind">): Capability {
  return { ...NOTHING, maxBytes: 100_000, timeoutMs: 4_000, ...changes };
}

function effect(
  uses: Capability,
  request: Json,
  at: "any" | "relay",
  more: Partial<EffectNode> = {},
): EffectNode {
  return {
    kind: "effect",
    capability: uses,
    request: { from: "constant", json: Buffer.from(canonicalJson(request)).toString() },
    output: { type: "json" },
    place: { at },
    provenance: { check: "signature" },
    limits: LIMITS,
    ...more,
  };
}

function planOf(nodes: Graph["nodes"], result: string): Plan {
  return { v: 1, name: "effects", graph: { params: {}, nodes, result: { from: "node", node: result } } };
}

async function run(
  plan: Plan,
  options: PlanRunOptions = {},
): Promise<{ readonly run: PlanRun; readonly events: RunEvent[] }> {
  const begun = await tabmesh.startRun(plan, {}, options);
  const events: RunEvent[] = [];
  for await (const event of begun.events) events.push(event);
  return { run: begun, events };
}

function stepOf(events: readonly RunEvent[], node: string): Step {
  const ended = events.find(
    (event) => event.kind === "ended" && event.node === node && event.status === "done",
  );
  if (ended?.kind !== "ended")
    throw new Error(
      `${node} has not ended: ${JSON.stringify(events.at(-1), (_, value) => (typeof value === "bigint" ? String(value) : value))}`,
    );
  return openEnvelope(stepMessage, ended.envelope).body;
}

/** Everything of a step that is needed to follow it without the network. */
async function replayed(done: PlanRun, step: Step, uses: Capability): Promise<unknown> {
  if (step.record === undefined || step.result === undefined) throw new Error("a step without a record");
  const [record, response, request] = await Promise.all(
    [step.record, step.result, step.args].map((cid) => done.value(cid)),
  );
  if (record === undefined || response === undefined || request === undefined)
    throw new Error("values are missing");
  const { node, iteration, attempt } = step;
  const client = createRelayClient({ baseUrl: relay.url, fetch: (input, init) => fetch(input, init) });
  const { randomnessKey } = await client.info();
  const bytes = replayEffect({
    capability: uses,
    request,
    record,
    response,
    place: { run: done.id, node, iteration, attempt },
    verifyProof: (message, proof) =>
      randomnessKey !== undefined && provesRandomness(randomnessKey, message, proof),
  });
  return JSON.parse(Buffer.from(bytes).toString());
}

test(
  "a provider fetches for a run, and what it did is followed from its record",
  { timeout: 30_000 },
  async () => {
    const uses = capability({ kind: "fetch", origins: [origin], methods: ["GET"] });
    const request = { url: `${origin}/document`, headers: { accept: "application/json" }, as: "json" };
    const { run: done, events } = await run(planOf({ get: effect(uses, request, "any") }, "get"));
    expect((await done.result()).value).toEqual({ a: [2], b: 1 });
    const step = stepOf(events, "get");
    expect(step).toMatchObject({ callee: capabilityCid(uses), lease: expect.any(String) });
    expect(await replayed(done, step, uses)).toEqual({ a: [2], b: 1 });
    const summary = await done.summary;
    expect(summary.spent).toBeGreaterThan(0n);
    expect(summary.providers).toEqual([provider.peer]);
  },
);

test(
  "the relay fetches for a run, once, and signs for it with its own key",
  { timeout: 30_000 },
  async () => {
    const uses = capability({ kind: "fetch", origins: [origin], methods: ["POST"] });
    const request = { url: `${origin}/moved`, method: "POST", body: "{}", as: "response" };
    const { run: done, events } = await run(planOf({ post: effect(uses, request, "relay") }, "post"));
    // The answer that sends elsewhere is the answer: nobody goes there.
    expect((await done.result()).value).toEqual({ status: 302, headers: {}, body: "" });
    const step = stepOf(events, "post");
    expect(step.lease).toBeUndefined();
    expect(await replayed(done, step, uses)).toMatchObject({ status: 302 });
    expect(asked.map(({ path }) => path)).toEqual(["/moved"]);
    expect((await done.summary).spent).toBe(0n);
  },
);

test("a redirect is not followed by a provider either", { timeout: 30_000 }, async () => {
  const uses = capability({ kind: "fetch", origins: [origin], methods: ["GET"] });
  const { run: done } = await run(planOf({ get: effect(uses, { url: `${origin}/moved` }, "any") }, "get"));
  await expect(done.result()).rejects.toThrow(/effect-failed/u);
  expect(new Set(asked.map(({ path }) => path))).toEqual(new Set(["/moved"]));
});

test.each(["any", "relay"] as const)(
  "a secret reaches the server by a peer at %s, and stands in nothing that anybody keeps",
  { timeout: 30_000 },
  async (at) => {
    const uses = capability({ kind: "fetch", origins: [origin], methods: ["GET"], secrets: ["token"] });
    const request = {
      url: `${origin}/private`,
      headers: { authorization: "Bearer {secret:token}" },
      as: "json",
    };
    const { run: done, events } = await run(planOf({ get: effect(uses, request, at) }, "get"), {
      secrets: { token: SECRET },
    });
    await done.result();
    await done.summary;
    expect(asked.map(({ headers }) => headers.authorization)).toEqual([`Bearer ${SECRET}`]);
    const record = done.record();
    const step = stepOf(events, "get");
    const values = await Promise.all(
      [step.args, step.result, step.record].filter((cid) => cid !== undefined).map((cid) => done.value(cid)),
    );
    const kept = [record, events, values, decodeRecord(values[2] ?? new Uint8Array())];
    const texts = JSON.stringify(kept, (_, value: unknown) =>
      value instanceof Uint8Array
        ? Buffer.from(value).toString("latin1")
        : typeof value === "bigint"
          ? String(value)
          : value,
    );
    expect(texts).toContain("{secret:token}");
    expect(texts).not.toContain(SECRET);
    expect(logged.length).toBeGreaterThan(0);
    expect(logged.join("")).not.toContain(SECRET);
    // All entries: jobs, leases, receipts.
    for (let index = 0; index < relay.books.size(); index += 1)
      expect(Buffer.from(relay.books.entry(index) ?? new Uint8Array()).toString("latin1")).not.toContain(
        SECRET,
      );
  },
);

test(
  "a secret of the command line reaches the server, from the environment too, and is in no record",
  { timeout: 30_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "tabmesh-secret-"));
    const uses = capability({
      kind: "fetch",
      origins: [origin],
      methods: ["GET"],
      secrets: ["token", "TABMESH_TEST_SECRET"],
    });
    const headers = { authorization: "Bearer {secret:token}", "x-other": "{secret:TABMESH_TEST_SECRET}" };
    const request = { url: `${origin}/private`, headers, as: "json" };
    const plan = planOf({ get: effect(uses, request, "any") }, "get");
    const [planFile, recordFile] = [join(folder, "secret.yaml"), join(folder, "secret.run")];
    writeFileSync(planFile, await printPlan(plan, "yaml"));
    process.env["TABMESH_TEST_SECRET"] = `${SECRET}-too`;
    try {
      const args = ["--secret", `token=${SECRET}`, "--secret", "TABMESH_TEST_SECRET", "--record", recordFile];
      const ran = await runHere(join(folder, "home"), [
        "plan",
        "run",
        planFile,
        ...args,
        "--yes",
        "--relay",
        relay.url,
      ]);
      expect([ran.exit, ran.stderr]).toEqual([0, expect.stringContaining("Verified")]);
      expect(asked.map(({ headers: got }) => [got.authorization, got["x-other"]])).toEqual([
        [`Bearer ${SECRET}`, `${SECRET}-too`],
      ]);
      const written = ran.stdout + ran.stderr + readFileSync(recordFile, "latin1");
      expect(written).toContain("{secret:token}");
      expect(written).not.toContain(SECRET);
    } finally {
      delete process.env["TABMESH_TEST_SECRET"];
      rmSync(folder, { recursive: true });
    }
  },
);

test("a store keeps values with versions for whoever pays", { timeout: 30_000 }, async () => {
  const kept = { namespace: "notes" } as const;
  const put = capability({ kind: "kv-put", ...kept });
  const get = capability({ kind: "kv-get", ...kept });
  const plan = planOf(
    {
      first: effect(put, { key: "a", value: { n: 1 }, ifVersion: 0 }, "relay"),
      second: effect(put, { key: "a", value: { n: 2 }, ifVersion: 0 }, "relay", { after: ["first"] }),
      read: effect(get, { key: "a" }, "relay", { after: ["second"] }),
    },
    "read",
  );
  const { run: done, events } = await run(plan);
  expect((await done.result()).value).toEqual({ value: { n: 1 }, version: 1 });
  expect(await replayed(done, stepOf(events, "second"), put)).toEqual({
    done: false,
    value: { n: 1 },
    version: 1,
  });
});

test("randomness follows from the step, and that of the relay is proven", { timeout: 30_000 }, async () => {
  const uses = capability({ kind: "random" });
  const plan = planOf(
    {
      plain: effect(uses, { bytes: 8 }, "any"),
      proven: effect(uses, { verifiable: true }, "relay", { after: ["plain"] }),
    },
    "proven",
  );
  const { run: done, events } = await run(plan);
  expect((await done.result()).value).toMatch(/^[0-9a-f]{64}$/u);
  expect(await replayed(done, stepOf(events, "plain"), uses)).toMatch(/^[0-9a-f]{16}$/u);
  expect(await replayed(done, stepOf(events, "proven"), uses)).toMatch(/^[0-9a-f]{64}$/u);
});

test(
  "several providers are asked for one effect, and its value counts where they agree",
  { timeout: 30_000 },
  async () => {
    const second = await startFunctionProvider(relay.url, { module: new Uint8Array(), effects: granted() });
    try {
      const uses = capability({ kind: "fetch", origins: [origin], methods: ["GET"] });
      const both = { provenance: { check: "quorum", k: 2, n: 2 }, output: { type: "text" } } as const;
      const node = effect(uses, { url: `${origin}/document` }, "any", both);
      const { run: done, events } = await run(planOf({ get: node }, "get"));
      expect((await done.result()).value).toBe('{"b":1, "a":[2]}');
      expect(asked.map(({ path }) => path)).toEqual(["/document", "/document"]);
      const peers = events.flatMap((event) =>
        event.kind === "ended" && event.node === "get" ? [event.peer] : [],
      );
      expect(peers).toEqual(expect.arrayContaining([provider.peer, second.peer]));
    } finally {
      await second.vanish();
    }
  },
);

test(
  "what nobody has granted finds no provider, and the relay says who has to allow it",
  { timeout: 30_000 },
  async () => {
    const uses = capability({ kind: "fetch", origins: ["https://example.org"], methods: ["GET"] });
    const request = { url: "https://example.org/" };
    const there = await run(planOf({ get: effect(uses, request, "relay") }, "get"));
    await expect(there.run.result()).rejects.toThrow(/operator lets nobody ask https:\/\/example.org/u);
    const here = await run(planOf({ get: effect(uses, request, "any") }, "get"), { noProviderTimeoutMs: 1 });
    await expect(here.run.result()).rejects.toThrow(/does not allow the effect/u);
  },
);

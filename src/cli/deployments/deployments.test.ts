import { createHmac, randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import wabtInit from "wabt";
import type { CallNode, ExprNode, MapNode, Plan } from "../../plan/plan.ts";
import { cidOf, RAW } from "../../protocol/cid.ts";
import { fuel } from "../../protocol/units.ts";
import { relayConfig } from "../../relay/config.ts";
import { type Relay, startRelay } from "../../relay/start-relay.ts";
import {
  type AccountOwner,
  deploy,
  type DeploymentView,
  deploymentLog,
  type DeployTerms,
  listDeployments,
  type LogLine,
  undeploy,
  webhookSecret,
} from "../../sdk/index.ts";
import { type FunctionProvider, startFunctionProvider } from "../function-provider.contract.ts";
import { meshGateway } from "../gateway/mesh-gateway.ts";
import { meshPlans } from "./mesh-plans.ts";

const wabt = await wabtInit();

/** Adds one to every byte of its input. */
const ADD = new Uint8Array(
  wabt
    .parseWat(
      "f.wat",
      `(module (memory (export "memory") 64 128)
  (func (export "tabmesh_alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "tabmesh_run") (param i32 i32) (result i64) (local i32)
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get 2) (local.get 1)))
      (i32.store8 (i32.add (local.get 0) (local.get 2))
        (i32.add (i32.const 1) (i32.load8_u (i32.add (local.get 0) (local.get 2)))))
      (local.set 2 (i32.add (local.get 2) (i32.const 1)))
      (br $next)))
    (i64.or (i64.shl (i64.extend_i32_u (local.get 0)) (i64.const 32)) (i64.extend_i32_u (local.get 1)))))`,
    )
    .toBinary({}).buffer,
);

const LIMITS = { fuel: fuel(1_000_000), memory: 8 << 20, output: 1 << 16, deadlineMs: 5_000 } as const;

function call(input: CallNode["input"]): CallNode {
  return {
    kind: "call",
    callee: { kind: "function", cid: cidOf(RAW, ADD), entry: "tabmesh_run", abi: "bytes-1", args: [] },
    input,
    output: { type: "text" },
    place: { at: "any" },
    provenance: { check: "signature" },
    limits: LIMITS,
  };
}

const ONCE: Plan = {
  v: 1,
  name: "once",
  graph: {
    params: { word: { type: "text" } },
    nodes: { added: call({ from: "param", param: "word" }) },
    result: { from: "node", node: "added" },
  },
};

const EACH: Plan = {
  v: 1,
  name: "each",
  graph: {
    params: { words: { type: "list", of: { type: "text" } } },
    nodes: {
      all: {
        kind: "map",
        over: { from: "param", param: "words" },
        with: {},
        graph: {
          params: { item: { type: "text" }, index: { type: "number" } },
          nodes: { added: call({ from: "param", param: "item" }) },
          result: { from: "node", node: "added" },
        },
        max: 16,
        parallel: 2,
      } satisfies MapNode,
    },
    result: { from: "node", node: "all" },
  },
};

/** Says what it was called with, as an answer of its own. Nobody but the relay's own requester is needed for it. */
const PAGE: Plan = {
  v: 1,
  name: "page",
  graph: {
    params: { request: { type: "json" } },
    nodes: {
      answer: {
        kind: "expr",
        expression: { op: "name", name: "request" },
        with: { request: { from: "param", param: "request" } },
      } satisfies ExprNode,
    },
    result: { from: "node", node: "answer" },
  },
};

const BUDGET = 20_000n;

let relay: Relay;
const providers: FunctionProvider[] = [];

function owner(): AccountOwner {
  return { relay: relay.url, seed: new Uint8Array(randomBytes(32)) };
}

async function offers(): Promise<number> {
  const metrics = await (await fetch(`${relay.url}/metrics`)).text();
  return Number(/^tabmesh_offers (\d+)/mu.exec(metrics)?.[1]);
}

async function join(module = ADD): Promise<FunctionProvider> {
  const provider = await startFunctionProvider(relay.url, { module });
  providers.push(provider);
  await expect.poll(offers, { timeout: 10_000 }).toBe(providers.length);
  return provider;
}

async function view(who: AccountOwner, name: string): Promise<DeploymentView | undefined> {
  return (await listDeployments(who)).find((each) => each.name === name);
}

async function deployed(who: AccountOwner, terms: Partial<DeployTerms> & Pick<DeployTerms, "name" | "plan">) {
  await deploy(who, { budget: BUDGET, modules: [ADD], ...terms });
  await expect
    .poll(() => view(who, terms.name), { timeout: 20_000 })
    .toSatisfy(
      (found: DeploymentView | undefined) =>
        found !== undefined && found.state !== "checking" && found.trying === undefined,
    );
}

async function lines(who: AccountOwner, name: string): Promise<readonly LogLine[]> {
  const found: LogLine[] = [];
  for await (const line of deploymentLog(who, name)) found.push(line);
  return found;
}

function said(all: readonly LogLine[], kind: LogLine["kind"]): readonly string[] {
  return all.filter((line) => line.kind === kind).map(({ words }) => words);
}

beforeAll(async () => {
  const config = {
    port: 0,
    dataDir: ":memory:",
    iceServers: [],
    logLevel: "silent",
    auditThreads: 1,
  } as const;
  relay = await startRelay(relayConfig(config), { gateway: meshGateway, plans: meshPlans });
}, 60_000);

afterEach(async () => {
  await Promise.all(providers.splice(0).map((each) => each.vanish()));
  await expect.poll(offers, { timeout: 10_000 }).toBe(0);
});

afterAll(() => relay.stop());

describe("what is deployed", { timeout: 60_000 }, () => {
  test("is called over HTTP by anybody, at its owner's expense, and never above a day's money", async () => {
    await join();
    const who = owner();
    await deployed(who, {
      name: "plus-one",
      plan: ONCE,
      open: true,
      perDay: 2n * BUDGET,
      health: { word: "a" },
    });
    const answer = await fetch(`${relay.url}/f/plus-one?word=abc`);
    expect(await answer.text()).toBe("bcd");
    expect(answer.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(answer.headers.get("content-security-policy")).toMatch(/^sandbox;/u);
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
    expect(answer.headers.get("set-cookie")).toBeNull();
    const missing = await fetch(`${relay.url}/f/plus-one`);
    expect(missing.status).toBe(400);
    expect(await missing.text()).toContain("parameter word is missing");
    await expect.poll(async () => (await view(who, "plus-one"))?.runs, { timeout: 10_000 }).toBe(2);
    const { today } = (await view(who, "plus-one")) ?? {};
    expect(today).toBeGreaterThan(0n);
    expect(today).toBeLessThanOrEqual(2n * BUDGET);
    const all = await lines(who, "plus-one");
    expect(said(all, "fired")).toEqual([]);
    expect(said(all, "called")).toContain("GET /");
    expect(said(all, "ended")).toEqual(["done", "done"]);
    await undeploy(who, "plus-one");
    expect((await fetch(`${relay.url}/f/plus-one?word=abc`)).status).toBe(404);
  });
});

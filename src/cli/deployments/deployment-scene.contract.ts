import { randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
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
} from "../../sdk/index.ts";
import { type FunctionProvider, startFunctionProvider } from "../function-provider.contract.ts";
import { meshGateway } from "../gateway/mesh-gateway.ts";
import { meshPlans } from "./mesh-plans.ts";

const wabt = await wabtInit();

/** Adds one to every byte of its input. */
export const ADD: Uint8Array = moduleOf(
  "(i32.add (i32.const 1) (i32.load8_u (i32.add (local.get 0) (local.get 2))))",
);
/** Ends in a trap, at every input that is not empty. */
export const TRAP: Uint8Array = moduleOf("(unreachable)");

function moduleOf(byte: string): Uint8Array {
  const text = `(module (memory (export "memory") 64 128)
  (func (export "tabmesh_alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "tabmesh_run") (param i32 i32) (result i64) (local i32)
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get 2) (local.get 1)))
      (i32.store8 (i32.add (local.get 0) (local.get 2)) ${byte})
      (local.set 2 (i32.add (local.get 2) (i32.const 1)))
      (br $next)))
    (i64.or (i64.shl (i64.extend_i32_u (local.get 0)) (i64.const 32)) (i64.extend_i32_u (local.get 1)))))`;
  return new Uint8Array(wabt.parseWat("f.wat", text).toBinary({}).buffer);
}

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

export const ONCE: Plan = {
  v: 1,
  name: "once",
  graph: {
    params: { word: { type: "text" } },
    nodes: { added: call({ from: "param", param: "word" }) },
    result: { from: "node", node: "added" },
  },
};

export const EACH: Plan = {
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
export const PAGE: Plan = {
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

export const BUDGET: bigint = 20_000n;

/** A relay that deploys, for the tests of one file. Providers leave after each test. */
export interface DeploymentScene {
  readonly url: string;
  readonly providers: FunctionProvider[];
  /** A new account, which the relay grants test credits. */
  owner(): AccountOwner;
  /** A provider of functions that has arrived. @param module what it runs, whatever it is asked for */
  join(module?: Uint8Array): Promise<FunctionProvider>;
  view(who: AccountOwner, name: string): Promise<DeploymentView | undefined>;
  /** Resolves when the version has been tried, well or not. */
  deployed(
    who: AccountOwner,
    terms: Partial<DeployTerms> & Pick<DeployTerms, "name" | "plan">,
  ): Promise<void>;
  lines(who: AccountOwner, name: string): Promise<readonly LogLine[]>;
}

/** Words of the lines of one kind. */
export function said(all: readonly LogLine[], kind: LogLine["kind"]): readonly string[] {
  return all.filter((line) => line.kind === kind).map(({ words }) => words);
}

async function view(who: AccountOwner, name: string): Promise<DeploymentView | undefined> {
  return (await listDeployments(who)).find((each) => each.name === name);
}

function isTried(found: DeploymentView | undefined): boolean {
  return found !== undefined && found.state !== "checking" && found.trying === undefined;
}

/** Opens the scene before the tests of the file that calls this, and closes it after them. */
export function deploymentScene(): DeploymentScene {
  let relay: Relay | undefined;
  const providers: FunctionProvider[] = [];
  const url = (): string => {
    if (relay === undefined) throw new Error("the scene is not open");
    return relay.url;
  };
  const offers = async (): Promise<number> => {
    const metrics = await (await fetch(`${url()}/metrics`)).text();
    return Number(/^tabmesh_offers (\d+)/mu.exec(metrics)?.[1]);
  };
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
  afterAll(() => relay?.stop());
  return {
    get url() {
      return url();
    },
    providers,
    owner: () => ({ relay: url(), seed: new Uint8Array(randomBytes(32)) }),
    async join(module = ADD) {
      const provider = await startFunctionProvider(url(), { module });
      providers.push(provider);
      await expect.poll(offers, { timeout: 10_000 }).toBe(providers.length);
      return provider;
    },
    view,
    async deployed(who, terms) {
      await deploy(who, { budget: BUDGET, modules: [ADD], ...terms });
      await expect.poll(() => view(who, terms.name), { timeout: 20_000 }).toSatisfy(isTried);
    },
    async lines(who, name) {
      const found: LogLine[] = [];
      for await (const line of deploymentLog(who, name)) found.push(line);
      return found;
    },
  };
}

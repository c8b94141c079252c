import { pino } from "pino";
import type { Plan } from "../../plan/plan.ts";
import { cidOf, RAW } from "../../protocol/cid.ts";
import { apiKeyMessage } from "../../protocol/messages/api-key.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { microCredits } from "../../protocol/units.ts";
import { HEAD, openScene, type Scene, signerOf, verifiedMessage } from "../books/books-scene.contract.ts";
import { DeploymentLog } from "./deployment-log.ts";
import { DeploymentRows } from "./deployment-rows.ts";
import { DeploymentRuns } from "./deployment-runs.ts";
import { type Deployment, newDeployment, type Version } from "./kept-deployment.ts";
import type { PlanOrder, StartedRun } from "./plan-requester.ts";

const PLAN: Plan = {
  v: 1,
  name: "p",
  graph: { params: {}, nodes: {}, result: { from: "constant", json: "1" } },
};
const BUDGET = microCredits(100n);

/** Runs of one deployment over real books, whose requester does what the test says. */
export interface DeploymentRunsScene extends Scene {
  readonly runs: DeploymentRuns;
  readonly log: DeploymentLog;
  readonly deployment: Deployment;
  readonly version: Version;
  /** What the requester was asked for. */
  readonly orders: PlanOrder[];
  /** What it does next. */
  start: (order: PlanOrder) => Promise<StartedRun>;
}

async function* none(): AsyncGenerator<never> {}

/** A run that says what it has cost when the test does. */
export function runOf(name: string, spent: Promise<bigint>): StartedRun {
  return {
    run: cidOf(RAW, encodeUtf8(name)),
    events: none(),
    value: async () => new Uint8Array(),
    result: async () => new Uint8Array(),
    spent,
  };
}

/** One run may cost 100 micro-credits, all of a day as much together. */
export async function openDeploymentRuns(): Promise<DeploymentRunsScene> {
  const scene = await openScene();
  const { books, clock, requester } = scene;
  const key = await verifiedMessage(
    apiKeyMessage,
    {
      ...HEAD,
      account: requester.key,
      gateway: signerOf("gateway").key,
      hash: new Uint8Array(32).fill(1),
      label: "a deployment",
      cap: microCredits(10_000n),
      per: "day",
    },
    [requester],
  );
  await books.addApiKey(key);
  const nowMs = (): number => clock.now;
  const rows = new DeploymentRows(":memory:");
  const log = new DeploymentLog(rows, nowMs);
  const deployment = newDeployment("d", requester.key);
  const version: Version = {
    id: key.id,
    terms: {
      ...HEAD,
      owner: requester.key,
      name: "d",
      version: 1,
      plan: cidOf(RAW, encodeUtf8("p")),
      params: "{}",
      replicas: 1,
      triggers: [],
      open: true,
      apiKey: key.id,
      budget: BUDGET,
      perDay: BUDGET,
      issuedAt: clock.now,
    },
    plan: PLAN,
    since: clock.now,
    wanted: 0,
  };
  deployment.current = version;
  rows.propose("d", requester.key, 1, key.id, new Uint8Array(), clock.now);
  const orders: PlanOrder[] = [];
  const made: { start: DeploymentRunsScene["start"] } = {
    start: async () => runOf("a run", new Promise(() => undefined)),
  };
  const runs = new DeploymentRuns({
    books,
    rows,
    log,
    requester: {
      start: async (order) => {
        orders.push(order);
        return made.start(order);
      },
      close: async () => undefined,
    },
    lines: pino({ level: "silent" }),
    nowMs,
  });
  return Object.assign(made, { ...scene, runs, log, deployment, version, orders });
}

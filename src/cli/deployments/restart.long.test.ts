import { createHmac, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { Plan } from "../../plan/plan.ts";
import { relayConfig } from "../../relay/config.ts";
import { type Relay, startRelay } from "../../relay/start-relay.ts";
import {
  type AccountOwner,
  deploy,
  deploymentLog,
  listDeployments,
  type LogLine,
  webhookSecret,
} from "../../sdk/index.ts";
import { meshGateway } from "../gateway/mesh-gateway.ts";
import { BUDGET, said } from "./deployment-scene.contract.ts";
import { meshPlans } from "./mesh-plans.ts";

const folder = mkdtempSync(join(tmpdir(), "tabmesh-deployments-"));
let relay: Relay | undefined;

afterAll(async () => {
  await relay?.stop();
  rmSync(folder, { recursive: true });
});

async function start(): Promise<Relay> {
  const config = { port: 0, dataDir: folder, iceServers: [], logLevel: "silent", auditThreads: 1 } as const;
  relay = await startRelay(relayConfig(config), { gateway: meshGateway, plans: meshPlans });
  return relay;
}

/** Takes a while at its coordinator, and needs nobody else. */
const SLOW: Plan = {
  v: 1,
  name: "slow",
  graph: {
    params: { word: { type: "text" } },
    nodes: { waits: { kind: "delay", value: { from: "param", param: "word" }, ms: 2_500 } },
    result: { from: "node", node: "waits" },
  },
};

async function lines(who: AccountOwner): Promise<readonly LogLine[]> {
  const found: LogLine[] = [];
  for await (const line of deploymentLog(who, "slow")) found.push(line);
  return found;
}

test("a relay that stops in the middle of a run goes on with that run when it is back, and begins no other", async () => {
  const seed = new Uint8Array(randomBytes(32));
  const secret = webhookSecret();
  const first = await start();
  const before = { relay: first.url, seed };
  const triggers = [{ id: "hook", kind: "webhook", missed: "all", secret }] as const;
  await deploy(before, { name: "slow", plan: SLOW, budget: BUDGET, triggers });
  await expect.poll(async () => (await listDeployments(before))[0]?.state, { timeout: 10_000 }).toBe("ready");
  const ring = async (url: string): Promise<number> => {
    const time = String(Math.floor(Date.now() / 1_000));
    const body = '{"word":"kept"}';
    const mac = createHmac("sha256", secret).update(`one.${time}.${body}`).digest("base64");
    const headers = {
      "content-type": "application/json",
      "webhook-id": "one",
      "webhook-timestamp": time,
      "webhook-signature": `v1,${mac}`,
    };
    return (await fetch(`${url}/v1/hooks/slow/hook`, { method: "POST", body, headers })).status;
  };
  expect(await ring(first.url)).toBe(202);
  await expect.poll(async () => said(await lines(before), "fired"), { timeout: 10_000 }).toHaveLength(1);
  await first.stop();
  const second = await start();
  const after = { relay: second.url, seed };
  expect(await ring(second.url)).toBe(200);
  await expect.poll(async () => said(await lines(after), "ended"), { timeout: 20_000 }).toEqual(["done"]);
  const all = await lines(after);
  expect(new Set(all.flatMap(({ run }) => (run === undefined ? [] : [run]))).size).toBe(1);
  // All of it, from both lives of the relay, is one chain.
  expect(all.map(({ seq }) => seq)).toEqual(all.map((_, place) => place));
}, 60_000);

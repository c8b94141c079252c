import { describe, expect, test } from "vitest";
import type { Plan } from "../../plan/plan.ts";
import { seal } from "../../protocol/envelope.ts";
import { signerFromSeed } from "../../protocol/ed25519.ts";
import { header } from "../../protocol/header.ts";
import { createRelayClient } from "../../mesh/relay-client.ts";
import { deployRequestMessage } from "../../protocol/messages/deploy.ts";
import {
  type AccountOwner,
  deploy,
  deploymentLog,
  listDeployments,
  undeploy,
  webhookSecret,
} from "../../sdk/index.ts";
import { BUDGET, deploymentScene, PAGE } from "./deployment-scene.contract.ts";

const scene = deploymentScene();

/** What it is told, after a while, at its coordinator alone. */
const WAITS: Plan = {
  v: 1,
  name: "waits",
  graph: {
    params: { word: { type: "text" } },
    nodes: { later: { kind: "delay", value: { from: "param", param: "word" }, ms: 700 } },
    result: { from: "node", node: "later" },
  },
};

async function request(
  { relay, seed }: AccountOwner,
  name: string,
  does: "logs" | "undeploy",
  owner = seed,
): Promise<Uint8Array> {
  const client = createRelayClient({ baseUrl: relay, fetch: (input, init) => fetch(input, init) });
  const info = await client.info();
  const signer = await signerFromSeed(crypto.subtle, new Uint8Array(seed));
  const { key } = await signerFromSeed(crypto.subtle, new Uint8Array(owner));
  const body = { ...header(info.origin, info.asset), owner: key, does, name, issuedAt: Date.now() };
  return seal(deployRequestMessage, body, [signer]);
}

describe("a deployment", { timeout: 60_000 }, () => {
  test("is seen, read and ended by its owner alone, by messages that count once", async () => {
    const who = scene.owner();
    const other = scene.owner();
    const secret = webhookSecret();
    const triggers = [{ id: "hook", kind: "webhook", missed: "all", secret }] as const;
    await scene.deployed(who, { name: "mine", plan: WAITS, triggers });
    expect(await listDeployments(other)).toEqual([]);
    await expect(undeploy(other, "mine")).rejects.toThrow(/not-found/u);
    await expect(deploymentLog(other, "mine").next()).rejects.toThrow(/not-found/u);
    const client = createRelayClient({ baseUrl: scene.url, fetch: (input, init) => fetch(input, init) });
    // Signed by somebody else in the owner's name.
    await expect(client.undeploy(await request(other, "mine", "undeploy", who.seed))).rejects.toThrow(
      /bad-signature/u,
    );
    const once = await request(who, "mine", "logs");
    expect((await client.deploymentLines(once, 0)).length).toBeGreaterThan(0);
    await expect(client.deploymentLines(once, 0)).rejects.toThrow(/replayed/u);
    const shown = JSON.stringify([await listDeployments(who), await scene.lines(who, "mine")], (_, value) =>
      typeof value === "bigint" ? `${value}` : value,
    );
    expect(shown).not.toContain(Buffer.from(secret).toString("base64").slice(0, 16));
    expect(shown).not.toContain(Buffer.from(secret).toString("hex").slice(0, 16));
    await undeploy(who, "mine");
    // What it was stays to be read, and its name stays its owner's.
    expect((await scene.lines(who, "mine")).at(-1)?.words).toBe("it has ended");
    await expect(deploy(other, { name: "mine", plan: WAITS, budget: BUDGET })).rejects.toThrow(/denied/u);
  });

  test("spends no more in a day than its owner has said, also by calls at the same moment", async () => {
    const who = scene.owner();
    await scene.deployed(who, { name: "dear", plan: WAITS, open: true, perDay: 2n * BUDGET });
    const statuses = await Promise.all(
      Array.from({ length: 5 }, async () => (await fetch(`${scene.url}/f/dear?word=a`)).status),
    );
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 200, 402, 402, 402]);
    await undeploy(who, "dear");
  });

  test("does for a caller what its owner has fixed", async () => {
    const who = scene.owner();
    await scene.deployed(who, { name: "fixed", plan: WAITS, open: true, params: { word: "owner" } });
    expect(await (await fetch(`${scene.url}/f/fixed?word=caller`)).text()).toBe("owner");
    await undeploy(who, "fixed");
  });

  test("is no script, style or worker of the relay's own pages", async () => {
    const who = scene.owner();
    await scene.deployed(who, { name: "page", plan: PAGE, open: true });
    const asked = async (headers: Readonly<Record<string, string>>): Promise<number> =>
      (await fetch(`${scene.url}/f/page`, { headers })).status;
    expect(await asked({})).toBe(200);
    for (const dest of ["script", "style", "worker", "serviceworker", "manifest"])
      expect(await asked({ "sec-fetch-site": "same-origin", "sec-fetch-dest": dest })).toBe(403);
    expect(await asked({ "service-worker": "script" })).toBe(403);
    // Whoever keeps answers for others keeps this one for those alone who ask in the same way.
    const { headers } = await fetch(`${scene.url}/f/page`);
    expect(headers.get("vary")).toBe("Sec-Fetch-Dest, Sec-Fetch-Site, Service-Worker, Accept");
    const refused = await fetch(`${scene.url}/f/nobody`);
    expect([refused.status, refused.headers.get("content-security-policy")]).toEqual([
      404,
      expect.stringMatching(/^sandbox;/u),
    ]);
    await undeploy(who, "page");
  });

  test("is refused at once where it could never run", async () => {
    const who = scene.owner();
    const terms = { name: "never", plan: WAITS, budget: BUDGET } as const;
    const cron = { id: "t", kind: "cron", missed: "once", zone: "UTC" } as const;
    await expect(deploy(who, { ...terms, triggers: [{ ...cron, cron: "0 0 30 2 *" }] })).rejects.toThrow(
      /never comes/u,
    );
    await expect(
      deploy(who, { ...terms, triggers: [{ ...cron, cron: "* * * * *", zone: "Mars/Base" }] }),
    ).rejects.toThrow(/malformed/u);
    await expect(deploy(who, { ...terms, perDay: BUDGET - 1n })).rejects.toThrow(/malformed/u);
    expect(await listDeployments(who)).toEqual([]);
  });
});

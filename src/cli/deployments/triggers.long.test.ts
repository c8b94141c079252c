import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { createRelayClient } from "../../mesh/relay-client.ts";
import { planCid } from "../../plan/plan-codec.ts";
import { signerFromSeed } from "../../protocol/ed25519.ts";
import { seal } from "../../protocol/envelope.ts";
import { header } from "../../protocol/header.ts";
import { nameMessage } from "../../protocol/messages/name.ts";
import type { Plan } from "../../plan/plan.ts";
import { deploy, undeploy, webhookSecret } from "../../sdk/index.ts";
import { BUDGET, deploymentScene, ONCE, PAGE, said } from "./deployment-scene.contract.ts";

const scene = deploymentScene();

describe("what is deployed, by itself", { timeout: 60_000 }, () => {
  test("is run by a webhook once for each call, however often that is repeated, and by nobody without the secret", async () => {
    await scene.join();
    const who = scene.owner();
    const secret = webhookSecret();
    const triggers = [{ id: "hook", kind: "webhook", missed: "all", secret }] as const;
    await scene.deployed(who, { name: "hooked", plan: ONCE, triggers });
    const ring = async (id: string, key: Uint8Array, timestamp = Math.floor(Date.now() / 1_000)) => {
      const body = JSON.stringify({ word: id });
      const mac = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
      const answer = await fetch(`${scene.url}/v1/hooks/hooked/hook`, {
        method: "POST",
        body,
        headers: {
          "content-type": "application/json",
          "webhook-id": id,
          "webhook-timestamp": String(timestamp),
          "webhook-signature": `v1,bm90aGluZw== v1,${mac}`,
        },
      });
      return answer.status;
    };
    expect(await ring("first", secret)).toBe(202);
    expect(await ring("first", secret)).toBe(200);
    expect(await ring("first", webhookSecret())).toBe(403);
    expect(await ring("late", secret, Math.floor(Date.now() / 1_000) - 600)).toBe(410);
    expect(await ring("second", secret)).toBe(202);
    await expect.poll(async () => (await scene.view(who, "hooked"))?.runs, { timeout: 15_000 }).toBe(2);
    const all = await scene.lines(who, "hooked");
    expect(said(all, "fired")).toEqual(["webhook hook", "webhook hook"]);
    expect(said(all, "ended")).toEqual(["done", "done"]);
    expect(new Set(all.flatMap(({ run }) => (run === undefined ? [] : [run]))).size).toBe(2);
    // The call is for its webhook alone: nobody may call it over HTTP.
    expect((await fetch(`${scene.url}/f/hooked?word=a`)).status).toBe(404);
    await undeploy(who, "hooked");
  });

  test("goes on as it was when a new version does not pass its trial", async () => {
    await scene.join();
    const who = scene.owner();
    await scene.deployed(who, { name: "kept", plan: ONCE, open: true, health: { word: "a" }, version: 1 });
    const broken: Plan = {
      ...ONCE,
      graph: {
        ...ONCE.graph,
        nodes: { added: { kind: "fail", detail: { from: "constant", json: '"on purpose"' } } },
      },
    };
    await scene.deployed(who, { name: "kept", plan: broken, open: true, health: { word: "a" }, version: 2 });
    await expect
      .poll(() => scene.view(who, "kept"), { timeout: 10_000 })
      .toMatchObject({ version: 1, state: "ready" });
    expect(await (await fetch(`${scene.url}/f/kept?word=abc`)).text()).toBe("bcd");
    const words = said(await scene.lines(who, "kept"), "version");
    expect(words.at(-1)).toMatch(/^version 2 did not pass its trial: .*on purpose.*; version 1 goes on$/u);
    await expect(deploy(who, { name: "kept", plan: ONCE, budget: BUDGET, version: 2 })).rejects.toThrow(
      /replayed/u,
    );
    await expect(deploy(scene.owner(), { name: "kept", plan: ONCE, budget: BUDGET })).rejects.toThrow(
      /denied/u,
    );
    await undeploy(who, "kept");
  });

  test("is run by the clock, by the end of another's run, and by a peer that comes", async () => {
    const who = scene.owner();
    const every = { id: "often", kind: "interval", missed: "once", everyMs: 1_000 } as const;
    const comes = { id: "came", kind: "peer", missed: "all" } as const;
    const told: Plan = {
      ...PAGE,
      graph: {
        ...PAGE.graph,
        params: { event: { type: "json" } },
        nodes: {},
        result: { from: "param", param: "event" },
      },
    };
    await scene.deployed(who, { name: "clock", plan: told, triggers: [every] });
    const { plan = planCid(told) } = (await scene.view(who, "clock")) ?? {};
    const after = { id: "after", kind: "run", missed: "all", plan } as const;
    await scene.deployed(who, { name: "chain", plan: { ...told, name: "chain" }, triggers: [after, comes] });
    await scene.join();
    await expect
      .poll(async () => said(await scene.lines(who, "chain"), "fired").toSorted(), { timeout: 20_000 })
      .toEqual(expect.arrayContaining(["peer came", "run after"]));
    expect(said(await scene.lines(who, "clock"), "fired").length).toBeGreaterThan(0);
    await undeploy(who, "clock");
    await undeploy(who, "chain");
  });

  test("is run when a registered name leads elsewhere, and not before", async () => {
    const who = scene.owner();
    const client = createRelayClient({ baseUrl: scene.url, fetch: (input, init) => fetch(input, init) });
    const [info, signer] = await Promise.all([
      client.info(),
      signerFromSeed(crypto.subtle, new Uint8Array(who.seed)),
    ]);
    const register = async (version: number, plan: Plan): Promise<void> => {
      const issuedAt = Date.now();
      const named = { owner: signer.key, name: "prices", version, plan: planCid(plan), issuedAt };
      const body = { ...header(info.origin, info.asset), ...named, expires: issuedAt + 3_600_000 };
      await client.putName("prices", await seal(nameMessage, body, [signer]));
    };
    const told: Plan = {
      ...PAGE,
      graph: {
        params: { event: { type: "json" } },
        nodes: {},
        result: { from: "param", param: "event" },
      },
    };
    const triggers = [{ id: "moved", kind: "name", missed: "all", name: "prices" }] as const;
    await scene.deployed(who, { name: "named", plan: told, triggers });
    await register(1, ONCE);
    await expect
      .poll(async () => said(await scene.lines(who, "named"), "fired"), { timeout: 10_000 })
      .toHaveLength(1);
    // A longer life of the same name is no change.
    await register(2, ONCE);
    await register(3, PAGE);
    await expect
      .poll(async () => said(await scene.lines(who, "named"), "ended"), { timeout: 10_000 })
      .toHaveLength(2);
    await undeploy(who, "named");
  });
});

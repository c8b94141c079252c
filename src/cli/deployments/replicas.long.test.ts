import { describe, expect, test } from "vitest";
import { undeploy } from "../../sdk/index.ts";
import { deploymentScene, ONCE, said, TRAP } from "./deployment-scene.contract.ts";

const scene = deploymentScene();

describe("what stands ready", { timeout: 60_000 }, () => {
  test("moves to another provider when one leaves, and says so", async () => {
    const first = await scene.join();
    const who = scene.owner();
    await scene.deployed(who, { name: "moved", plan: ONCE, open: true });
    await expect
      .poll(async () => (await scene.view(who, "moved"))?.replicas.map(({ provider }) => provider))
      .toEqual([first.peer]);
    const second = await scene.join();
    await first.vanish();
    scene.providers.splice(0, 1);
    await expect
      .poll(async () => (await scene.view(who, "moved"))?.replicas.map(({ provider }) => provider), {
        timeout: 20_000,
      })
      .toEqual([second.peer]);
    expect(await (await fetch(`${scene.url}/f/moved?word=abc`)).text()).toBe("bcd");
    expect(said(await scene.lines(who, "moved"), "replica")).toEqual([
      `${first.peer} stands ready`,
      `${first.peer} has left`,
      `${second.peer} stands ready`,
    ]);
    await undeploy(who, "moved");
  });

  test("is none that does not pass its trial: another takes its place, and callers never notice", async () => {
    const good = await scene.join();
    const who = scene.owner();
    const terms = { name: "tried", plan: ONCE, open: true, health: { word: "a" }, replicas: 2 } as const;
    await scene.deployed(who, terms);
    const bad = await scene.join(TRAP);
    await expect
      .poll(async () => said(await scene.lines(who, "tried"), "replica"), { timeout: 30_000 })
      .toContainEqual(expect.stringMatching(new RegExp(`^${bad.peer} did not pass its trial: `, "u")));
    await expect
      .poll(async () => (await scene.view(who, "tried"))?.replicas, { timeout: 10_000 })
      .toEqual([{ provider: good.peer, since: expect.any(Number), healthy: true }]);
    for (const word of ["a", "b", "c"])
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await fetch(`${scene.url}/f/tried?word=${word}`)).status).toBe(200);
    await undeploy(who, "tried");
  });
});

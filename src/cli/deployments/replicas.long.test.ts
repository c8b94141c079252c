import { describe, expect, test } from "vitest";
import { undeploy } from "../../sdk/index.ts";
import { deploymentScene, ONCE, said } from "./deployment-scene.contract.ts";

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
});

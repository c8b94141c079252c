import { describe, expect, test } from "vitest";
import { undeploy } from "../../sdk/index.ts";
import { BUDGET, deploymentScene, EACH, ONCE, PAGE, said } from "./deployment-scene.contract.ts";

const scene = deploymentScene();

describe("what is deployed, over HTTP", { timeout: 60_000 }, () => {
  test("is called over HTTP by anybody, at its owner's expense, and never above a day's money", async () => {
    await scene.join();
    const who = scene.owner();
    await scene.deployed(who, {
      name: "plus-one",
      plan: ONCE,
      open: true,
      perDay: 2n * BUDGET,
      health: { word: "a" },
    });
    const answer = await fetch(`${scene.url}/f/plus-one?word=abc`);
    expect(await answer.text()).toBe("bcd");
    expect(answer.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(answer.headers.get("content-security-policy")).toMatch(/^sandbox;/u);
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
    expect(answer.headers.get("set-cookie")).toBeNull();
    const missing = await fetch(`${scene.url}/f/plus-one`);
    expect(missing.status).toBe(400);
    expect(await missing.text()).toContain("parameter word is missing");
    await expect.poll(async () => (await scene.view(who, "plus-one"))?.runs, { timeout: 10_000 }).toBe(2);
    const { today } = (await scene.view(who, "plus-one")) ?? {};
    expect(today).toBeGreaterThan(0n);
    expect(today).toBeLessThanOrEqual(2n * BUDGET);
    const all = await scene.lines(who, "plus-one");
    expect(said(all, "fired")).toEqual([]);
    expect(said(all, "called")).toContain("GET /");
    expect(said(all, "ended")).toEqual(["done", "done"]);
    await undeploy(who, "plus-one");
    expect((await fetch(`${scene.url}/f/plus-one?word=abc`)).status).toBe(404);
  });

  test("answers with the elements of a list one by one, each as soon as it is there", async () => {
    await scene.join();
    const who = scene.owner();
    await scene.deployed(who, { name: "each", plan: EACH, open: true });
    const body = JSON.stringify({ words: ["aa", "bb", "cc"] });
    const json = { "content-type": "application/json" };
    const whole = await fetch(`${scene.url}/f/each`, { method: "POST", body, headers: json });
    expect(await whole.json()).toEqual(["bb", "cc", "dd"]);
    const accept = "application/x-ndjson";
    const bits = await fetch(`${scene.url}/f/each`, { method: "POST", body, headers: { ...json, accept } });
    expect(bits.headers.get("content-type")).toContain(accept);
    expect(await bits.text()).toBe('"bb"\n"cc"\n"dd"\n');
    const told = await fetch(`${scene.url}/f/each`, {
      method: "POST",
      body,
      headers: { ...json, accept: "text/event-stream" },
    });
    const events = await told.text();
    expect(events.match(/^event: step$/gmu)?.length).toBeGreaterThanOrEqual(3);
    expect(events).toMatch(/event: result\ndata: \["bb","cc","dd"\]\n\n$/u);
    await undeploy(who, "each");
  });

  test("is given what was called, without cookies and credentials, whatever the method and path", async () => {
    const who = scene.owner();
    await scene.deployed(who, { name: "page", plan: PAGE, open: true });
    const answer = await fetch(`${scene.url}/f/page/a/b?x=1`, {
      method: "PATCH",
      body: "hello",
      headers: { cookie: "session=1", authorization: "Bearer secret", "content-type": "text/plain" },
    });
    expect(await answer.json()).toEqual({
      method: "PATCH",
      path: "/a/b",
      query: { x: "1" },
      headers: expect.not.objectContaining({ cookie: expect.anything(), authorization: expect.anything() }),
      body: "hello",
      base64: false,
    });
    const tooLarge = await fetch(`${scene.url}/f/page`, {
      method: "POST",
      body: "x".repeat(4 * 1024 * 1024 + 1),
    });
    expect(tooLarge.status).toBe(413);
    await undeploy(who, "page");
  });
});

import { expect, it } from "vitest";
import { createSandbox } from "./sandbox.ts";
import type { Sandbox } from "./task.ts";
import { practiceModule, warmUp } from "./warm-up.ts";

it("what a thread practises on is a function like any other, and is not kept", async () => {
  const sandbox = createSandbox();
  expect(await sandbox.load("f", practiceModule())).toMatchObject({ kind: "loaded" });
  const loaded: string[] = [];
  const watched = {
    ...sandbox,
    load: (cid: string, bytes: Uint8Array) => {
      loaded.push(cid);
      return sandbox.load(cid, bytes);
    },
  };
  await warmUp(watched, () => loaded.length === 3);
  expect(loaded).toEqual(["practice 0", "practice 1", "practice 2"]);
});

it("a thread that is called does not practise", async () => {
  const sandbox = createSandbox();
  let loads = 0;
  const load: Sandbox["load"] = (cid, bytes) => {
    loads += 1;
    return sandbox.load(cid, bytes);
  };
  await warmUp({ ...sandbox, load }, () => true);
  expect(loads).toBe(0);
});

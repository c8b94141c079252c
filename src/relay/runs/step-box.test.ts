import { afterEach, expect, test } from "vitest";
import { signerOf } from "../books/books-scene.contract.ts";
import { holdersOf } from "../books/run-scene.contract.ts";
import { openRelayScene } from "../relay-scene.contract.ts";
import { accessOf, clientOf, makeRun, stepOf } from "./run-routes-scene.contract.ts";

const helen = signerOf("helen");
const provider = signerOf("provider");
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map(async (close) => close()));
});

test("a receipt is not shut out by another coordinator that signed the same words first", async () => {
  const relay = await openRelayScene();
  closing.push(() => relay.close());
  const client = clientOf(relay);
  const run = await makeRun(relay.scene);
  await client.registerRun(run.registration);
  await client.setRunHolders(run.id, (await holdersOf(relay.scene, run.id, 1, [helen, provider])).bytes);
  const copy = await stepOf(run.id, helen);
  const honest = await stepOf(run.id, provider);
  await client.putSteps(run.id, await accessOf(relay.scene, run.id, helen), [copy, copy]);
  const theirs = await accessOf(relay.scene, run.id, provider);
  await client.putSteps(run.id, theirs, [honest]);
  await client.putSteps(run.id, theirs, [copy, honest]);
  expect((await client.steps(run.id, theirs, 0)).steps).toEqual([copy, honest]);
});

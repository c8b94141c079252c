import { afterEach, expect, test } from "vitest";
import { RUN_KEPT_MS, RUN_SILENCE_MS } from "../../protocol/limits.ts";
import { decodeEntry, decodeEntryOf } from "../../protocol/messages/entry.ts";
import { MESSAGE_TYPE, RELAY_PATHS } from "../../protocol/relay-api.ts";
import type { Signer } from "../../protocol/signature.ts";
import { microCredits } from "../../protocol/units.ts";
import { type HookServer, openHookServer } from "../alerts/alert-scene.contract.ts";
import { signerOf } from "../books/books-scene.contract.ts";
import { endOf, holdersOf, refusal } from "../books/run-scene.contract.ts";
import {
  jobOf,
  offerOf,
  openRelayScene,
  type RelayScene,
  type RelaySceneOptions,
  submit,
} from "../relay-scene.contract.ts";
import { accessOf, clientOf, type MadeRun, makeRun } from "./run-routes-scene.contract.ts";

const helen = signerOf("helen");
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed())
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await close();
});

async function open(options: RelaySceneOptions = {}): Promise<RelayScene> {
  const relay = await openRelayScene(options);
  closing.push(() => relay.close());
  return relay;
}

async function hook(): Promise<HookServer> {
  const server = await openHookServer();
  closing.push(() => server.close());
  return server;
}

/** The envelope of the newest entry of a type, as anybody reads it out of the log. */
function logged(relay: RelayScene, type: "escrow" | "run" | "run-end" | "run-holders"): Uint8Array {
  const { books } = relay.scene;
  for (let index = books.size() - 1; index >= 0; index -= 1) {
    const entry = books.entry(index);
    if (entry !== undefined && decodeEntry(entry).type === type)
      return decodeEntryOf(type, entry).body.envelope;
  }
  throw new Error(`the log has no ${type}`);
}

/** A stranger sends bytes that it has from the log. */
async function replay(relay: RelayScene, path: string, envelope: Uint8Array): Promise<number> {
  const headers = { "content-type": MESSAGE_TYPE };
  const answer = await relay.http.request(path, { method: "POST", headers, body: envelope.slice() });
  return answer.status;
}

async function replayEnd(relay: RelayScene, { id }: MadeRun): Promise<number> {
  return replay(relay, RELAY_PATHS.runEnd.replace(":run", id), logged(relay, "run-end"));
}

test("a job that somebody brings again out of the log is no sign of life of who signed it", async () => {
  const relay = await open();
  const { clock, requester } = relay.scene;
  const client = clientOf(relay);
  const run = await makeRun(relay.scene);
  await client.registerRun(run.registration);
  await client.setRunHolders(run.id, (await holdersOf(relay.scene, run.id, 1, [helen])).bytes);
  relay.offers.put(offerOf("provider"), {});
  const job = async (by: Signer, turn: number): Promise<unknown> => {
    const money = { requester: by.key, payer: run.terms.payer, cap: microCredits(5_000) };
    return submit(relay, await jobOf(relay, { ...money, run: { id: run.id, node: "a", turn } }, [by]));
  };
  clock.now += RUN_SILENCE_MS + 1;
  expect(await job(requester, 0)).not.toBeTypeOf("string");
  expect(relay.runs.desk.isSilent(run.id, requester.key)).toBe(false);
  clock.now += RUN_SILENCE_MS + 1;
  expect(await replay(relay, RELAY_PATHS.jobs, logged(relay, "escrow"))).toBe(200);
  expect(relay.runs.desk.isSilent(run.id, requester.key)).toBe(true);
  relay.offers.put(offerOf("provider"), {});
  expect(await job(helen, 1)).not.toBeTypeOf("string");
});

test("an end that somebody brings again out of the log calls nobody, and keeps nothing longer", async () => {
  const server = await hook();
  const relay = await open({ privateWebhooks: true });
  const client = clientOf(relay);
  const run = await makeRun(relay.scene, { returnTo: server.url });
  await client.registerRun(run.registration);
  await client.endRun(run.id, (await endOf(run.id, relay.scene.requester)).bytes);
  await relay.runs.deliver();
  expect(server.calls).toHaveLength(1);
  relay.scene.clock.now += RUN_KEPT_MS - 1;
  expect(await replayEnd(relay, run)).toBe(200);
  await relay.runs.deliver();
  expect(server.calls).toHaveLength(1);
  relay.scene.clock.now += 2;
  relay.runs.sweep();
  await client.registerRun(run.registration);
  expect(await replayEnd(relay, run)).toBe(200);
  await relay.runs.deliver();
  expect(server.calls).toHaveLength(1);
  const access = await accessOf(relay.scene, run.id, relay.scene.requester);
  expect(await client.runValue(run.id, access, run.terms.plan, 10_000)).toBeUndefined();
});

test("an end whose return address was not noted before a crash is told when it is brought again", async () => {
  const server = await hook();
  const relay = await open({ privateWebhooks: true });
  const client = clientOf(relay);
  const run = await makeRun(relay.scene, { returnTo: server.url });
  await client.registerRun(run.registration);
  await relay.scene.books.runs.end(await endOf(run.id, relay.scene.requester));
  await relay.runs.deliver();
  expect(server.calls).toHaveLength(0);
  await replayEnd(relay, run);
  await relay.runs.deliver();
  expect(server.calls).toHaveLength(1);
});

test("what anybody can bring again out of the log uses up nobody's share of requests", async () => {
  const relay = await open({ identityBurst: 6 });
  const client = clientOf(relay);
  const run = await makeRun(relay.scene);
  await client.registerRun(run.registration);
  await client.setRunHolders(run.id, (await holdersOf(relay.scene, run.id, 1, [helen])).bytes);
  await client.endRun(run.id, (await endOf(run.id, relay.scene.requester)).bytes);
  for (let round = 0; round < 8; round += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await client.registerRun(run.registration);
    // oxlint-disable-next-line no-await-in-loop
    await client.setRunHolders(run.id, logged(relay, "run-holders"));
    // oxlint-disable-next-line no-await-in-loop
    expect(await replayEnd(relay, run)).toBe(200);
  }
  const register = async (): Promise<unknown> =>
    client.registerRun((await makeRun(relay.scene)).registration);
  for (let left = 3; left > 0; left -= 1)
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await register();
  expect(await refusal(register())).toMatch(/too many requests from this identity/u);
});

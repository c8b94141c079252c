import { afterAll, beforeAll, expect, test } from "vitest";
import { relayConfig } from "../relay/config.ts";
import { type Relay, startRelay } from "../relay/start-relay.ts";
import { connect, endJob, jobView, type Tabmesh } from "../sdk/index.ts";

let relay: Relay;
let tabmesh: Tabmesh;
const seed = new Uint8Array(32).fill(9);

beforeAll(async () => {
  relay = await startRelay(
    relayConfig({ port: 0, dataDir: ":memory:", iceServers: [], logLevel: "silent", auditThreads: 1 }),
  );
  tabmesh = await connect({ relay: relay.url, seed });
}, 60_000);
afterAll(async () => {
  await tabmesh.close();
  await relay.stop();
});

test("a job whose page is gone is seen at the relay and ended by its owner alone: all of it comes back", async () => {
  const handle = await tabmesh.map(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0), [Uint8Array.of(1)]);
  await expect
    .poll(() => jobView(relay.url, handle.job).catch(() => undefined))
    .toMatchObject({ state: "open" });
  const { cap, spent, refunded } = await jobView(relay.url, handle.job);
  expect([spent, refunded]).toEqual([0n, 0n]);
  const before = await tabmesh.account();
  expect(before?.escrowed).toBe(cap);
  await expect(endJob({ relay: relay.url, seed: new Uint8Array(32).fill(8) }, handle.job)).rejects.toThrow(
    "bad-signature",
  );
  const ended = await endJob({ relay: relay.url, seed }, handle.job);
  expect(ended).toMatchObject({ state: "closed", refunded: cap, spent: 0n });
  expect(await endJob({ relay: relay.url, seed }, handle.job)).toEqual(ended);
  const after = await tabmesh.account();
  expect([after?.available, after?.escrowed]).toEqual([(before?.available ?? 0n) + cap, 0n]);
  // What would be carried on here ends as well: it hears that the job is closed, or is cancelled before it asks.
  handle.cancel();
  await Promise.allSettled([handle.summary]);
});

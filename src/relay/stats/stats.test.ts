import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { networkViewJson, type NetworkView } from "../../protocol/network-view.ts";
import { openLease, signedJob, signedLease, signerOf } from "../books/books-scene.contract.ts";
import { offerOf, openRelayScene, type RelayScene } from "../relay-scene.contract.ts";
import { HourRows } from "./hour-rows.ts";
import { LINK_MS, NAMES_MS, VERIFIED_MS, VIEW_MS } from "./limits.ts";
import { MeshPicture, type MeshPictureParts } from "./mesh-picture.ts";
import { PriceHistory } from "./price-history.ts";
import { Samples } from "./samples.ts";
import { startStats } from "./start-stats.ts";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  // oxlint-disable-next-line no-await-in-loop -- in reverse order, one after the other
  for (const close of closing.splice(0).toReversed()) await close();
});

async function open(): Promise<RelayScene> {
  const relay = await openRelayScene();
  closing.push(() => relay.close());
  return relay;
}

/** What anybody is told, a moment later than before. */
async function viewOf(relay: RelayScene): Promise<NetworkView> {
  relay.scene.clock.now += VIEW_MS;
  const response = await relay.http.request("/v1/network");
  expect(response.status).toBe(200);
  return networkViewJson.read(await response.json());
}

describe("providers", () => {
  it("count as verified for ten minutes after a receipt, and only while their offer stands", async () => {
    const relay = await open();
    const { clock } = relay.scene;
    const holder = {};
    relay.offers.put(offerOf("provider"), holder);
    relay.offers.put(offerOf("idle"), {});
    expect((await viewOf(relay)).providers).toMatchObject({ connected: 2, verified: 0, threads: 0 });
    const { work } = await openLease(relay.scene);
    const { now } = clock;
    await work.go(3).send();
    expect((await viewOf(relay)).providers).toEqual({
      connected: 2,
      verified: 1,
      byReceipt: 1,
      byChallenge: 0,
      oldestProof: now,
      threads: 4,
      freeThreads: 4,
      memoryBytes: BigInt(1 << 28),
      fuelPerSecond: 0n,
      fuelMeasured: 0,
      modelPerSecond: 0n,
      modelMeasured: 0,
    });
    clock.now = now + VERIFIED_MS - 2 * VIEW_MS;
    expect((await viewOf(relay)).providers.verified).toBe(1);
    clock.now = now + VERIFIED_MS;
    const after = (await viewOf(relay)).providers;
    expect(after).toMatchObject({ connected: 2, verified: 0 });
    expect(after).not.toHaveProperty("oldestProof");
    const again = await openLease(relay.scene);
    await again.work.go(1).send();
    expect((await viewOf(relay)).providers.verified).toBe(1);
    relay.offers.withdraw(signerOf("provider").key, holder);
    expect((await viewOf(relay)).providers).toMatchObject({ connected: 1, verified: 0 });
  });

  it("count by a challenge they answered, with the speed that was measured", async () => {
    const relay = await open();
    const { clock, books } = relay.scene;
    relay.offers.put(offerOf("provider"), {});
    const at = clock.now;
    const running = startStats({
      data: { books },
      config: { tariff: relay.scene.options.tariff },
      offers: relay.offers,
      capability: { proof: () => ({ at, fuelPerSecond: 5_000n, modelPerSecond: 7_000n }) },
      mesh: { peerId: signerOf("relay").key, peers: () => [] },
      log: relay.log,
      nowMs: () => clock.now,
    });
    closing.push(() => running.stop());
    expect(running.stats.view().providers).toMatchObject({
      verified: 1,
      byChallenge: 1,
      fuelPerSecond: 5_000n,
      fuelMeasured: 1,
      modelPerSecond: 7_000n,
    });
    clock.now += VERIFIED_MS;
    expect(running.stats.view().providers).toMatchObject({ verified: 0, fuelPerSecond: 0n });
  });
});

describe("throughput", () => {
  it("is what receipts add to each other, by minutes", async () => {
    const relay = await open();
    const { clock } = relay.scene;
    const { work } = await openLease(relay.scene);
    clock.now += 60_000;
    await work.go(2).send();
    clock.now += 60_000;
    await work.go(5).send();
    const { throughput } = await viewOf(relay);
    expect(throughput).toMatchObject({ tasks: 7, fuel: 7_000_000n, receipts: 2 });
    expect(throughput.spanMs).toBe(2 * 60_000 + VIEW_MS);
    expect(throughput.minutes.map(({ tasks }) => tasks)).toEqual([0, 2, 5]);
    const paid = throughput.minutes.reduce((sum, minute) => sum + minute.paid, 0n);
    expect(paid).toBe(work.receiptBody().amount);
    clock.now += 20 * 60_000;
    const later = (await viewOf(relay)).throughput;
    expect([later.tasks, later.minutes.length]).toEqual([0, 23]);
    expect(later.spanMs).toBeLessThanOrEqual(VERIFIED_MS);
    clock.now += 7_200_000;
    expect((await viewOf(relay)).throughput.minutes).toHaveLength(60);
  });

  it("does not count work from before the relay counted", async () => {
    const relay = await open();
    const { clock, books } = relay.scene;
    const { work } = await openLease(relay.scene);
    await work.go(100).send();
    const running = startStats({
      data: { books },
      config: { tariff: relay.scene.options.tariff },
      offers: relay.offers,
      capability: { proof: () => undefined },
      mesh: { peerId: signerOf("relay").key, peers: () => [] },
      log: relay.log,
      nowMs: () => clock.now,
    });
    closing.push(() => running.stop());
    await work.go(1).send();
    expect(running.stats.view().throughput.tasks).toBe(0);
    clock.now += VIEW_MS;
    await work.go(2).send();
    expect(running.stats.view().throughput.tasks).toBe(2);
  });
});

describe("latency", () => {
  it("is told with the number of its samples, and of nothing where there are none", async () => {
    const relay = await open();
    const { clock } = relay.scene;
    expect((await viewOf(relay)).latency).toEqual([]);
    const { work } = await openLease(relay.scene);
    clock.now += 1_500;
    await work.go(2).send();
    clock.now += 2_500;
    await work.go(2).send({ receipt: { final: true } });
    expect((await viewOf(relay)).latency).toEqual([
      { what: "first-receipt", samples: 1, p50: 1_500_000, p90: 1_500_000, p99: 1_500_000 },
      { what: "task", samples: 1, p50: 1_000_000, p90: 1_000_000, p99: 1_000_000 },
    ]);
  });

  it("takes the nearest rank of the samples of its span", () => {
    const samples = new Samples(200, 1_000);
    expect(samples.percentiles(0)).toBeUndefined();
    for (let value = 500; value > 400; value -= 1) samples.add(value, 0);
    for (let value = 1; value <= 100; value += 1) samples.add(value, 1_000);
    expect(samples.percentiles(1_000)).toEqual({ samples: 100, p50: 50, p90: 90, p99: 99 });
    expect(samples.percentiles(999)?.samples).toBe(200);
    for (let value = 0; value < 1_000; value += 1) samples.add(7, 1_500);
    expect(samples.percentiles(1_500)).toEqual({ samples: 200, p50: 7, p90: 7, p99: 7 });
  });
});

describe("the history of prices", () => {
  it("is the same whether it was followed live or read from the log afterwards", async () => {
    const relay = await open();
    const { books, clock } = relay.scene;
    const hour = Math.floor(clock.now / 3_600_000) * 3_600_000;
    for (const tasks of [1, 4, 2]) {
      // oxlint-disable-next-line no-await-in-loop -- a story has an order
      const { work } = await openLease(relay.scene);
      // oxlint-disable-next-line no-await-in-loop -- as above
      await work.go(tasks).send({ receipt: { final: true } });
      clock.now += 40 * 60_000;
    }
    // One that ends unused has no price.
    await openLease(relay.scene);
    const { hours, listed } = (await viewOf(relay)).prices;
    expect(listed).toBe(100n);
    expect(hours.map(({ start, tasks, fuel }) => [start - hour, tasks, fuel])).toEqual([
      [0, 5, 5_000_000n],
      [3_600_000, 2, 2_000_000n],
    ]);
    const folder = mkdtempSync(join(tmpdir(), "tabmesh-stats-"));
    closing.push(async () => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, "stats.sqlite");
    for (const entries of [5, 1_000]) {
      // Looked at in parts, by two lives of the relay.
      const rows = new HourRows(path);
      const history = new PriceHistory(rows, (index) => books.entry(index), books.size());
      expect(history.lookAt(books.size(), entries)).toBe(entries === 5);
      history.flush();
      rows.close();
    }
    const rows = new HourRows(path);
    closing.push(async () => rows.close());
    const history = new PriceHistory(rows, (index) => books.entry(index), books.size());
    expect(history.lookAt(books.size(), 1_000)).toBe(false);
    expect(history.hours(clock.now)).toEqual(hours);
    expect(history.hours(clock.now + 8 * 86_400_000)).toEqual([]);
  });
});

const SELF = "the relay";

function pictureOf(changes: Partial<MeshPictureParts> = {}): MeshPicture {
  let made = 0;
  return new MeshPicture({
    self: SELF,
    haveLease: () => true,
    random: (length) => {
      made += 1;
      return new Uint8Array(length).fill(made);
    },
    ...changes,
  });
}

const ANA = signerOf("ana").key;
const BEA = signerOf("bea").key;
const KNOWN = { connected: [ANA, BEA], providers: new Set<string>([ANA]), verified: new Set<string>() };

describe("the picture of the mesh", () => {
  it("shows who is connected over what, under names that tell nobody's key", () => {
    const picture = pictureOf();
    picture.told(ANA, [{ peer: BEA, over: "webrtc" }], 0);
    const { peers, links, left } = picture.view(0, KNOWN);
    expect(left).toBe(0);
    const ana = peers.findIndex(({ does }) => does === "computes");
    const bea = peers.findIndex(({ does }) => does === "asks");
    expect(peers.map(({ does }) => does).toSorted()).toEqual(["asks", "computes", "relays"]);
    expect(peers[0]?.does).toBe("relays");
    expect(links).toEqual([
      { from: 0, to: 1, over: "websocket" },
      { from: 0, to: 2, over: "websocket" },
      { from: ana, to: bea, over: "webrtc" },
    ]);
    for (const { name } of peers) {
      expect(name).toMatch(/^[0-9a-f]{8}$/u);
      expect([ANA, BEA].some((key) => key.includes(name))).toBe(false);
    }
    expect(picture.view(NAMES_MS - 1, KNOWN).peers).toEqual(peers);
    const tomorrow = new Set(picture.view(NAMES_MS, KNOWN).peers.map(({ name }) => name));
    expect(peers.some(({ name }) => tomorrow.has(name))).toBe(false);
  });

  it("believes no link that no lease explains, and none that was told long ago", () => {
    const stranger = pictureOf({ haveLease: () => false });
    stranger.told(ANA, [{ peer: BEA, over: "webrtc" }], 0);
    expect(stranger.view(0, KNOWN).links.map(({ over }) => over)).toEqual(["websocket", "websocket"]);
    const picture = pictureOf();
    picture.told(ANA, [{ peer: BEA, over: "circuit" }], 0);
    expect(picture.view(LINK_MS - 1, KNOWN).links).toHaveLength(3);
    expect(picture.view(LINK_MS, KNOWN).links).toHaveLength(2);
    picture.told(ANA, [{ peer: BEA, over: "circuit" }], LINK_MS);
    picture.told(ANA, [], LINK_MS);
    expect(picture.view(LINK_MS, KNOWN).links).toHaveLength(2);
  });

  it("shows the verified first where not all find room, and says how many do not", () => {
    const connected = Array.from({ length: 500 }, (_, index) => `peer ${index}`);
    const verified = new Set(["peer 497", "peer 499"]);
    const { peers, left, links } = pictureOf().view(0, { connected, providers: verified, verified });
    expect([peers.length, left]).toEqual([200, 301]);
    expect(peers.filter((peer) => peer.verified)).toHaveLength(2);
    expect(links.every(({ from, to }) => from < 200 && to < 200)).toBe(true);
  });
});

it("links told with pongs are drawn between peers that are connected", async () => {
  const relay = await open();
  const { books, clock, provider, requester } = relay.scene;
  relay.offers.put(offerOf("provider"), {});
  const running = startStats({
    data: { books },
    config: { tariff: relay.scene.options.tariff },
    offers: relay.offers,
    capability: { proof: () => undefined },
    mesh: { peerId: signerOf("relay").key, peers: () => [provider.key, requester.key] },
    log: relay.log,
    nowMs: () => clock.now,
  });
  closing.push(() => running.stop());
  running.stats.answered(provider.key, 12.5, [{ peer: requester.key, over: "webrtc" }]);
  expect(running.stats.view().mesh.links).toHaveLength(2);
  const job = await signedJob(relay.scene);
  const { index } = await books.openJob(job);
  const lease = await signedLease(relay.scene, job, index);
  await books.addLease(lease);
  clock.now += VIEW_MS;
  const { mesh, latency } = running.stats.view();
  expect(mesh.links.map(({ over }) => over)).toEqual(["websocket", "websocket", "webrtc"]);
  expect(latency).toEqual([{ what: "line", samples: 1, p50: 12_500, p90: 12_500, p99: 12_500 }]);
});

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cdp } from "vitest/browser";
import { createMemoryNetwork, type MemoryNetwork } from "../mesh/memory-mesh.ts";
import { serveBlobs } from "../mesh/blob-exchange.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { type Cid, cidOf, RAW } from "../protocol/cid.ts";
import { peerIdFromSeed } from "../protocol/ed25519.ts";
import { MODEL_CHUNK_BYTES } from "../protocol/limits.ts";
import { chunkRange, encodeManifest, manifestCid, type ModelManifest } from "../protocol/model-manifest.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { ModelPeers } from "../protocol/relay-api.ts";
import { type BrowserStore, openBrowserStore } from "../storage/browser-store.ts";
import type { WorkOrder } from "./check-open.ts";
import { ModelSource, type ModelProgress } from "./model-source.ts";

const CHUNKS = 8;
const MODEL = new Uint8Array((CHUNKS - 1) * MODEL_CHUNK_BYTES + 5_000);
for (let at = 0; at < MODEL.length; at += 91) MODEL[at] = at / 91;

const blobs = new Map<Cid, Uint8Array<ArrayBuffer>>();
let cid: Cid;
let manifest: ModelManifest;

async function makeModel(): Promise<void> {
  const basis = { v: 1, entry: "generate", name: "stories", licence: "MIT", size: MODEL.length } as const;
  const chunks = new Uint8Array(CHUNKS * 32);
  for (let i = 0; i < CHUNKS; i += 1) {
    const { from, to } = chunkRange(basis, i);
    const chunk = MODEL.slice(from, to);
    chunks.set(new Uint8Array(await crypto.subtle.digest("SHA-256", chunk)), i * 32);
    blobs.set(cidOf(RAW, chunk), chunk);
  }
  manifest = { ...basis, memory: MODEL.length, context: 8, dimensions: 0, chunks };
  cid = manifestCid(manifest);
  blobs.set(cid, encodeManifest(manifest));
}
await makeModel();

const order = (): Pick<WorkOrder, "job"> =>
  ({ job: { body: { work: { cid } } } }) as unknown as Pick<WorkOrder, "job">;

function isModel(bytes: Uint8Array): boolean {
  return bytes.length === MODEL.length && bytes.every((byte, at) => byte === MODEL[at]);
}

async function peerOf(fill: number): Promise<PeerId> {
  return peerIdFromSeed(crypto.subtle, new Uint8Array(32).fill(fill));
}

type Answer = (asked: Cid) => Uint8Array | undefined;
const honest: Answer = (asked) => blobs.get(asked);

describe("the source of models", () => {
  let name = "";
  let store: BrowserStore;
  let network: MemoryNetwork;
  let mesh: Mesh;
  let requester: Mesh;
  /** What was asked of whom. */
  let asked: Map<string, number>;
  let peers: ModelPeers["peers"];
  let meshes: Mesh[];
  let fromRelay: Answer;
  let source: ModelSource;

  async function join(fill: number, answer: Answer): Promise<Mesh> {
    const member = network.join(await peerOf(fill));
    await member.start();
    meshes.push(member);
    serveBlobs(member, (wanted) => {
      asked.set(member.peerId, (asked.get(member.peerId) ?? 0) + 1);
      return Promise.resolve(answer(wanted));
    });
    return member;
  }

  /** Another tab that holds the model. */
  async function holder(fill: number, answer: Answer): Promise<Mesh> {
    const member = await join(fill, answer);
    peers = [...peers, { peer: await peerOf(fill), addresses: member.addresses() }];
    return member;
  }

  function newSource(capBytes?: number): ModelSource {
    return new ModelSource({
      ...(capBytes === undefined ? {} : { capBytes }),
      store: store.models,
      mesh,
      relay: {
        getBlob: (wanted) => {
          asked.set("relay", (asked.get("relay") ?? 0) + 1);
          const bytes = fromRelay(wanted);
          return Promise.resolve(bytes === undefined ? undefined : new Uint8Array(bytes));
        },
        modelPeers: () => Promise.resolve({ peers }),
      },
      now: () => Date.now(),
    });
  }

  beforeEach(async () => {
    name = `source-${crypto.randomUUID()}`;
    store = await openBrowserStore(name);
    network = createMemoryNetwork();
    asked = new Map();
    peers = [];
    meshes = [];
    fromRelay = honest;
    mesh = network.join(await peerOf(1));
    await mesh.start();
    meshes.push(mesh);
    requester = await join(2, () => undefined);
    source = newSource();
  });
  afterEach(async () => {
    source.stop();
    for (const each of meshes) await each.stop();
    store.close();
  });

  async function load(told: ModelProgress[] = []): Promise<Uint8Array> {
    const { file } = await source.load(order(), requester.peerId, (progress) => told.push(progress));
    return new Uint8Array(await file.arrayBuffer());
  }

  test("brings a model from the relay and tells how it goes", async () => {
    const told: ModelProgress[] = [];
    expect(isModel(await load(told))).toBe(true);
    expect(told.map(({ bytes }) => bytes)).toEqual(told.map(({ bytes }) => bytes).toSorted((a, b) => a - b));
    expect(told[0]).toMatchObject({ cid, name: "stories", bytes: 0, totalBytes: MODEL.length, sources: [] });
    expect(told.at(-1)).toMatchObject({
      bytes: MODEL.length,
      sources: [{ name: "the relay", chunks: CHUNKS }],
    });
    expect(told.at(-1)?.bytesPerSecond).toBeGreaterThan(0);
    expect(told).toHaveLength(CHUNKS + 1);
  });

  test("asks for nothing at the second start", async () => {
    await load();
    asked.clear();
    peers = [];
    store.close();
    store = await openBrowserStore(name);
    source = newSource();
    const told: ModelProgress[] = [];
    expect(isModel(await load(told))).toBe(true);
    expect(asked.size).toBe(0);
    expect(told).toEqual([]);
    expect(await source.held()).toEqual([cid]);
  });

  test("takes chunks from several tabs that have it, and spares the relay", async () => {
    await holder(3, honest);
    await holder(4, honest);
    const told: ModelProgress[] = [];
    expect(isModel(await load(told))).toBe(true);
    const counts = new Map(told.at(-1)?.sources.map((each) => [each.name, each.chunks]));
    expect([...counts.values()].reduce((sum, chunks) => sum + chunks, 0)).toBe(CHUNKS);
    expect([...counts.keys()].filter((each) => each.startsWith("peer"))).toHaveLength(2);
    expect(await source.held()).toEqual([cid]);
  });

  test("comes from another tab's store alone when the relay has it no more", async () => {
    const other = await openBrowserStore(`${name}-other`);
    const draft = await other.models.open(cid, manifest);
    for (const index of draft.missing()) {
      const { from, to } = chunkRange(manifest, index);
      await draft.write(index, MODEL.slice(from, to));
    }
    const member = network.join(await peerOf(5));
    await member.start();
    meshes.push(member);
    const theirs = new ModelSource({
      store: other.models,
      mesh: member,
      relay: { getBlob: () => Promise.resolve(undefined), modelPeers: () => Promise.resolve({ peers: [] }) },
      now: () => Date.now(),
    });
    const serving = serveBlobs(member, (wanted) => theirs.find(wanted));
    peers = [{ peer: await peerOf(5), addresses: member.addresses() }];
    fromRelay = () => undefined;
    expect(isModel(await load())).toBe(true);
    serving();
    other.close();
  });

  test("asks who sends other bytes no more, and takes nothing of it", async () => {
    const liar = await holder(3, (wanted) => {
      const bytes = blobs.get(wanted);
      return bytes === undefined || wanted === cid
        ? bytes
        : bytes.map((byte, at) => (at === 9 ? byte ^ 1 : byte));
    });
    const told: ModelProgress[] = [];
    expect(isModel(await load(told))).toBe(true);
    expect(told.at(-1)?.sources).toEqual([{ name: "the relay", chunks: CHUNKS }]);
    // Its lanes had asked before the first answer was hashed.
    expect(asked.get(liar.peerId)).toBeLessThanOrEqual(2);
  });

  test("goes on without a tab that goes away in the middle", async () => {
    let given = 0;
    const fickle = await holder(3, (wanted) => {
      given += 1;
      if (given > 2) network.cut(fickle.peerId);
      return honest(wanted);
    });
    expect(isModel(await load())).toBe(true);
  });

  test("goes on after a reload where it was", async () => {
    let left = 3;
    fromRelay = (wanted) => (wanted === cid || left-- > 0 ? honest(wanted) : undefined);
    await expect(load()).rejects.toMatchObject({ code: 10006 });
    store.close();
    store = await openBrowserStore(name);
    source = newSource();
    fromRelay = honest;
    asked.clear();
    const told: ModelProgress[] = [];
    expect(isModel(await load(told))).toBe(true);
    expect(told[0]?.bytes).toBe(3 * MODEL_CHUNK_BYTES);
    expect(asked.get("relay")).toBe(CHUNKS - 3);
  });

  test("says who was asked when nobody has it", async () => {
    fromRelay = () => undefined;
    await expect(load()).rejects.toThrow(/manifest of bafy.*the relay has it not; the requester has it not/u);
    fromRelay = (wanted) => (wanted === cid ? honest(wanted) : undefined);
    await expect(load()).rejects.toThrow(
      /8 chunks are missing: the requester has it not; the relay has it not/u,
    );
  });

  test("takes no manifest but the one of the CID", async () => {
    fromRelay = (wanted) => (wanted === cid ? encodeManifest({ ...manifest, memory: 1 }) : honest(wanted));
    await expect(load()).rejects.toThrow("the relay sent other bytes");
    expect(await store.models.list()).toEqual([]);
  });

  test("removes what was used longest ago rather than take more of the disk than models may", async () => {
    const other = { ...manifest, name: "of another stranger" };
    const draft = await store.models.open(manifestCid(other), other);
    await draft.write(0, MODEL.subarray(0, MODEL_CHUNK_BYTES));
    source = newSource(2 * MODEL.length - 1);
    expect(isModel(await load())).toBe(true);
    expect((await store.models.list()).map((model) => model.cid)).toEqual([cid]);
  });

  test("fetches it once for jobs that start together", async () => {
    const [a, b]: ModelProgress[][] = [[], []];
    const both = await Promise.all([load(a), load(b)]);
    expect(both.every(isModel)).toBe(true);
    expect(asked.get("relay")).toBe(CHUNKS + 1);
    expect(b?.at(-1)?.bytes).toBe(MODEL.length);
  });

  test("says before the download that the browser has no room, and asks for no chunk", async () => {
    const { usage = 0 } = await navigator.storage.estimate();
    await cdp().send("Storage.overrideQuotaForOrigin", {
      origin: location.origin,
      quotaSize: usage + 2_000_000,
    });
    try {
      await expect(load()).rejects.toMatchObject({
        code: 10003,
        detail: expect.stringMatching(/^the model needs 7\.3 MB more/u),
      });
      expect(asked.get("relay")).toBe(1);
    } finally {
      await cdp().send("Storage.overrideQuotaForOrigin", { origin: location.origin });
    }
  });

  test("ends when the provider stops, and when the person deletes the model", async () => {
    let chunks = 0;
    fromRelay = (wanted) => {
      chunks += 1;
      if (chunks === 4) source.stop();
      return honest(wanted);
    };
    await expect(load()).rejects.toMatchObject({ code: 10001 });
    source = newSource();
    fromRelay = honest;
    const deleted = source.load(order(), requester.peerId, () => void store.models.remove(cid));
    await expect(deleted).rejects.toMatchObject({ code: 10006 });
  });
});

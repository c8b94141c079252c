import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createRelayClient, type RelayClient } from "../../../mesh/relay-client.ts";
import { cidOf, DAG_CBOR } from "../../../protocol/cid.ts";
import { seal } from "../../../protocol/envelope.ts";
import { CLOCK_SKEW_MS } from "../../../protocol/limits.ts";
import {
  type PublishModel,
  publishModelMessage,
  unpublishModelMessage,
} from "../../../protocol/messages/model.ts";
import { encodeManifest, type ModelManifest } from "../../../protocol/model-manifest.ts";
import type { Signer } from "../../../protocol/signature.ts";
import { HEAD, signerOf } from "../../books/books-scene.contract.ts";
import {
  from,
  offerOf,
  openRelayScene,
  type RelayScene,
  type RelaySceneOptions,
} from "../../relay-scene.contract.ts";
import { type ModelSample, modelSample } from "./model-sample.contract.ts";
import { PublishedModels } from "./published-models.ts";

let relay: RelayScene;
let client: RelayClient;
let one: ModelSample;
let two: ModelSample;

const ADA = signerOf("ada");
const BOB = signerOf("bob");

beforeAll(async () => {
  [one, two] = await Promise.all([modelSample(1), modelSample(2)]);
});

async function open(options: RelaySceneOptions = {}): Promise<void> {
  relay = await openRelayScene(options);
  client = createRelayClient({
    baseUrl: "http://relay.example",
    fetch: async (input, init) => relay.http.request(new Request(input, init), undefined, from("127.0.0.1")),
  });
}

beforeEach(() => open());
afterEach(() => relay.close());

async function upload({ blobs }: ModelSample, without?: number): Promise<void> {
  for (const [index, { cid, bytes }] of blobs.entries())
    if (index !== without) await client.putBlob(cid, bytes);
}

async function publishing(
  model: ModelSample["cid"],
  changes: Partial<PublishModel> = {},
  signer: Signer = ADA,
): Promise<Uint8Array> {
  const issuedAt = relay.scene.clock.now;
  const body = { ...HEAD, publisher: signer.key, name: "stories", model, issuedAt, ...changes };
  return seal(publishModelMessage, body, [signer]);
}

async function unpublishing(changes: Partial<PublishModel> = {}, signer: Signer = ADA): Promise<Uint8Array> {
  const issuedAt = relay.scene.clock.now;
  const { model: _model, ...rest } = { model: one.cid, ...changes };
  return seal(unpublishModelMessage, { ...HEAD, publisher: signer.key, name: "stories", issuedAt, ...rest }, [
    signer,
  ]);
}

/** The same data, as if the relay had started anew. */
function restarted(): PublishedModels {
  const { blobs, offers, authentication, scene } = relay;
  const limit = { take: () => undefined } as never;
  return new PublishedModels({
    books: scene.books,
    blobs,
    offers,
    authentication,
    limit,
    capBytes: 1,
    nowMs: () => scene.clock.now,
  });
}

describe("publishing a model", () => {
  it("puts it on the list that clients of OpenAI's interface read, and is found by name and CID", async () => {
    expect(await client.models()).toEqual([]);
    await upload(one);
    const published = await client.publishModel(await publishing(one.cid));
    expect(published).toEqual({
      cid: one.cid,
      name: "stories",
      entry: "generate",
      licence: "CC0-1.0",
      size: one.file.length,
      memory: one.manifest.memory,
      context: one.manifest.context,
      dimensions: 0,
      publisher: ADA.key,
      published: relay.scene.clock.now,
    });
    expect(await client.models()).toEqual([published]);
    expect(await client.model("stories")).toEqual(published);
    expect(await client.model(one.cid)).toEqual(published);
    const list: unknown = await (await relay.http.request("/v1/models")).json();
    expect(list).toMatchObject({
      object: "list",
      data: [
        {
          id: "stories",
          object: "model",
          created: relay.scene.clock.now / 1_000,
          owned_by: ADA.key,
          cid: one.cid,
        },
      ],
    });
    await expect(client.model("another")).rejects.toMatchObject({ code: 40019 });
  });

  it("is refused as long as the manifest or a chunk is missing, with their number", async () => {
    await expect(client.publishModel(await publishing(one.cid))).rejects.toThrow("lacks the manifest");
    await upload(one, 2);
    await expect(client.publishModel(await publishing(one.cid))).rejects.toThrow("lacks 1 of 3 chunks");
    await client.putBlob(one.blobs[2]!.cid, one.blobs[2]!.bytes);
    await client.publishModel(await publishing(one.cid));
  });

  it("leaves a name to who had it first, and lets them replace the model under it", async () => {
    await upload(one);
    await upload(two);
    await client.publishModel(await publishing(one.cid));
    await expect(client.publishModel(await publishing(two.cid, {}, BOB))).rejects.toThrow("belongs to");
    await expect(client.unpublishModel(await unpublishing({}, BOB))).rejects.toThrow("belongs to");
    relay.scene.clock.now += 1;
    await client.publishModel(await publishing(two.cid));
    expect((await client.models()).map(({ cid }) => cid)).toEqual([two.cid]);
    expect(relay.blobs.isKept(one.cid)).toBe(false);
    await client.publishModel(await publishing(one.cid, { name: "tales" }, BOB));
    expect((await client.models()).map(({ name }) => name)).toEqual(["stories", "tales"]);
  });

  it("obeys no message twice, none that is older than what it did, and none of another time", async () => {
    await upload(one);
    const first = await publishing(one.cid);
    await client.publishModel(first);
    await expect(client.publishModel(first)).rejects.toThrow("a later message");
    relay.scene.clock.now += 1;
    await client.unpublishModel(await unpublishing());
    await expect(client.publishModel(first)).rejects.toThrow("a later message");
    const issuedAt = relay.scene.clock.now - CLOCK_SKEW_MS - 1;
    await expect(client.publishModel(await publishing(one.cid, { issuedAt }))).rejects.toThrow("not of now");
  });

  it("needs the publisher's own signature; no message has a name that is not in lower case", async () => {
    await upload(one);
    const forged = seal(
      publishModelMessage,
      { ...HEAD, publisher: ADA.key, name: "stories", model: one.cid, issuedAt: relay.scene.clock.now },
      [BOB],
    );
    await expect(client.publishModel(await forged)).rejects.toThrow("has not signed");
    for (const name of ["Stories", "", "-a", "a/b", "x".repeat(64)])
      await expect(publishing(one.cid, { name })).rejects.toThrow("no model's name");
    expect(await client.models()).toEqual([]);
  });

  it("never has another model's CID for its name, under which that one is asked for", async () => {
    await expect(publishing(two.cid, { name: one.cid })).rejects.toThrow("no model's name");
  });

  it("is refused to a manifest that says something else than the file's header", async () => {
    await upload(one);
    for (const lie of [
      { memory: 1 },
      { context: 9 },
      { dimensions: 3 },
      { licence: "MIT" },
      { entry: "embed" } as const,
    ]) {
      const manifest: ModelManifest = { ...one.manifest, ...lie };
      const bytes = encodeManifest(manifest);
      const cid = cidOf(DAG_CBOR, bytes);
      await client.putBlob(cid, bytes);
      await expect(client.publishModel(await publishing(cid))).rejects.toThrow("something else");
    }
  });

  it("is refused to what is no manifest at all", async () => {
    const bytes = new Uint8Array(300).fill(0xa0);
    const cid = cidOf(DAG_CBOR, bytes);
    await client.putBlob(cid, bytes);
    await expect(client.publishModel(await publishing(cid))).rejects.toMatchObject({ name: "FailureError" });
    expect(relay.logged.filter(({ level }) => level === 50)).toEqual([]);
  });
});

describe("a published model", () => {
  it("is there after a restart, unless its blobs are gone", async () => {
    await upload(one);
    const published = await client.publishModel(await publishing(one.cid));
    expect(restarted().list()).toEqual([published]);
    await relay.blobs.remove(one.blobs[1]!.cid);
    expect(restarted().list()).toEqual([]);
  });

  it("stays when other blobs take the room, and goes like them once it is taken back", async () => {
    await relay.close();
    await open({ blobCapBytes: 3_000_000 });
    await upload(one);
    await client.publishModel(await publishing(one.cid));
    await upload(two);
    expect(relay.blobs.has(two.blobs[1]!.cid)).toBe(false);
    for (const { cid } of one.blobs) expect(await client.hasBlob(cid)).toBe(true);
    relay.scene.clock.now += 1;
    await client.unpublishModel(await unpublishing());
    await expect(client.model("stories")).rejects.toMatchObject({ code: 40019 });
    await upload(two);
    expect(await client.hasBlob(one.blobs[1]!.cid)).toBe(false);
  });

  it("counts against the room for models", async () => {
    await relay.close();
    await open({ modelCapBytes: 4_000_000 });
    await upload(one);
    await upload(two);
    await client.publishModel(await publishing(one.cid));
    await expect(client.publishModel(await publishing(two.cid, { name: "tales" }))).rejects.toThrow(
      "at most 4000000",
    );
    relay.scene.clock.now += 1;
    await client.publishModel(await publishing(two.cid));
  });

  it("goes with all its chunks when the operator denies it, but not with those of another one", async () => {
    await upload(one);
    await upload(two);
    await client.publishModel(await publishing(one.cid));
    await client.publishModel(await publishing(two.cid, { name: "tales" }));
    await relay.scene.books.deny("cid", one.cid, "harm");
    expect((await client.models()).map(({ name }) => name)).toEqual(["tales"]);
    await relay.models.drop(one.cid);
    const both = new Set(two.blobs.map(({ cid }) => cid));
    for (const { cid } of one.blobs) expect(relay.blobs.has(cid)).toBe(both.has(cid));
    for (const { cid } of two.blobs) expect(relay.blobs.has(cid)).toBe(true);
    relay.scene.clock.now += 1;
    await expect(client.publishModel(await publishing(one.cid))).rejects.toMatchObject({ code: 40011 });
    expect(
      restarted()
        .list()
        .map(({ name }) => name),
    ).toEqual(["tales"]);
  });

  it("is offered by the providers that say they hold it", async () => {
    const [holder, other, silent] = [signerOf("holder"), signerOf("other"), signerOf("silent")];
    relay.offers.put(offerOf("holder", { models: [two.cid, one.cid] }), {});
    relay.offers.put(offerOf("other", { models: [two.cid] }), {});
    relay.offers.put(offerOf("silent", { models: [one.cid], addresses: [] }), {});
    expect(await client.modelPeers(one.cid)).toEqual({
      peers: [{ peer: holder.key, addresses: [`/memory/p2p/${holder.key}`] }],
    });
    const { peers } = await client.modelPeers(two.cid);
    expect(new Set(peers.map(({ peer }) => peer))).toEqual(new Set([holder.key, other.key]));
    expect(peers.map(({ peer }) => peer)).not.toContain(silent.key);
  });
});

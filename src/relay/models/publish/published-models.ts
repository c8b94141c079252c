import { buffer } from "node:stream/consumers";
import { manifestBasis } from "../../../inference/model/manifest.ts";
import { equalBytes } from "../../../protocol/bytes.ts";
import type { Cid } from "../../../protocol/cid.ts";
import { FailureError } from "../../../protocol/failure.ts";
import { CLOCK_SKEW_MS, MAX_MODEL_PEERS, MAX_PUBLISHED_MODELS } from "../../../protocol/limits.ts";
import {
  type PublishModel,
  publishModelMessage,
  unpublishModelMessage,
} from "../../../protocol/messages/model.ts";
import {
  chunkCid,
  chunkCount,
  decodeManifest,
  encodeManifest,
  type ModelManifest,
} from "../../../protocol/model-manifest.ts";
import { isPeerId, type PeerId } from "../../../protocol/peer-id.ts";
import type { ModelPeers, PublishedModel } from "../../../protocol/relay-api.ts";
import type { Authentication } from "../../authenticate.ts";
import type { BlobFolder } from "../../blob-folder.ts";
import type { Books } from "../../books.ts";
import { requireServed } from "../../denials.ts";
import type { LiveOffers } from "../../offers/live-offers.ts";
import type { RateLimit } from "../../rate-limit.ts";
import type { PublishedRow } from "../../store/published-rows.ts";

export interface PublishedModelsParts {
  readonly books: Pick<Books, "denied" | "published">;
  readonly blobs: BlobFolder;
  readonly offers: LiveOffers;
  readonly authentication: Authentication;
  readonly limit: RateLimit;
  /** Bytes of all published models together. */
  readonly capBytes: number;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
}

interface Published {
  readonly row: PublishedRow;
  readonly manifest: ModelManifest;
}

/** Models that the relay keeps for everybody. Their chunks are blobs that stay; names lie beside the books. */
export class PublishedModels {
  readonly #parts: PublishedModelsParts;
  readonly #byName = new Map<string, Published>();
  /** When each name was last changed, `issuedAt`, for as long as a message from before could pass for one of now. */
  readonly #changed = new Map<string, number>();

  /** A model whose blobs are gone is not published until somebody publishes it again. */
  constructor(parts: PublishedModelsParts) {
    this.#parts = parts;
    for (const row of parts.books.published.publishedModels()) {
      const published = { row, manifest: decodeManifest(row.manifest) };
      if (this.#missing(published).length === 0) this.#add(published);
    }
  }

  /** By name. */
  list(): readonly PublishedModel[] {
    return [...this.#byName.values()]
      .filter(({ row }) => this.#isServed(row))
      .map(viewOf)
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** @param model name or CID */
  find(model: string): PublishedModel | undefined {
    const found =
      this.#byName.get(model) ?? [...this.#byName.values()].find(({ row }) => row.model === model);
    return found !== undefined && this.#isServed(found.row) ? viewOf(found) : undefined;
  }

  /**
   * @throws FailureError `not-found` naming how many chunks are missing; `denied` for another one's name; `malformed` for a manifest
   * that is not that of its file; `too-large` beyond the cap; `expired`, `replayed`; whatever stands against its signer
   */
  async publish(envelope: Uint8Array): Promise<PublishedModel> {
    const { authentication, limit, books } = this.#parts;
    const { message, by } = authentication.open(publishModelMessage, envelope);
    const { body } = message;
    requireSigner(body.publisher, by);
    limit.take(body.publisher);
    requireServed(books, body.model);
    const manifest = await this.#readManifest(body.model);
    const { name, model, publisher, issuedAt } = body;
    const row = { name, model, publisher, published: issuedAt, manifest: encodeManifest(manifest) };
    const published = { row, manifest };
    this.#requireWhole(published);
    await this.#requireTrue(manifest);
    // From here on in one turn: nobody publishes, and nothing makes room for others, in between.
    this.#requireWhole(published);
    this.#requireNewer(name, publisher, issuedAt);
    this.#requireRoom(body, manifest);
    this.#parts.books.published.putPublished(row);
    this.#noteChange(name, issuedAt);
    this.#add(published);
    return viewOf(published);
  }

  /** @throws FailureError `not-found`, `denied` for another one's name, `expired`, `replayed` */
  unpublish(name: string, envelope: Uint8Array): void {
    const { message, by } = this.#parts.authentication.open(unpublishModelMessage, envelope);
    const { publisher, issuedAt } = message.body;
    requireSigner(publisher, by);
    if (message.body.name !== name)
      throw new FailureError("malformed", "unpublish-model: is about another name");
    if (!this.#byName.has(name)) throw new FailureError("not-found", `no model is published as ${name}`);
    this.#requireNewer(name, publisher, issuedAt);
    this.#noteChange(name, issuedAt);
    this.#remove(name);
  }

  /** Providers that say they hold the model, in an order that differs each time so that all are asked. */
  peers(model: Cid): ModelPeers {
    requireServed(this.#parts.books, model);
    const peers = this.#parts.offers
      .list()
      .filter(({ offer }) => offer.models?.includes(model) === true && offer.addresses.length > 0)
      .map(({ offer }) => ({ peer: offer.instance, addresses: offer.addresses, at: Math.random() }))
      .toSorted((a, b) => a.at - b.at)
      .slice(0, MAX_MODEL_PEERS);
    return { peers: peers.map(({ peer, addresses }) => ({ peer, addresses })) };
  }

  /** The operator has denied this: what is published of it goes, with its chunks, unless another model has them too. */
  async drop(denied: Cid | PeerId): Promise<void> {
    const going = [...this.#byName.values()].filter(
      ({ row }) => row.model === denied || row.publisher === denied,
    );
    for (const { row } of going) this.#remove(row.name);
    if (isPeerId(denied)) return;
    const { blobs } = this.#parts;
    for (const published of going) {
      const cids = [...blobsOf(published)].filter((cid) => !blobs.isKept(cid));
      // oxlint-disable-next-line no-await-in-loop -- rare, and one model has a thousand files
      await Promise.all(cids.map((cid) => blobs.remove(cid)));
    }
  }

  #isServed({ model, publisher }: PublishedRow): boolean {
    const { books } = this.#parts;
    return books.denied("cid", model) === undefined && books.denied("peer", publisher) === undefined;
  }

  #missing(published: Published): Cid[] {
    return [...blobsOf(published)].filter((cid) => !this.#parts.blobs.has(cid));
  }

  async #readManifest(model: Cid): Promise<ModelManifest> {
    const stored = this.#parts.blobs.find(model);
    if (stored === undefined) throw new FailureError("not-found", `the relay lacks the manifest ${model}`);
    return decodeManifest(await buffer(stored.open()));
  }

  #requireWhole(published: Published): void {
    const missing = this.#missing(published).length;
    if (missing === 0) return;
    const { row, manifest } = published;
    const chunks = `${missing} of ${chunkCount(manifest)} chunks`;
    throw new FailureError("not-found", `the relay lacks ${chunks} of ${row.model}`);
  }

  /** A manifest says of memory and sizes what its file says: requesters and providers go by it. */
  async #requireTrue(manifest: ModelManifest): Promise<void> {
    const first = this.#parts.blobs.find(chunkCid(manifest, 0));
    if (first === undefined) throw new FailureError("not-found", "the relay lacks the first chunk");
    const basis = manifestBasis(await buffer(first.open()), manifest.size);
    const { chunks } = manifest;
    if (!equalBytes(encodeManifest({ ...basis, chunks }), encodeManifest(manifest)))
      throw new FailureError("malformed", "the manifest says something else than the file's header");
  }

  #requireNewer(name: string, publisher: PeerId, issuedAt: number): void {
    const before = this.#byName.get(name)?.row;
    if (before !== undefined && before.publisher !== publisher)
      throw new FailureError("denied", `the name ${name} belongs to ${before.publisher}`);
    if (Math.abs(issuedAt - this.#parts.nowMs()) > CLOCK_SKEW_MS)
      throw new FailureError("expired", "the message is not of now: is this machine's clock right?");
    if (issuedAt <= Math.max(before?.published ?? 0, this.#changed.get(name) ?? 0))
      throw new FailureError("replayed", `a later message has changed ${name}`);
  }

  /** Strangers choose the names, so those that need not be known any more are forgotten, oldest first. */
  #noteChange(name: string, issuedAt: number): void {
    this.#changed.delete(name);
    this.#changed.set(name, issuedAt);
    for (const [each, at] of this.#changed) {
      if (at + CLOCK_SKEW_MS >= this.#parts.nowMs()) break;
      this.#changed.delete(each);
    }
  }

  #requireRoom({ name }: PublishModel, { size }: ModelManifest): void {
    const others = [...this.#byName.values()].filter(({ row }) => row.name !== name);
    if (others.length >= MAX_PUBLISHED_MODELS)
      throw new FailureError("too-large", `this relay publishes at most ${MAX_PUBLISHED_MODELS} models`);
    const bytes = others.reduce((sum, { manifest }) => sum + manifest.size, size);
    const { capBytes } = this.#parts;
    if (bytes > capBytes)
      throw new FailureError("too-large", `models take ${bytes} bytes with this one, at most ${capBytes}`);
  }

  #add(published: Published): void {
    const before = this.#byName.get(published.row.name);
    this.#byName.set(published.row.name, published);
    this.#parts.blobs.keep(blobsOf(published));
    if (before !== undefined) this.#parts.blobs.release(blobsOf(before));
  }

  #remove(name: string): void {
    const published = this.#byName.get(name);
    this.#parts.books.published.removePublished(name);
    this.#byName.delete(name);
    if (published !== undefined) this.#parts.blobs.release(blobsOf(published));
  }
}

/** The manifest and every chunk. */
function* blobsOf({ row, manifest }: Published): Generator<Cid, void, undefined> {
  yield row.model;
  for (let index = 0; index < chunkCount(manifest); index += 1) yield chunkCid(manifest, index);
}

function viewOf({ row, manifest }: Published): PublishedModel {
  const { entry, licence, size, memory, context, dimensions } = manifest;
  const { name, publisher, published, model: cid } = row;
  return { cid, name, entry, licence, size, memory, context, dimensions, publisher, published };
}

function requireSigner(publisher: PeerId, by: readonly { readonly root: PeerId }[]): void {
  if (!by.some(({ root }) => root === publisher))
    throw new FailureError("bad-signature", "the publisher has not signed");
}

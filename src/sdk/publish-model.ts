import { createRelayClient, type RelayClient } from "../mesh/relay-client.ts";
import type { Cid } from "../protocol/cid.ts";
import { seal } from "../protocol/envelope.ts";
import { FailureError } from "../protocol/failure.ts";
import { header } from "../protocol/header.ts";
import { isModelName, publishModelMessage, unpublishModelMessage } from "../protocol/messages/model.ts";
import {
  chunkCid,
  chunkCount,
  chunkRange,
  encodeManifest,
  manifestCid,
  type ModelManifest,
} from "../protocol/model-manifest.ts";
import type { PublishedModel } from "../protocol/relay-api.ts";
import { type AccountOwner, openDesk } from "./account-desk.ts";

/** A model file, read where it is needed. */
export interface PublishSource {
  readonly manifest: ModelManifest;
  /** @param index from 0 on */
  chunk(index: number): Promise<Uint8Array>;
}

export interface PublishProgress {
  /** Of the file, at the relay now: those that it had already counted too. */
  readonly bytes: number;
  readonly totalBytes: number;
  /** Of these the relay had before. */
  readonly bytesBefore: number;
}

export interface PublishOptions {
  /** a to z, 0 to 9, and behind the first character `.`, `_`, `-`; 63 characters at most. */
  readonly name: string;
  readonly onProgress?: (progress: PublishProgress) => void;
  readonly signal?: AbortSignal;
}

/** Chunks on their way to the relay at a time: enough to fill a line, few enough for its limit on uploads. */
const UPLOAD_LANES = 4;

/**
 * Sends the relay what it has not of a model, and publishes it. When it is broken off, the next attempt sends the rest.
 * @throws RangeError for a name that is none; FailureError of the relay; the signal's reason
 */
export async function publishModel(
  owner: AccountOwner,
  source: PublishSource,
  options: PublishOptions,
): Promise<PublishedModel> {
  const { name, signal } = options;
  if (!isModelName(name)) throw new RangeError(`${name} is no name of a model`);
  const { client, info, signer } = await openDesk(owner);
  const { manifest } = source;
  await new Upload(client, source, options).run();
  const model = manifestCid(manifest);
  if (!(await client.hasBlob(model, signal))) await client.putBlob(model, encodeManifest(manifest), signal);
  const ground = header(info.origin, info.asset);
  const body = { ...ground, publisher: signer.key, name, model, issuedAt: Date.now() };
  return client.publishModel(await seal(publishModelMessage, body, [signer]), signal);
}

/** Takes a name back. @throws FailureError `not-found`, `denied` for another one's name */
export async function unpublishModel(owner: AccountOwner, name: string): Promise<void> {
  if (!isModelName(name)) throw new FailureError("not-found", `${name} is no name of a model`);
  const { client, info, signer } = await openDesk(owner);
  const body = { ...header(info.origin, info.asset), publisher: signer.key, name, issuedAt: Date.now() };
  await client.unpublishModel(await seal(unpublishModelMessage, body, [signer]));
}

/** What a relay publishes, by name; nobody has to say who they are. @param relay origin of its HTTP server */
export async function listModels(relay: string, signal?: AbortSignal): Promise<readonly PublishedModel[]> {
  return createRelayClient({ baseUrl: relay, fetch: (input, init) => fetch(input, init) }).models(signal);
}

/** Chunks to the relay, several at a time. */
class Upload {
  readonly #client: RelayClient;
  readonly #source: PublishSource;
  readonly #options: PublishOptions;
  #next = 0;
  #bytes = 0;
  #bytesBefore = 0;

  constructor(client: RelayClient, source: PublishSource, options: PublishOptions) {
    this.#client = client;
    this.#source = source;
    this.#options = options;
  }

  async run(): Promise<void> {
    await Promise.all(Array.from({ length: UPLOAD_LANES }, () => this.#lane()));
  }

  async #lane(): Promise<void> {
    const { manifest } = this.#source;
    while (this.#next < chunkCount(manifest)) {
      const index = this.#next;
      this.#next += 1;
      // oxlint-disable-next-line no-await-in-loop -- a lane sends one chunk at a time
      await this.#send(chunkCid(manifest, index), index);
    }
  }

  async #send(cid: Cid, index: number): Promise<void> {
    const { signal, onProgress } = this.#options;
    const { manifest } = this.#source;
    const { from, to } = chunkRange(manifest, index);
    const isThere = await this.#client.hasBlob(cid, signal);
    if (!isThere) await this.#client.putBlob(cid, await this.#source.chunk(index), signal);
    this.#bytes += to - from;
    if (isThere) this.#bytesBefore += to - from;
    onProgress?.({ bytes: this.#bytes, totalBytes: manifest.size, bytesBefore: this.#bytesBefore });
  }
}

import { fetchBlob } from "../mesh/blob-exchange.ts";
import type { Mesh } from "../mesh/mesh.ts";
import type { RelayClient } from "../mesh/relay-client.ts";
import type { Cid } from "../protocol/cid.ts";
import { FailureError } from "../protocol/failure.ts";
import { hashesTo } from "../protocol/hashes-to.ts";
import { MAX_MANIFEST_BYTES } from "../protocol/limits.ts";
import { chunkCid, chunkRange, decodeManifest, type ModelManifest } from "../protocol/model-manifest.ts";
import type { ModelDraft, ModelStore } from "../storage/model-store.ts";
import { StorageError } from "../storage/storage-error.ts";
import type { WorkOrder } from "./check-open.ts";
import { ChunkFetch, type ChunkSource, type WantedChunk } from "./chunk-fetch.ts";
import {
  CHUNK_LANES,
  MANIFEST_TIMEOUT_MS,
  MODELS_CAP_BYTES,
  MOST_REPAIRS,
  SPEED_WINDOW_MS,
} from "./limits.ts";
import { modelsToRemove } from "./model-room.ts";
import { RecentRate } from "./recent-rate.ts";

/** How a download goes. */
export interface ModelProgress {
  readonly cid: Cid;
  readonly name: string;
  /** Of the file that are here, those of earlier starts counted. */
  readonly bytes: number;
  readonly totalBytes: number;
  /** Over the last seconds. */
  readonly bytesPerSecond: number;
  /** Chunks that each source gave since this start. */
  readonly sources: readonly { readonly name: string; readonly chunks: number }[];
}

/** A model whose file is on this machine, every chunk of it hashed. */
export interface LocalModel {
  readonly manifest: ModelManifest;
  readonly file: File;
}

export interface ModelSourceOptions {
  readonly store: ModelStore;
  readonly mesh: Mesh;
  readonly relay: Pick<RelayClient, "getBlob" | "modelPeers">;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** All models here together; MODELS_CAP_BYTES unless said otherwise. */
  readonly capBytes?: number;
}

type OnProgress = (progress: ModelProgress) => void;

interface Loading {
  readonly loaded: Promise<LocalModel>;
  readonly listeners: Set<OnProgress>;
}

/** Brings models by CID: what is here, then other peers that have it, the requester and the relay; every chunk is hashed. */
export class ModelSource {
  readonly #options: ModelSourceOptions;
  /** Jobs of one model that start together fetch it once. */
  readonly #loading = new Map<Cid, Loading>();
  readonly #stopping = new AbortController();
  #noRoom: string | undefined;

  constructor(options: ModelSourceOptions) {
    this.#options = options;
  }

  /** A chunk or manifest of this machine's models, for peers that ask. */
  find(cid: Cid): Promise<Uint8Array | undefined> {
    return this.#options.store.chunk(cid).catch(() => undefined);
  }

  /** Why the last model that was asked for did not fit, a sentence for the person; until one has come in. */
  get noRoom(): string | undefined {
    return this.#noRoom;
  }

  /** CIDs of the models that are here whole, the one used last first: what an offer names. */
  async held(): Promise<readonly Cid[]> {
    const models = await this.#options.store.list();
    return models.filter(({ complete }) => complete).map(({ cid }) => cid);
  }

  /**
   * @param requester peer id of the connected requester
   * @throws FailureError `function-unavailable` naming what was tried; `no-memory` when the browser's storage has no room
   */
  async load(
    { job }: Pick<WorkOrder, "job">,
    requester: string,
    onProgress: OnProgress,
  ): Promise<LocalModel> {
    const { cid } = job.body.work;
    const before = this.#loading.get(cid);
    if (before !== undefined) {
      before.listeners.add(onProgress);
      return before.loaded;
    }
    const listeners = new Set([onProgress]);
    const loaded = this.#load(cid, requester, (progress) => {
      for (const listener of listeners) listener(progress);
    }).finally(() => this.#loading.delete(cid));
    this.#loading.set(cid, { loaded, listeners });
    return loaded;
  }

  /** Ends what is under way; what is on the disk stays. */
  stop(): void {
    this.#stopping.abort(new FailureError("draining", "the provider is stopping"));
  }

  async #load(cid: Cid, requester: string, tell: OnProgress): Promise<LocalModel> {
    try {
      const { store } = this.#options;
      const known = (await store.list()).find((model) => model.cid === cid)?.manifest;
      const file = known === undefined ? undefined : await store.file(cid);
      if (known !== undefined && file !== undefined) return { manifest: known, file };
      const sources = await this.#sources(cid, requester);
      const manifest = known ?? (await this.#fetchManifest(cid, sources));
      const local = { manifest, file: await this.#download(cid, manifest, sources, tell) };
      this.#noRoom = undefined;
      return local;
    } catch (error) {
      if (error instanceof StorageError && error.trouble === "full")
        this.#noRoom = `${error.message.replace(/^storage: /u, "")}.`.replace(/^the/u, "The");
      throw asFailure(error);
    }
  }

  /** Who may have it. That the relay names nobody, or cannot be asked, is no failure yet. */
  async #sources(cid: Cid, requester: string): Promise<readonly ChunkSource[]> {
    const { mesh, relay } = this.#options;
    const fromPeer = (name: string, address: string | readonly string[]): ChunkSource => ({
      name,
      lanes: CHUNK_LANES,
      get: (chunk, maxBytes, signal) => fetchBlob(mesh, address, chunk, signal, maxBytes),
    });
    const peers = await relay
      .modelPeers(cid, this.#within(MANIFEST_TIMEOUT_MS))
      .then((answer) => answer.peers.filter(({ peer }) => peer !== mesh.peerId && peer !== requester))
      .catch(() => []);
    return [
      ...peers.map(({ peer, addresses }) => fromPeer(`peer ${peer.slice(-8)}`, addresses)),
      fromPeer("the requester", `/p2p/${requester}`),
      {
        name: "the relay",
        // Others spare the relay: it has one line for all.
        lanes: peers.length > 0 ? 1 : CHUNK_LANES,
        get: (chunk, maxBytes, signal) => relay.getBlob(chunk, maxBytes, signal),
      },
    ];
  }

  /** The relay is asked first: it answers at once, or says that it has it not. */
  async #fetchManifest(cid: Cid, sources: readonly ChunkSource[]): Promise<ModelManifest> {
    const tried: string[] = [];
    for (const source of sources.toReversed()) {
      const { name } = source;
      try {
        // oxlint-disable-next-line no-await-in-loop -- the next source is asked when this one has it not
        const bytes = await source.get(cid, MAX_MANIFEST_BYTES, this.#within(MANIFEST_TIMEOUT_MS));
        // oxlint-disable-next-line no-await-in-loop
        if (bytes !== undefined && (await hashesTo(crypto.subtle, cid, bytes))) return decodeManifest(bytes);
        tried.push(`${name} ${bytes === undefined ? "has it not" : "sent other bytes"}`);
      } catch (error) {
        tried.push(`${name} failed: ${error instanceof FailureError ? error.detail : "no answer"}`);
      }
      this.#stopping.signal.throwIfAborted();
    }
    throw new FailureError("function-unavailable", `manifest of ${cid}: ${tried.join("; ")}`);
  }

  async #download(
    cid: Cid,
    manifest: ModelManifest,
    sources: readonly ChunkSource[],
    tell: OnProgress,
  ): Promise<File> {
    await this.#makeRoom(cid, manifest);
    const draft = await this.#options.store.open(cid, manifest);
    const told = new Telling(cid, manifest, new RecentRate(SPEED_WINDOW_MS, this.#options.now), tell);
    for (let repairs = 0; ; repairs += 1) {
      told.missing(draft);
      // oxlint-disable-next-line no-await-in-loop -- again only for what the disk has damaged
      await this.#fetchMissing(manifest, draft, sources, told);
      try {
        // oxlint-disable-next-line no-await-in-loop
        return await draft.finish();
      } catch (error) {
        const isDamaged = error instanceof StorageError && error.trouble === "unreadable";
        if (!isDamaged || repairs === MOST_REPAIRS) throw error;
      }
    }
  }

  async #makeRoom(cid: Cid, { size: bytes }: ModelManifest): Promise<void> {
    const { store, capBytes = MODELS_CAP_BYTES } = this.#options;
    const busy = new Set(this.#loading.keys());
    const going = modelsToRemove(await store.list(), { cid, bytes }, busy, capBytes);
    await Promise.all(going.map((each) => store.remove(each)));
  }

  async #fetchMissing(
    manifest: ModelManifest,
    draft: ModelDraft,
    sources: readonly ChunkSource[],
    told: Telling,
  ): Promise<void> {
    const wanted = draft.missing().map((index) => wantedChunk(manifest, index));
    const fetch = new ChunkFetch(
      wanted,
      sources,
      async ({ index }, bytes, source) => {
        await draft.write(index, bytes);
        told.arrived(bytes.length, source);
      },
      this.#stopping.signal,
    );
    await fetch.run();
  }

  #within(ms: number): AbortSignal {
    return AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(ms)]);
  }
}

function wantedChunk(manifest: ModelManifest, index: number): WantedChunk {
  const { from, to } = chunkRange(manifest, index);
  return { index, cid: chunkCid(manifest, index), bytes: to - from };
}

/** Trouble of the disk as the requester and the person are to hear it. */
function asFailure(error: unknown): unknown {
  if (!(error instanceof StorageError)) return error;
  if (error.trouble === "full") return new FailureError("no-memory", error.message, { cause: error });
  return new FailureError("function-unavailable", `the browser's storage: ${error.message}`, {
    cause: error,
  });
}

/** Counts what arrives, and tells it. */
class Telling {
  readonly #cid: Cid;
  readonly #manifest: ModelManifest;
  /** Of bytes. */
  readonly #speed: RecentRate;
  readonly #tell: OnProgress;
  readonly #bySource = new Map<string, number>();
  #bytes = 0;

  constructor(cid: Cid, manifest: ModelManifest, speed: RecentRate, tell: OnProgress) {
    this.#cid = cid;
    this.#manifest = manifest;
    this.#speed = speed;
    this.#tell = tell;
  }

  /** Begins with what is there already. */
  missing(draft: ModelDraft): void {
    const missing = draft.missing().map((index) => wantedChunk(this.#manifest, index).bytes);
    this.#bytes = this.#manifest.size - missing.reduce((sum, bytes) => sum + bytes, 0);
    this.#progress();
  }

  arrived(bytes: number, source: string): void {
    this.#bytes += bytes;
    this.#speed.add(bytes);
    this.#bySource.set(source, (this.#bySource.get(source) ?? 0) + 1);
    this.#progress();
  }

  #progress(): void {
    this.#tell({
      cid: this.#cid,
      name: this.#manifest.name,
      bytes: this.#bytes,
      totalBytes: this.#manifest.size,
      bytesPerSecond: this.#speed.perSecond,
      sources: [...this.#bySource].map(([name, chunks]) => ({ name, chunks })),
    });
  }
}

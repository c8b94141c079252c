import type { Cid } from "../protocol/cid.ts";
import { type Ed25519Runtime, peerIdFromSeed, SEED_BYTES } from "../protocol/ed25519.ts";
import { FailureError } from "../protocol/failure.ts";
import { hashesTo } from "../protocol/hashes-to.ts";
import type { BlobCache } from "./blobs.ts";
import type { ProviderStore } from "./browser-store.ts";
import { type Identity, identityFile, parseIdentityFile } from "./identity-file.ts";
import type { IdentityVault } from "./identity.ts";
import { MEMORY_BLOB_BYTES } from "./limits.ts";
import { memoryHoldings, memoryOpenings, memoryOutbox } from "./memory-shelves.ts";
import type { ModelStore } from "./model-store.ts";
import type { RelayPin, RelayPins } from "./relay-pins.ts";
import { newerPin } from "./relay-pins.ts";
import { StorageError } from "./storage-error.ts";

/**
 * What a page remembers where the browser lets it keep nothing, as in a frame of a strange site: everything is gone with the
 * page. Receipts that have not reached the relay by then are reported by the requester, or not at all.
 */
export function openMemoryStore(blobCapBytes: number = MEMORY_BLOB_BYTES): ProviderStore {
  return {
    identity: memoryIdentity(),
    relays: memoryPins(),
    outbox: memoryOutbox(),
    holdings: memoryHoldings(),
    openings: memoryOpenings(),
    blobs: new MemoryBlobs(blobCapBytes),
    models: NO_MODELS,
    persist: async () => false,
  };
}

function memoryIdentity(): IdentityVault {
  const runtime: Ed25519Runtime = crypto.subtle;
  let known: Promise<Identity> | undefined;
  const make = async (): Promise<Identity> => {
    const seed = crypto.getRandomValues(new Uint8Array(SEED_BYTES));
    return { seed, peer: await peerIdFromSeed(runtime, seed), createdAt: Date.now() };
  };
  return {
    load: async () => known,
    ensure() {
      known ??= make();
      return known;
    },
    exportFile: async () => (known === undefined ? undefined : identityFile(await known)),
    readFile: async (text) => parseIdentityFile(runtime, text),
    async replace(identity) {
      known = Promise.resolve(identity);
    },
    async forget() {
      known = undefined;
    },
  };
}

function memoryPins(): RelayPins {
  const pins = new Map<string, RelayPin>();
  const origins = new Map<string, string>();
  return {
    get: async (origin) => pins.get(origin),
    async pin(pin) {
      const known = pins.get(pin.origin) ?? pin;
      pins.set(pin.origin, known);
      return known;
    },
    async update(pin) {
      pins.set(pin.origin, newerPin(pin, pins.get(pin.origin)));
    },
    async bind(url, origin) {
      const known = origins.get(url) ?? origin;
      origins.set(url, known);
      return known;
    },
    async forget(url) {
      const origin = origins.get(url);
      origins.delete(url);
      if (origin !== undefined) pins.delete(origin);
    },
  };
}

/** A map keeps the order in which its keys came: what is used comes again, so the first is the one used longest ago. */
class MemoryBlobs implements BlobCache {
  readonly #blobs = new Map<Cid, Uint8Array<ArrayBuffer>>();
  readonly #capBytes: number;
  #bytes = 0;

  constructor(capBytes: number) {
    this.#capBytes = capBytes;
  }

  async get(cid: Cid): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const bytes = this.#blobs.get(cid);
    if (bytes === undefined) return undefined;
    this.#blobs.delete(cid);
    this.#blobs.set(cid, bytes);
    return bytes;
  }

  async has(cid: Cid): Promise<boolean> {
    return this.#blobs.has(cid);
  }

  async put(cid: Cid, bytes: Uint8Array): Promise<boolean> {
    const copy = new Uint8Array(bytes);
    if (!(await hashesTo(crypto.subtle, cid, copy)))
      throw new FailureError("content-mismatch", `blob ${cid}`);
    if (copy.length > this.#capBytes) return false;
    this.#remove(cid);
    for (const oldest of this.#blobs.keys()) {
      if (this.#bytes + copy.length <= this.#capBytes) break;
      this.#remove(oldest);
    }
    this.#blobs.set(cid, copy);
    this.#bytes += copy.length;
    return true;
  }

  async delete(cid: Cid): Promise<void> {
    this.#remove(cid);
  }

  async usage(): Promise<{ bytes: number; blobs: number; capBytes: number }> {
    return { bytes: this.#bytes, blobs: this.#blobs.size, capBytes: this.#capBytes };
  }

  #remove(cid: Cid): void {
    this.#bytes -= this.#blobs.get(cid)?.length ?? 0;
    this.#blobs.delete(cid);
  }
}

/** Models are files: where none can be kept there are none. */
const NO_MODELS: ModelStore = {
  list: async () => [],
  open: async () => {
    throw new StorageError("denied", "storage: no models in memory");
  },
  file: async () => undefined,
  chunk: async () => undefined,
  remove: async () => {},
  room: async () => ({ freeBytes: 0, usedBytes: 0 }),
};

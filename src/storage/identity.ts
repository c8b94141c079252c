import { type Ed25519Runtime, peerIdFromSeed, SEED_BYTES } from "../protocol/ed25519.ts";
import { isPeerId } from "../protocol/peer-id.ts";
import { type BrowserDatabase, DURABLE } from "./database.ts";
import { type Identity, identityFile, parseIdentityFile } from "./identity-file.ts";
import { StorageError, storageError } from "./storage-error.ts";
import { asBytes, asCount, fieldsOf } from "./stored-value.ts";

/** The root identity of this browser. Made once; replaced only by `replace`. */
export interface IdentityVault {
  /** @throws StorageError `unreadable` rather than making another identity beside one that holds money. */
  load(): Promise<Identity | undefined>;
  /** The identity, made now if there is none yet. Two tabs that call at once get the same one. */
  ensure(): Promise<Identity>;
  /** Text of the file that restores this identity elsewhere; undefined when there is none. It is a secret. */
  exportFile(): Promise<string | undefined>;
  /** Reads such a file and verifies it; changes nothing. @throws FailureError `malformed`, `unsupported`. */
  readFile(text: string): Promise<Identity>;
  /** Puts another identity in the place of this browser's. The page asks first: the old one may have earnings. */
  replace(identity: Identity): Promise<void>;
  /** Takes the identity away for good; the next `ensure` makes another one. The page asks first. */
  forget(): Promise<void>;
}

const KEY = "root";

function parseIdentity(value: unknown): Identity | undefined {
  if (value === undefined) return undefined;
  const fields = fieldsOf(value);
  const seed = asBytes(fields.get("seed"));
  const peer = fields.get("peer");
  const createdAt = asCount(fields.get("createdAt"));
  if (seed?.length !== SEED_BYTES || !isPeerId(peer) || createdAt === undefined) {
    throw new StorageError("unreadable", "storage: the identity of this browser cannot be read");
  }
  return { seed, peer, createdAt };
}

export function createIdentityVault(database: BrowserDatabase): IdentityVault {
  const runtime: Ed25519Runtime = crypto.subtle;
  const load = async (): Promise<Identity | undefined> => parseIdentity(await database.get("identity", KEY));
  return {
    load,
    async ensure() {
      const known = await load();
      if (known !== undefined) return known;
      const seed = crypto.getRandomValues(new Uint8Array(SEED_BYTES));
      const fresh: Identity = { seed, peer: await peerIdFromSeed(runtime, seed), createdAt: Date.now() };
      const write = database.transaction("identity", "readwrite", DURABLE);
      const stored = parseIdentity(await write.store.get(KEY));
      if (stored === undefined) await write.store.put(fresh, KEY);
      await write.done;
      return stored ?? fresh;
    },
    async exportFile() {
      const identity = await load();
      return identity === undefined ? undefined : identityFile(identity);
    },
    readFile: async (text) => parseIdentityFile(runtime, text),
    async replace(identity) {
      try {
        const write = database.transaction("identity", "readwrite", DURABLE);
        await write.store.put({ ...identity }, KEY);
        await write.done;
      } catch (error) {
        throw storageError(error);
      }
    },
    async forget() {
      const write = database.transaction("identity", "readwrite", DURABLE);
      await write.store.delete(KEY);
      await write.done;
    },
  };
}

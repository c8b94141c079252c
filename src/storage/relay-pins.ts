import { readCheckpoint } from "../protocol/checkpoint.ts";
import type { RelayKeys } from "../protocol/messages/entry.ts";
import { isPeerId } from "../protocol/peer-id.ts";
import { type BrowserDatabase, DURABLE } from "./database.ts";
import { asCount, asText, fieldsOf } from "./stored-value.ts";

/** What this browser holds a relay to: the keys of its first contact, and the newest head of its log it has verified. */
export interface RelayPin {
  /** The relay's name for itself, in its messages and its log. */
  readonly origin: string;
  readonly keys: RelayKeys;
  /** Milliseconds since 1970. */
  readonly pinnedAt: number;
  /** Newest verified checkpoint, as the signed note it came in. */
  readonly checkpoint?: string;
}

/** Pinned relays, one per origin. The caller has verified what it stores. */
export interface RelayPins {
  get(origin: string): Promise<RelayPin | undefined>;
  /** Pins a relay unless it is pinned already; answers with the pin that holds. */
  pin(pin: RelayPin): Promise<RelayPin>;
  /**
   * Changes the keys after a rotation signed by the old ones, and keeps a verified checkpoint; several tabs may do so
   * at once, and an older checkpoint never replaces a newer one.
   */
  update(pin: RelayPin): Promise<void>;
  /**
   * Ties a URL to the origin first met there; answers with the origin that holds. A relay that answers there under
   * another name later is another relay, and must not pass for a first contact.
   */
  bind(url: string, origin: string): Promise<string>;
  /** The person starts over with the relay at this URL. */
  forget(url: string): Promise<void>;
}

function parseKeys(value: unknown): RelayKeys | undefined {
  const fields = fieldsOf(value);
  const [log, lease, draw] = [fields.get("log"), fields.get("lease"), fields.get("draw")];
  return isPeerId(log) && isPeerId(lease) && isPeerId(draw) ? { log, lease, draw } : undefined;
}

function parsePin(origin: string, value: unknown): RelayPin | undefined {
  const fields = fieldsOf(value);
  const keys = parseKeys(fields.get("keys"));
  const pinnedAt = asCount(fields.get("pinnedAt"));
  if (keys === undefined || pinnedAt === undefined) return undefined;
  const checkpoint = asText(fields.get("checkpoint"));
  return { origin, keys, pinnedAt, ...(checkpoint === undefined ? {} : { checkpoint }) };
}

function sizeOf({ checkpoint, origin }: RelayPin): number {
  return checkpoint === undefined ? -1 : readCheckpoint(checkpoint, origin).size;
}

/** The pin as given, but with the newer of the two checkpoints. */
export function newerPin(pin: RelayPin, known: RelayPin | undefined): RelayPin {
  if (known?.checkpoint === undefined || sizeOf(known) <= sizeOf(pin)) return pin;
  return { ...pin, checkpoint: known.checkpoint };
}

export function createRelayPins(database: BrowserDatabase): RelayPins {
  return {
    get: async (origin) => parsePin(origin, await database.get("relays", origin)),
    async pin(pin) {
      const write = database.transaction("relays", "readwrite", DURABLE);
      const known = parsePin(pin.origin, await write.store.get(pin.origin));
      if (known === undefined) await write.store.put({ ...pin }, pin.origin);
      await write.done;
      return known ?? pin;
    },
    async update(pin) {
      const write = database.transaction("relays", "readwrite", DURABLE);
      const known = parsePin(pin.origin, await write.store.get(pin.origin));
      await write.store.put({ ...newerPin(pin, known) }, pin.origin);
      await write.done;
    },
    async bind(url, origin) {
      const write = database.transaction("relayUrls", "readwrite", DURABLE);
      const known = asText(await write.store.get(url));
      if (known === undefined) await write.store.put(origin, url);
      await write.done;
      return known ?? origin;
    },
    async forget(url) {
      const write = database.transaction(["relays", "relayUrls"], "readwrite", DURABLE);
      const origin = asText(await write.objectStore("relayUrls").get(url));
      await write.objectStore("relayUrls").delete(url);
      if (origin !== undefined) await write.objectStore("relays").delete(origin);
      await write.done;
    },
  };
}

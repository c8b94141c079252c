import type { RelayKeys } from "../protocol/messages/entry.ts";
import { isPeerId } from "../protocol/peer-id.ts";
import { type BrowserDatabase, DURABLE } from "./database.ts";
import { asCount, asText, fieldsOf } from "./stored-value.ts";

/** What this browser holds a relay to: the keys of its first contact, and the newest head of its log it has verified. */
export interface RelayPin {
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
  /** Changes the pinned keys after a rotation that the log proves, or the newest checkpoint. */
  update(pin: RelayPin): Promise<void>;
  /** The person starts over with this relay. */
  forget(origin: string): Promise<void>;
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
      await write.store.put({ ...pin }, pin.origin);
      await write.done;
    },
    forget: async (origin) => database.delete("relays", origin),
  };
}

import { readCheckpoint } from "../protocol/checkpoint.ts";
import type { RelayKeys } from "../protocol/messages/entry.ts";
import { isPeerId } from "../protocol/peer-id.ts";
import { type BrowserDatabase, DURABLE } from "./database.ts";
import { asCount, asText, fieldsOf } from "./stored-value.ts";

/** What this browser holds a relay to: name and keys of its first contact, and the newest head of its log it verified. */
export interface RelayPin {
  /** Where it was met, as in "https://relay.example"; a relay that answers there under another name is another relay. */
  readonly url: string;
  /** The name it gave itself: the origin in its messages and its log. */
  readonly origin: string;
  readonly keys: RelayKeys;
  /** Milliseconds since 1970. */
  readonly pinnedAt: number;
  /** Newest verified checkpoint, as the signed note it came in. */
  readonly checkpoint?: string;
}

/** Pinned relays, one per URL. The caller has verified what it stores. */
export interface RelayPins {
  get(url: string): Promise<RelayPin | undefined>;
  /** Pins a relay unless one is pinned at that URL already; answers with the pin that holds. */
  pin(pin: RelayPin): Promise<RelayPin>;
  /** Keeps a verified checkpoint; an older one than is kept changes nothing. */
  remember(url: string, note: string): Promise<void>;
  /** Changes the pinned keys, after a rotation signed by the old ones. */
  rekey(url: string, keys: RelayKeys): Promise<void>;
  /** The person starts over with this relay. */
  forget(url: string): Promise<void>;
}

function parseKeys(value: unknown): RelayKeys | undefined {
  const fields = fieldsOf(value);
  const [log, lease, draw] = [fields.get("log"), fields.get("lease"), fields.get("draw")];
  return isPeerId(log) && isPeerId(lease) && isPeerId(draw) ? { log, lease, draw } : undefined;
}

function parsePin(url: string, value: unknown): RelayPin | undefined {
  const fields = fieldsOf(value);
  const origin = asText(fields.get("origin"));
  const keys = parseKeys(fields.get("keys"));
  const pinnedAt = asCount(fields.get("pinnedAt"));
  if (origin === undefined || keys === undefined || pinnedAt === undefined) return undefined;
  const checkpoint = asText(fields.get("checkpoint"));
  return { url, origin, keys, pinnedAt, ...(checkpoint === undefined ? {} : { checkpoint }) };
}

function sizeOf(note: string | undefined, origin: string): number {
  return note === undefined ? -1 : readCheckpoint(note, origin).size;
}

export function createRelayPins(database: BrowserDatabase): RelayPins {
  /** `change` answers with what is stored now, or undefined to leave it. */
  async function change(
    url: string,
    next: (known: RelayPin | undefined) => RelayPin | undefined,
  ): Promise<void> {
    const write = database.transaction("relays", "readwrite", DURABLE);
    const pin = next(parsePin(url, await write.store.get(url)));
    if (pin !== undefined) await write.store.put({ ...pin }, url);
    await write.done;
  }
  return {
    get: async (url) => parsePin(url, await database.get("relays", url)),
    async pin(pin) {
      let holds = pin;
      await change(pin.url, (known) => {
        holds = known ?? pin;
        return known === undefined ? pin : undefined;
      });
      return holds;
    },
    async remember(url, note) {
      await change(url, (known) =>
        known !== undefined && sizeOf(note, known.origin) > sizeOf(known.checkpoint, known.origin)
          ? { ...known, checkpoint: note }
          : undefined,
      );
    },
    async rekey(url, keys) {
      await change(url, (known) => known && { ...known, keys });
    },
    forget: async (url) => database.delete("relays", url),
  };
}

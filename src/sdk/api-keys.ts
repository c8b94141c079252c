import { createMemoryPins } from "../ledger/memory-pins.ts";
import { contactRelay, type PinStore } from "../ledger/relay-contact.ts";
import { createRelayClient, type RelayClient } from "../mesh/relay-client.ts";
import { toHex } from "../protocol/bytes.ts";
import type { Cid } from "../protocol/cid.ts";
import { signerFromSeed, verifierOf } from "../protocol/ed25519.ts";
import { bodyId, seal } from "../protocol/envelope.ts";
import { FailureError } from "../protocol/failure.ts";
import { header } from "../protocol/header.ts";
import {
  type ApiKey,
  apiKeyMessage,
  apiKeyRevokeMessage,
  type CapPeriod,
} from "../protocol/messages/api-key.ts";
import type { ApiKeyView, RelayInfo } from "../protocol/relay-api.ts";
import type { Signer } from "../protocol/signature.ts";
import { encodeUtf8 } from "../protocol/text.ts";
import { microCredits } from "../protocol/units.ts";

/** API keys of an account: made here, told once, and known to the relay by their hash alone. */

const KEY_BYTES = 32;
/** What a key begins with, so that whoever finds one knows what it is. */
const KEY_PREFIX = "tabmesh-";

/** Whose keys, and where. */
export interface ApiKeyOwner {
  /** Origin of the relay's HTTP server. */
  readonly relay: string;
  /** Seed of the identity that pays, 32 bytes: only it may give its money into other hands. */
  readonly seed: Uint8Array;
  /** Where the relay's keys are pinned. Default: for as long as the program runs. */
  readonly pins?: PinStore;
}

export interface ApiKeyOptions {
  /** At most 64 bytes; everybody can read it. */
  readonly label?: string;
  /** The most that may be spent in each period, micro-credits. */
  readonly cap: bigint;
  /** Default: a day. */
  readonly per?: CapPeriod;
  /** Milliseconds since 1970, by the relay's clock. Default: never. */
  readonly expires?: number;
}

export interface MadeApiKey {
  /** The secret: it is kept nowhere. */
  readonly key: string;
  /** By which it is revoked. */
  readonly apiKey: Cid;
  /** Entry of the log that has it. */
  readonly entryIndex: number;
}

interface Desk {
  readonly client: RelayClient;
  readonly info: RelayInfo;
  readonly signer: Signer;
}

async function openDesk({ relay, seed, pins }: ApiKeyOwner): Promise<Desk> {
  const client = createRelayClient({ baseUrl: relay, fetch: (input, init) => fetch(input, init) });
  const [{ info }, signer] = await Promise.all([
    contactRelay(client, pins ?? createMemoryPins(), verifierOf(crypto.subtle), Date.now()),
    signerFromSeed(crypto.subtle, seed),
  ]);
  return { client, info, signer };
}

/**
 * Makes a key and authorises it at the relay.
 * @throws FailureError `unsupported` where the relay has no gateway; the relay's own; when the relay cannot be reached or
 * contradicts its pinned keys
 */
export async function createApiKey(owner: ApiKeyOwner, options: ApiKeyOptions): Promise<MadeApiKey> {
  const { client, info, signer } = await openDesk(owner);
  const { label = "", cap, per = "day", expires } = options;
  if (info.gateway === undefined) throw new FailureError("unsupported", "this relay has no gateway");
  const key = `${KEY_PREFIX}${toHex(crypto.getRandomValues(new Uint8Array(KEY_BYTES)))}`;
  const body: ApiKey = {
    ...header(info.origin, info.asset),
    account: signer.key,
    gateway: info.gateway,
    hash: new Uint8Array(await crypto.subtle.digest("SHA-256", encodeUtf8(key))),
    label,
    cap: microCredits(cap),
    per,
    ...(expires === undefined ? {} : { expires }),
  };
  const { index } = await client.addApiKey(await seal(apiKeyMessage, body, [signer]));
  return { key, apiKey: bodyId(apiKeyMessage, body), entryIndex: index };
}

/** Newest first. */
export async function listApiKeys(owner: ApiKeyOwner): Promise<readonly ApiKeyView[]> {
  const { client, signer } = await openDesk(owner);
  return client.apiKeys(signer.key);
}

/** Takes a key back, at once and for good; what is under way with it ends. @throws FailureError `not-found` */
export async function revokeApiKey(owner: ApiKeyOwner, apiKey: Cid): Promise<void> {
  const { client, info, signer } = await openDesk(owner);
  const body = { ...header(info.origin, info.asset), account: signer.key, apiKey };
  await client.revokeApiKey(await seal(apiKeyRevokeMessage, body, [signer]));
}

import { toHex } from "../protocol/bytes.ts";
import type { Cid } from "../protocol/cid.ts";
import { bodyId, seal } from "../protocol/envelope.ts";
import { FailureError } from "../protocol/failure.ts";
import { header } from "../protocol/header.ts";
import { type ApiKey, apiKeyMessage, apiKeyRevokeMessage } from "../protocol/messages/api-key.ts";
import { type CapPeriod } from "../protocol/cap-period.ts";
import type { ApiKeyView } from "../protocol/relay-api.ts";
import { encodeUtf8 } from "../protocol/text.ts";
import { microCredits } from "../protocol/units.ts";
import { type AccountOwner, openDesk } from "./account-desk.ts";

/**
 * API keys of an account: made here, told once, and known to the relay by their hash alone. The identity pays, and only it
 * may give its money into other hands.
 */

const KEY_BYTES = 32;
/** What a key begins with, so that whoever finds one knows what it is. */
const KEY_PREFIX = "tabmesh-";

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

/**
 * Makes a key and authorises it at the relay.
 * @throws FailureError `unsupported` where the relay has no gateway; the relay's own; when the relay cannot be reached or
 * contradicts its pinned keys
 */
export async function createApiKey(owner: AccountOwner, options: ApiKeyOptions): Promise<MadeApiKey> {
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
export async function listApiKeys(owner: AccountOwner): Promise<readonly ApiKeyView[]> {
  const { client, signer } = await openDesk(owner);
  return client.apiKeys(signer.key);
}

/** Takes a key back, at once and for good; what is under way with it ends. @throws FailureError `not-found` */
export async function revokeApiKey(owner: AccountOwner, apiKey: Cid): Promise<void> {
  const { client, info, signer } = await openDesk(owner);
  const body = { ...header(info.origin, info.asset), account: signer.key, apiKey };
  await client.revokeApiKey(await seal(apiKeyRevokeMessage, body, [signer]));
}

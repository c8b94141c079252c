import { signatory } from "../../protocol/delegation.ts";
import {
  type Ed25519Runtime,
  peerIdFromSeed,
  SEED_BYTES,
  signerFromSeed,
  verifierOf,
} from "../../protocol/ed25519.ts";
import { verified } from "../../protocol/envelope.ts";
import { isPeerId, type PeerId } from "../../protocol/peer-id.ts";
import type { SessionIdentity } from "../../protocol/session-identity.ts";
import { fromBase64, toBase64 } from "../../protocol/base64.ts";
import type { SiteId } from "../../protocol/site.ts";
import { HAND_OVER_MS } from "../limits.ts";
import { readGrant, readKnock, type HereMessage } from "../window-messages.ts";

/** Leave to work for an account, until the consent behind it ends. */
export interface Grant {
  /** Of the frame's own key, 32 bytes. */
  readonly seed: Uint8Array;
  readonly account: PeerId;
  readonly delegation: Uint8Array;
  /** Milliseconds since 1970. */
  readonly until: number;
}

const runtime: Ed25519Runtime = crypto.subtle;

/**
 * The session that a grant is for.
 * @throws FailureError when its delegation is not by the account, not for this key, or not of this time
 */
export async function openGrant(grant: Grant, nowMs: number): Promise<SessionIdentity> {
  const { seed, account, delegation } = grant;
  const signer = await signerFromSeed(runtime, seed);
  const { root, delegation: claim } = signatory({ key: signer.key, delegation }, nowMs);
  if (claim === undefined || root !== account) throw new TypeError("a grant for another account");
  await verified(claim, verifierOf(runtime));
  return { root, seed, signer: { ...signer, delegation } };
}

/**
 * Waits for the window that has this ticket, shows it a fresh key, and takes the leave it gives.
 * @returns undefined when it does not come
 */
export async function receiveGrant(site: SiteId, ticket: string): Promise<Grant | undefined> {
  const seed = crypto.getRandomValues(new Uint8Array(SEED_BYTES));
  const session = await peerIdFromSeed(runtime, seed);
  const { promise, resolve } = Promise.withResolvers<Grant | undefined>();
  let window: MessageEventSource | null = null;
  const listen = ({ data, origin, source }: MessageEvent): void => {
    // The page may post what it likes: the browser says that it is the page.
    if (origin !== location.origin || source === null || source === parent) return;
    const grant = readGrant(data);
    if (grant?.ticket === ticket && source === window) {
      const { account, delegation, until } = grant;
      resolve({ seed, account, delegation, until });
    }
    if (readKnock(data)?.ticket !== ticket) return;
    window ??= source;
    if (source !== window) return;
    const here: HereMessage = { tabmesh: "here", ticket, site, session };
    source.postMessage(here, { targetOrigin: location.origin });
  };
  addEventListener("message", listen);
  const timer = setTimeout(() => resolve(undefined), HAND_OVER_MS);
  const grant = await promise;
  clearTimeout(timer);
  removeEventListener("message", listen);
  return grant;
}

function keyOf(site: SiteId): string {
  return `tabmesh grant ${site}`;
}

/** Where the browser lets this frame keep something for this site; nowhere in many. */
function shelf(): Storage | undefined {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
}

/** Keeps a grant for the next page of the site. */
export function keepGrant(site: SiteId, { seed, account, delegation, until }: Grant): void {
  const text = JSON.stringify({ seed: toBase64(seed), account, delegation: toBase64(delegation), until });
  try {
    shelf()?.setItem(keyOf(site), text);
  } catch {
    // No room: the person is asked again on the next page.
  }
}

export function forgetGrant(site: SiteId): void {
  shelf()?.removeItem(keyOf(site));
}

/** A grant kept by an earlier page of the site that still holds. */
export function keptGrant(site: SiteId, nowMs: number): Grant | undefined {
  const grant = parseGrant(shelf()?.getItem(keyOf(site)) ?? "{}");
  if (grant !== undefined && grant.until > nowMs) return grant;
  forgetGrant(site);
  return undefined;
}

export function parseGrant(text: string): Grant | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const fields = new Map(Object.entries(typeof value === "object" && value !== null ? value : {}));
    const [account, until] = [fields.get("account"), fields.get("until")];
    const [seed, delegation] = ["seed", "delegation"].map((name) => {
      const field = fields.get(name);
      return typeof field === "string" ? fromBase64(field) : undefined;
    });
    if (seed?.length !== SEED_BYTES || delegation === undefined || !isPeerId(account)) return undefined;
    return typeof until === "number" && Number.isSafeInteger(until)
      ? { seed, account, delegation, until }
      : undefined;
  } catch {
    return undefined;
  }
}

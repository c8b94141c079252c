import { seal } from "../protocol/envelope.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import type { Cid } from "../protocol/cid.ts";
import { header } from "../protocol/header.ts";
import { MAX_NAME_LIFETIME_MS } from "../protocol/limits.ts";
import { type Name, nameMessage } from "../protocol/messages/name.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { NameView } from "../protocol/run-views.ts";
import { type AccountDesk, type AccountOwner, openDesk } from "./account-desk.ts";

/** Names that stand for peers or for a plan, at a relay. */

/** What a name is to stand for. */
export type NameTerms = {
  /** Small letters, digits and "-". */
  readonly name: string;
  /** For how long it counts, milliseconds; 90 days at most, which is the default. */
  readonly lifetimeMs?: number;
} & ({ readonly peers: readonly PeerId[] } | { readonly plan: Cid });

/** What a name stands for now; undefined where nobody has it. */
async function found({ client }: AccountDesk, name: string): Promise<NameView | undefined> {
  try {
    return await client.name(name);
  } catch (error) {
    if (error instanceof FailureError && error.code === failureCode("not-found")) return undefined;
    throw error;
  }
}

/**
 * Takes a name for this account, or says anew what it stands for: it stays this account's for as long as it is said again in time.
 * @throws FailureError `denied` for a name of another, `malformed` for what is none, `too-large` beyond 64 names, what the relay says
 */
export async function registerName(owner: AccountOwner, terms: NameTerms): Promise<NameView> {
  const desk = await openDesk(owner);
  const { client, info, signer } = desk;
  const { name, lifetimeMs = MAX_NAME_LIFETIME_MS } = terms;
  const before = await found(desk, name);
  const now = Date.now();
  const body: Name = {
    ...header(info.origin, info.asset),
    owner: signer.key,
    name,
    // Later ones are higher, also after the name was forgotten for a while.
    version: Math.max(now, (before?.version ?? 0) + 1),
    ...("peers" in terms ? { peers: terms.peers } : { plan: terms.plan }),
    issuedAt: now,
    expires: now + Math.min(lifetimeMs, MAX_NAME_LIFETIME_MS),
  };
  return client.putName(name, await seal(nameMessage, body, [signer]));
}

/** @throws FailureError `not-found` */
export async function findName(owner: AccountOwner, name: string): Promise<NameView> {
  const { client } = await openDesk(owner);
  return client.name(name);
}

/** Names of this account, by name. */
export async function listNames(owner: AccountOwner): Promise<readonly NameView[]> {
  const { client, signer } = await openDesk(owner);
  return client.names(signer.key);
}

import { createRelayClient, type RelayClient } from "../mesh/relay-client.ts";
import { delegationMessage } from "../protocol/delegation.ts";
import { signerFromSeed, verifierOf } from "../protocol/ed25519.ts";
import { openEnvelope, seal, verified } from "../protocol/envelope.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import { type Header, header } from "../protocol/header.ts";
import { assignMessage } from "../protocol/messages/assign.ts";
import { keyRevokeMessage } from "../protocol/messages/session.ts";
import { siteMessage } from "../protocol/messages/site.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { AccountView, RelayInfo } from "../protocol/relay-api.ts";
import type { Signer } from "../protocol/signature.ts";
import { ownersPpm, type SiteId, siteId } from "../protocol/site.ts";
import type { AssignmentView, SiteView } from "../protocol/site-views.ts";

const DERIVATION = new TextEncoder().encode("tabmesh account at a site v1");

/** What a visitor's key may do for a while, and for which account. */
export interface VisitGrant {
  readonly account: PeerId;
  /** Delegation envelope. */
  readonly delegation: Uint8Array<ArrayBuffer>;
}

export interface VisitTerms {
  readonly site: SiteView;
  /** Key of the frame, which gets leave to act. */
  readonly session: PeerId;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  readonly untilMs: number;
  /** See Assign. */
  readonly retireAfterMs: number;
}

/** What a visitor of sites tells the relay, with an account for each site. Fails as RelayClient does. */
export interface SiteVisits {
  info(): Promise<RelayInfo>;
  /** As its owner has signed it. @throws FailureError `not-found`, `bad-signature` */
  site(id: SiteId): Promise<SiteView>;
  /** Tells the relay who gets what, unless it knows, and lets the key act. @param seed of the account, 32 bytes */
  admit(seed: Uint8Array, terms: VisitTerms): Promise<VisitGrant>;
  /** Keys of earlier visits act no more. */
  revoke(seed: Uint8Array, sessions: readonly PeerId[]): Promise<void>;
  account(seed: Uint8Array): Promise<AccountView>;
  /** What is available goes to another account; who gets what of later earnings stays as it is. */
  sweep(seed: Uint8Array, to: PeerId, nowMs: number): Promise<void>;
}

/**
 * The account that a person has at a site. It follows from the person's own key, so that it need not be kept, and from the
 * site, so that what one site may do touches nothing of another, or of the person's own account. HKDF-SHA-256 (RFC 5869).
 * @param root seed of the person's own identity, 32 bytes
 */
export async function siteSeed(root: Uint8Array, site: SiteId): Promise<Uint8Array<ArrayBuffer>> {
  const key = await crypto.subtle.importKey("raw", new Uint8Array(root), "HKDF", false, ["deriveBits"]);
  const bits = await crypto.subtle.deriveBits(
    { name: "HKDF", hash: "SHA-256", salt: DERIVATION, info: new TextEncoder().encode(site) },
    key,
    256,
  );
  return new Uint8Array(bits);
}

function signer(seed: Uint8Array): Promise<Signer> {
  return signerFromSeed(crypto.subtle, seed);
}

/** @param relayUrl the relay's origin, as in "https://relay.example". */
export function createSiteVisits(relayUrl: string): SiteVisits {
  const client = createRelayClient({ baseUrl: relayUrl, fetch: (input, init) => fetch(input, init) });
  return {
    info: () => client.info(),
    site: async (id) => checkedSite(id, await client.site(id)),
    async admit(seed, terms) {
      const { session, nowMs, untilMs } = terms;
      const root = await signer(seed);
      await assignToOwner(client, root, terms);
      const delegation = await seal(
        delegationMessage,
        { root: root.key, session, notBefore: nowMs, notAfter: untilMs },
        [root],
      );
      return { account: root.key, delegation };
    },
    async revoke(seed, sessions) {
      const root = await signer(seed);
      const ground = await groundOf(client);
      await Promise.all(
        sessions.map(async (key) =>
          client.revoke(await seal(keyRevokeMessage, { ...ground, root: root.key, key }, [root])),
        ),
      );
    },
    account: async (seed) => client.account((await signer(seed)).key),
    async sweep(seed, payee, nowMs) {
      const root = await signer(seed);
      const before = await assignmentOf(client, root.key);
      const fields = { ...(await groundOf(client)), account: root.key };
      const at = Math.max(nowMs, (before?.at ?? 0) + 1);
      await client.assign(await seal(assignMessage, { ...fields, payee, ppm: 0, sweep: true, at }, [root]));
      if (before?.site === undefined) return;
      const { ppm, site, retireAfterMs } = before;
      const later = {
        ...fields,
        payee: before.payee,
        ppm,
        sweep: false,
        at: at + 1,
        ...(site === undefined ? {} : { site }),
        ...(retireAfterMs === undefined ? {} : { retireAfterMs }),
      };
      await client.assign(await seal(assignMessage, later, [root]));
    },
  };
}

/** The relay's word is not taken: the owner has signed page and share, and the name follows from owner and page. */
async function checkedSite(id: SiteId, view: SiteView): Promise<SiteView> {
  const message = await verified(openEnvelope(siteMessage, view.envelope), verifierOf(crypto.subtle));
  const { owner, page, share, state, at } = message.body;
  const [by] = message.signedBy;
  if (message.signedBy.length !== 1 || by?.key !== owner || by.delegation !== undefined)
    throw new FailureError("bad-signature", "site: not signed by its owner alone");
  if (siteId(owner, page) !== id)
    throw new FailureError("bad-signature", "site: another site's registration");
  return { site: id, owner, page, share, state, at, envelope: view.envelope };
}

async function groundOf(client: RelayClient): Promise<Header> {
  const { origin, asset } = await client.info();
  return header(origin, asset);
}

async function assignmentOf(client: RelayClient, account: PeerId): Promise<AssignmentView | undefined> {
  try {
    return await client.assignment(account);
  } catch (error) {
    if (error instanceof FailureError && error.code === failureCode("not-found")) return undefined;
    throw error;
  }
}

async function assignToOwner(
  client: RelayClient,
  root: Signer,
  { site: { site, owner, share }, nowMs, retireAfterMs }: VisitTerms,
): Promise<void> {
  const ppm = ownersPpm(share);
  const before = await assignmentOf(client, root.key);
  const isKnown = before?.payee === owner && before.ppm === ppm && before.site === site;
  if (isKnown && before.retireAfterMs === retireAfterMs) return;
  const body = {
    ...(await groundOf(client)),
    account: root.key,
    payee: owner,
    ppm,
    sweep: false,
    site,
    retireAfterMs,
    at: Math.max(nowMs, (before?.at ?? 0) + 1),
  };
  await client.assign(await seal(assignMessage, body, [root]));
}

import { mayRetireIdle } from "../../ledger/assignment.ts";
import type { Verified } from "../../protocol/envelope.ts";
import { FailureError } from "../../protocol/failure.ts";
import { type Header, requireOrigin } from "../../protocol/header.ts";
import { CLOCK_SKEW_MS, MAX_SITES_PER_ACCOUNT } from "../../protocol/limits.ts";
import type { Assign } from "../../protocol/messages/assign.ts";
import type { SiteRegistration } from "../../protocol/messages/site.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { ownersPpm, type SiteId, siteId } from "../../protocol/site.ts";
import type { SiteRow } from "../store/site-rows.ts";
import type { Draft } from "./draft.ts";
import { type Court, requireWelcome, soleSigner } from "./judging.ts";

/** Only the identity itself may say where its money goes: a session key that was stolen from a tab may not. */
function requireRoot(
  court: Court,
  draft: Draft,
  message: Verified<Header & { readonly at: number }>,
  account: PeerId,
): void {
  requireOrigin(message.body, court.origin, court.asset);
  const signer = soleSigner(court, draft, message);
  if (signer.root !== account || signer.session !== account)
    throw new FailureError("bad-signature", `${message.type}: not signed by the account itself`);
  const ahead = message.body.at - draft.time;
  if (ahead > CLOCK_SKEW_MS)
    throw new FailureError(
      "malformed",
      `${message.type}: at: is ${Math.ceil(ahead / 1_000)} seconds ahead of this relay's clock; set the clock right`,
    );
}

function requireNewer(what: string, at: number, before: { readonly at: number } | undefined): void {
  if (before !== undefined && at <= before.at)
    throw new FailureError("replayed", `${what}: a newer one is known`);
}

/** Keeps what an owner says of a site. See Sites.register. */
export function registerSite(court: Court, draft: Draft, message: Verified<SiteRegistration>): SiteId {
  const { body, bytes } = message;
  const { owner, page, share, state, at } = body;
  requireRoot(court, draft, message, owner);
  const site = siteId(owner, page);
  const before = draft.sites.site(site);
  const isSame =
    before?.at === at && before.page === page && before.share === share && before.state === state;
  if (isSame) return site;
  requireNewer("site", at, before);
  requireWelcome(draft, [owner]);
  if (before === undefined && draft.sites.sitesOf(owner).length >= MAX_SITES_PER_ACCOUNT)
    throw new FailureError("too-large", `an account has at most ${MAX_SITES_PER_ACCOUNT} sites`);
  draft.changeSites().setSite({ site, owner, page, share, state, at, envelope: bytes });
  return site;
}

/** Visitors give what the site asks of them, to whom the site belongs: else its numbers would say nothing. */
function requireSite(site: SiteRow | undefined, { payee, ppm }: Assign): void {
  if (site === undefined) throw new FailureError("not-found", "this relay knows no such site");
  if (site.state !== "open") throw new FailureError("denied", "the site takes no visitors any more");
  if (site.owner !== payee) throw new FailureError("denied", `the site belongs to ${site.owner}`);
  if (ownersPpm(site.share) !== ppm)
    throw new FailureError("denied", `the site takes ${ownersPpm(site.share)} millionths, not ${ppm}`);
}

/** Logs who gets a part of an account's earnings. See Sites.assign. @returns the entry's index */
export function assign(court: Court, draft: Draft, message: Verified<Assign>): number {
  const { body, id } = message;
  const { account, payee, at, site } = body;
  requireRoot(court, draft, message, account);
  const before = draft.sites.assignment(account);
  if (before?.id === id) return before.index;
  requireNewer("assign", at, before);
  requireWelcome(draft, [account, payee]);
  // A change of address waits 72 hours, so that a thief of the key has nothing of it (rule 12): this must be no way around.
  if (draft.payouts.address(account) !== undefined)
    throw new FailureError("denied", "an account with a payout address is paid itself");
  if (site !== undefined) requireSite(draft.sites.site(site), body);
  const index = draft.append("assign", { envelope: message.bytes });
  const { available } = draft.account(account);
  const place = { index, time: draft.time };
  const due = draft.changeSites().assignments.assign(message, place, available, draft.provider(account));
  if (due !== undefined) draft.transfer(due);
  return index;
}

/** Takes accounts to have retired that have been idle for as long as they said, as of the draft's time. */
export function retireIdle(draft: Draft, accounts: readonly PeerId[]): number {
  let count = 0;
  for (const account of accounts) {
    const state = draft.sites.assignment(account);
    if (state === undefined || !mayRetireIdle(state, draft.provider(account), draft.time)) continue;
    draft.append("retire-idle", { account, assignment: state.id }, { type: "retire", account });
    draft.changeSites().assignments.retireIdle(account);
    count += 1;
  }
  return count;
}

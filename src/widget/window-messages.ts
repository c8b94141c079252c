import { type PeerId, isPeerId } from "../protocol/peer-id.ts";
import { isSiteId, type SiteId } from "../protocol/site.ts";
import { isTicket } from "./page-messages.ts";

/**
 * What the window of consent and the frame say to each other. Both are of this origin, and both ask the browser for that: a
 * page between them can neither read nor write it.
 */

/** Window to frame: is this the frame of the ticket? */
export interface KnockMessage {
  readonly tabmesh: "knock";
  readonly ticket: string;
}

/** Frame to window: it is, for this site, and this is the key that it has just made. */
export interface HereMessage {
  readonly tabmesh: "here";
  readonly ticket: string;
  readonly site: SiteId;
  /** The public half; the other never leaves the frame. */
  readonly session: PeerId;
}

/** Window to frame: the key may act for the visitor's account of this site, until then. */
export interface GrantMessage {
  readonly tabmesh: "grant";
  readonly ticket: string;
  readonly account: PeerId;
  /** Delegation envelope. */
  readonly delegation: Uint8Array;
  /** Milliseconds since 1970. */
  readonly until: number;
}

function fieldsOf(data: unknown): ReadonlyMap<string, unknown> {
  return typeof data === "object" && data !== null ? new Map(Object.entries(data)) : new Map();
}

export function readKnock(data: unknown): KnockMessage | undefined {
  const fields = fieldsOf(data);
  const ticket = fields.get("ticket");
  return fields.get("tabmesh") === "knock" && isTicket(ticket) ? { tabmesh: "knock", ticket } : undefined;
}

export function readHere(data: unknown): HereMessage | undefined {
  const fields = fieldsOf(data);
  const [ticket, site, session] = ["ticket", "site", "session"].map((name) => fields.get(name));
  if (fields.get("tabmesh") !== "here" || !isTicket(ticket) || !isSiteId(site) || !isPeerId(session))
    return undefined;
  return { tabmesh: "here", ticket, site, session };
}

export function readGrant(data: unknown): GrantMessage | undefined {
  const fields = fieldsOf(data);
  const [ticket, account, delegation, until] = ["ticket", "account", "delegation", "until"].map((name) =>
    fields.get(name),
  );
  if (fields.get("tabmesh") !== "grant" || !isTicket(ticket) || !isPeerId(account)) return undefined;
  if (!(delegation instanceof Uint8Array) || typeof until !== "number" || !Number.isSafeInteger(until))
    return undefined;
  return { tabmesh: "grant", ticket, account, delegation, until };
}

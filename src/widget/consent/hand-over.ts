import type { PeerId } from "../../protocol/peer-id.ts";
import type { SiteView } from "../../protocol/site-views.ts";
import { HAND_OVER_MS, KNOCK_MS } from "../limits.ts";
import { type AgreedMessage, readMessage } from "../page-messages.ts";
import { type GrantMessage, type KnockMessage, readHere } from "../window-messages.ts";

const TICKET_BYTES = 16;

/** The frame that was opened for this window. */
export interface OpenedFrame {
  /** Its key. */
  readonly session: PeerId;
  give(grant: Omit<GrantMessage, "tabmesh" | "ticket">): void;
}

function newTicket(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(TICKET_BYTES));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Has the page open its frame, and finds it. The browser hands the ticket to a page of the site's origin alone, and the
 * knocking to a frame of this origin alone; so neither another page nor this one's scripts can stand in for it.
 * @param page that opened this window
 * @returns undefined when the page, or its frame, does not answer
 */
export async function openFrame(
  page: Window,
  { site, page: origin }: SiteView,
): Promise<OpenedFrame | undefined> {
  const ticket = newTicket();
  const { promise, resolve } = Promise.withResolvers<OpenedFrame | undefined>();
  let frame: Window | undefined;
  const listen = ({ data, origin: from, source }: MessageEvent): void => {
    const said = from === origin && source === page ? readMessage(data) : undefined;
    if (said?.tabmesh === "framed" && said.ticket === ticket && said.index < page.length)
      frame = page[said.index];
    const here = from === location.origin ? readHere(data) : undefined;
    if (here === undefined || source === null || here.ticket !== ticket || here.site !== site) return;
    resolve({
      session: here.session,
      give: (grant) => {
        const message: GrantMessage = { tabmesh: "grant", ticket, ...grant };
        source.postMessage(message, { targetOrigin: location.origin });
      },
    });
  };
  addEventListener("message", listen);
  const knocking = setInterval(() => {
    const knock: KnockMessage = { tabmesh: "knock", ticket };
    frame?.postMessage(knock, location.origin);
  }, KNOCK_MS);
  const timer = setTimeout(() => resolve(undefined), HAND_OVER_MS);
  const agreed: AgreedMessage = { tabmesh: "agreed", site, ticket };
  page.postMessage(agreed, origin);
  const opened = await promise;
  clearInterval(knocking);
  clearTimeout(timer);
  removeEventListener("message", listen);
  return opened;
}

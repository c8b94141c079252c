import { isSiteId, type SiteId } from "../../protocol/site.ts";
import { isTicket } from "../page-messages.ts";

/** What the frame's address says. */
export interface FramePlace {
  readonly site: SiteId;
  readonly language: string;
  /** Of the window that is about to give leave; absent where the frame is to go on with what was given before. */
  readonly ticket?: string;
  /** The page's wishes; theme.ts decides. */
  readonly theme: ReadonlyMap<string, string>;
}

/** @returns undefined where no site is named */
export function readFramePlace({ search, hash }: Pick<Location, "search" | "hash">): FramePlace | undefined {
  const query = new URLSearchParams(search);
  const site = query.get("site");
  if (!isSiteId(site)) return undefined;
  const wishes = new URLSearchParams(hash.slice(1));
  const ticket = wishes.get("ticket");
  return {
    site,
    language: query.get("lang") ?? "en",
    ...(isTicket(ticket) ? { ticket } : {}),
    theme: new Map(wishes),
  };
}

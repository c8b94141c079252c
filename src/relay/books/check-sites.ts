import type { Replay } from "../../ledger/replay.ts";
import { openEnvelope } from "../../protocol/envelope.ts";
import { siteMessage } from "../../protocol/messages/site.ts";
import { siteId } from "../../protocol/site.ts";
import type { BooksStore } from "../store/books-store.ts";
import type { SiteRow } from "../store/site-rows.ts";
import { differences } from "./differences.ts";

/** A site is what its owner signed. */
function* siteProblems(sites: readonly SiteRow[]): Generator<string> {
  for (const { site, owner, page, share, state, at, envelope } of sites) {
    const { body } = openEnvelope(siteMessage, envelope);
    const isSigned =
      site === siteId(owner, page) &&
      body.owner === owner &&
      body.page === page &&
      body.share === share &&
      body.state === state &&
      body.at === at;
    if (!isSigned) yield `site ${site} stands otherwise in its owner's message`;
  }
}

/** What the rows about sites and assignments say otherwise than the log, in words. */
export function* assignmentProblems(store: BooksStore, replay: Replay): Generator<string> {
  const rows = store.sites.everything();
  const log = replay.assignments.all.changes();
  yield* siteProblems(rows.sites);
  yield* differences("assignment of", rows.assignments, log.assignments, ({ account }) => account);
  yield* differences("transfer", rows.transfers, log.transfers, ({ index }) => String(index));
  yield* differences("day of site", rows.days, log.days, ({ site, start }) => `${site} ${start}`);
  yield* differences(
    "tab of site",
    rows.tabs,
    log.tabs,
    ({ site, start, account }) => `${site} ${start} ${account}`,
  );
}

import { startOfDay, type TransferState } from "../../ledger/assignment.ts";
import type { Verified } from "../../protocol/envelope.ts";
import { FailureError } from "../../protocol/failure.ts";
import { MAX_SITE_DAYS } from "../../protocol/limits.ts";
import type { Assign } from "../../protocol/messages/assign.ts";
import type { Inclusion } from "../../protocol/messages/receipt.ts";
import type { SiteRegistration } from "../../protocol/messages/site.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { SiteId } from "../../protocol/site.ts";
import type { AssignmentView, SiteContributions, SiteView, TransferView } from "../../protocol/site-views.ts";
import type { Sites } from "../sites.ts";
import { assign, registerSite } from "./assigning.ts";
import type { LedgerBooksParts } from "./ledger-books.ts";

function transferView({ index, ...transfer }: TransferState): TransferView {
  return { entryIndex: index, ...transfer };
}

/** Sites and assignments in the books; see LedgerBooks. */
export class LedgerSites implements Sites {
  readonly #parts: LedgerBooksParts;
  readonly #prove: (index: number) => Inclusion;

  /** @param prove that the log holds an entry. */
  constructor(parts: LedgerBooksParts, prove: (index: number) => Inclusion) {
    this.#parts = parts;
    this.#prove = prove;
  }

  async register(message: Verified<SiteRegistration>): Promise<SiteView> {
    return this.#parts.queue.submit((draft) => {
      const id = registerSite(this.#parts.court, draft, message);
      return () => {
        const site = this.site(id);
        if (site === undefined) throw new FailureError("not-found", `no site ${id}`);
        return site;
      };
    });
  }

  site(id: SiteId): SiteView | undefined {
    return this.#parts.committed.sites.site(id);
  }

  owned(owner: PeerId, fromMs: number): readonly SiteContributions[] {
    const { sites } = this.#parts.store;
    const from = startOfDay(fromMs);
    return sites.sitesOf(owner).map((site) => ({
      site,
      days: sites.days(site.site, from, MAX_SITE_DAYS).map(({ site: _site, ...day }) => day),
    }));
  }

  async assign(message: Verified<Assign>): Promise<Inclusion> {
    return this.#parts.queue.submit((draft) => {
      const index = assign(this.#parts.court, draft, message);
      return () => this.#prove(index);
    });
  }

  assignment(account: PeerId): AssignmentView | undefined {
    const state = this.#parts.committed.sites.assignment(account);
    if (state === undefined) return undefined;
    const { id, index, idleSince: _idleSince, ...rest } = state;
    return { ...rest, assignment: id, entryIndex: index };
  }

  transfers(account: PeerId, before: number | undefined, limit: number): readonly TransferView[] {
    const rows = this.#parts.store.sites.transfers(account, before ?? Number.MAX_SAFE_INTEGER, limit);
    return rows.map(transferView);
  }

  received(account: PeerId): bigint {
    return this.#parts.store.sites.received(account);
  }
}

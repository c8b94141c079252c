import type {
  AssignmentLookup,
  AssignmentState,
  SiteDayState,
  TransferState,
} from "../../ledger/assignment.ts";
import type { AssignmentChanges } from "../../ledger/assignments.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { SiteId } from "../../protocol/site.ts";
import type { SiteView } from "../../protocol/site-views.ts";

/** A site as its owner registered it last. Kept, but not logged: what binds is what a visitor signs. */
export type SiteRow = SiteView;

/** What one group commit writes about sites and assignments. Rows replace those of the same key. */
export interface SiteRows extends AssignmentChanges {
  readonly sites: readonly SiteRow[];
}

/** How sites and assignments stand at some point. */
export interface SiteStanding extends AssignmentLookup {
  site(id: SiteId): SiteRow | undefined;
  /** In order of their names. */
  sitesOf(owner: PeerId): readonly SiteRow[];
}

/** Where sites and assignments live; see BooksStore. */
export interface SiteStore extends SiteStanding {
  /** Days of a site that start at `from` or later, oldest first; the newest `limit` of them. */
  days(site: SiteId, from: number, limit: number): readonly SiteDayState[];
  /** To and from an account, with an entry below `before`, newest first. */
  transfers(account: PeerId, before: number, limit: number): readonly TransferState[];
  /** Micro-credits that an account got by transfers. */
  received(account: PeerId): bigint;
  /** Accounts that have been idle for as long as their assignment says at `time`, while money is kept of them. */
  idle(time: number, limit: number): readonly PeerId[];
  /** Everything, for the recomputation from entries. */
  everything(): SiteRows & { readonly assignments: readonly AssignmentState[] };
}

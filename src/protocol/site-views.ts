import type { Cid } from "./cid.ts";
import type { SiteState } from "./messages/site.ts";
import type { PeerId } from "./peer-id.ts";
import type { SiteId } from "./site.ts";
import type { MicroCredits } from "./units.ts";

/** What the relay tells of sites, assignments and transfers. */

/** A site as its owner registered it last. */
export interface SiteView {
  readonly site: SiteId;
  readonly owner: PeerId;
  /** Origin of its pages, as in "https://news.example". */
  readonly page: string;
  /** What visitors keep of what their tabs earn, in millionths. */
  readonly share: number;
  readonly state: SiteState;
  /** Milliseconds since 1970, by the owner's clock. */
  readonly at: number;
  /** The owner's own message, which says all of this and is signed: whoever asks need not believe the relay. */
  readonly envelope: Uint8Array;
}

/** What the tabs of a site's visitors did in one day, UTC, by log time. */
export interface SiteDay {
  /** Start of the day, milliseconds since 1970. */
  readonly start: number;
  /** Accounts of visitors with a receipt that day: one for each tab, where the browser keeps nothing for the site. */
  readonly tabs: number;
  readonly tasks: number;
  readonly fuel: bigint;
  /** Reported that day: audits and holding times are still before most of it. */
  readonly earned: MicroCredits;
  /** Became available that day and went to the owner, or stayed with the visitors. */
  readonly toOwner: MicroCredits;
  readonly toVisitors: MicroCredits;
}

/** One site with its days, oldest first; days without anything are left out. */
export interface SiteContributions {
  readonly site: SiteView;
  readonly days: readonly SiteDay[];
}

/** Who gets a part of an account's earnings. */
export interface AssignmentView {
  readonly account: PeerId;
  /** CID of the assign message. */
  readonly assignment: Cid;
  readonly payee: PeerId;
  /** The payee's part, in millionths. */
  readonly ppm: number;
  readonly site?: SiteId;
  readonly retireAfterMs?: number;
  /** By the account's clock; the next message needs a later one. Milliseconds since 1970. */
  readonly at: number;
  /** Log time since which it counts, milliseconds since 1970, and its entry. */
  readonly since: number;
  readonly entryIndex: number;
  /** Earnings that became available since, and what of them went to the payee. What was swept is not in it. */
  readonly earned: MicroCredits;
  readonly passed: MicroCredits;
}

/** Money that went from one account to another, as an assignment says. */
export interface TransferView {
  readonly entryIndex: number;
  /** Log time, milliseconds since 1970. */
  readonly time: number;
  readonly from: PeerId;
  readonly to: PeerId;
  readonly amount: MicroCredits;
  /** Entry that made it available, or the assign entry that swept it. */
  readonly cause: number;
  /** The site that the assignment named. */
  readonly site?: SiteId;
}

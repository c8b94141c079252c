import { type AssignmentState, type SiteDayState, type SiteTab } from "../../ledger/assignment.ts";
import { Assignments } from "../../ledger/assignments.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { SiteId } from "../../protocol/site.ts";
import type { SiteRow, SiteRows, SiteStanding, SiteStore } from "../store/site-rows.ts";
import { KEPT_STATES } from "./limits.ts";
import { RecentMap } from "./recent-map.ts";

/** What operations change about sites and assignments, on top of how those stood; see Draft. */
export class SiteDraft implements SiteStanding {
  readonly #base: SiteStanding;
  readonly #sites = new Map<SiteId, SiteRow>();
  readonly assignments: Assignments;

  constructor(base: SiteStanding) {
    this.#base = base;
    this.assignments = new Assignments(base);
  }

  site(id: SiteId): SiteRow | undefined {
    return this.#sites.get(id) ?? this.#base.site(id);
  }

  sitesOf(owner: PeerId): readonly SiteRow[] {
    const own = [...this.#sites.values()].filter((row) => row.owner === owner);
    return [...this.#base.sitesOf(owner).filter(({ site }) => !this.#sites.has(site)), ...own];
  }

  setSite(row: SiteRow): void {
    this.#sites.set(row.site, row);
  }

  assignment(account: PeerId): AssignmentState | undefined {
    return this.assignments.assignment(account);
  }

  siteDay(site: SiteId, start: number): SiteDayState | undefined {
    return this.assignments.siteDay(site, start);
  }

  hasTab(tab: SiteTab): boolean {
    return this.assignments.hasTab(tab);
  }

  /** Takes over what a draft on top of this one has changed. */
  absorb(rows: SiteRows): void {
    for (const row of rows.sites) this.setSite(row);
    this.assignments.absorb(rows);
  }

  /** What it changes, to be written. */
  rows(): SiteRows {
    return { sites: [...this.#sites.values()], ...this.assignments.changes() };
  }
}

/**
 * Sites and assignments on the disk. Whether a provider has an assignment is asked at every report, and of a visitor of a site
 * its day and whether it is counted there: what was asked for lately is remembered.
 */
export class CommittedSites implements SiteStanding {
  readonly #store: SiteStore;
  readonly #assignments = new RecentMap<PeerId, AssignmentState | "none">(KEPT_STATES);
  readonly #days = new RecentMap<string, SiteDayState>(KEPT_STATES);
  readonly #tabs = new RecentMap<string, true>(KEPT_STATES);

  constructor(store: SiteStore) {
    this.#store = store;
  }

  site(id: SiteId): SiteRow | undefined {
    return this.#store.site(id);
  }

  sitesOf(owner: PeerId): readonly SiteRow[] {
    return this.#store.sitesOf(owner);
  }

  assignment(account: PeerId): AssignmentState | undefined {
    let known = this.#assignments.get(account);
    if (known === undefined) {
      known = this.#store.assignment(account) ?? "none";
      this.#assignments.set(account, known);
    }
    return known === "none" ? undefined : known;
  }

  siteDay(site: SiteId, start: number): SiteDayState | undefined {
    return this.#days.get(`${site} ${start}`) ?? this.#store.siteDay(site, start);
  }

  hasTab(tab: SiteTab): boolean {
    return this.#tabs.get(tabName(tab)) ?? this.#store.hasTab(tab);
  }

  /** Takes over what was written just now. */
  absorb({ assignments, days, tabs }: SiteRows): void {
    for (const state of assignments) this.#assignments.set(state.account, state);
    for (const day of days) this.#days.set(`${day.site} ${day.start}`, day);
    for (const tab of tabs) this.#tabs.set(tabName(tab), true);
  }
}

function tabName({ site, start, account }: SiteTab): string {
  return `${site} ${start} ${account}`;
}

import type { Cid } from "../protocol/cid.ts";
import type { Assign, TransferBody } from "../protocol/messages/assign.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { SiteId } from "../protocol/site.ts";
import { microCredits } from "../protocol/units.ts";
import {
  assigned,
  type AssignmentLookup,
  type AssignmentState,
  creditOf,
  dividedBy,
  dividedDay,
  idleAfter,
  reportedDay,
  type SiteDayState,
  type SiteTab,
  startOfDay,
  type TransferState,
  type Work,
} from "./assignment.ts";
import type { Place } from "./change.ts";
import type { LedgerEvent } from "./ledger-event.ts";
import type { ProviderState } from "./ledger-state.ts";

/** What events changed about assignments. Rows replace those of the same key. */
export interface AssignmentChanges {
  readonly assignments: readonly AssignmentState[];
  readonly days: readonly SiteDayState[];
  readonly tabs: readonly SiteTab[];
  readonly transfers: readonly TransferState[];
}

const NOTHING: AssignmentLookup = {
  assignment: () => undefined,
  siteDay: () => undefined,
  hasTab: () => false,
};

/**
 * What events make of assignments, on top of how those stood: who gets a part of whose earnings, what is due to a payee after
 * an entry, and what the visitors of sites contributed. The relay follows its own entries with this as it writes them, and
 * whoever reads the log follows them with the same.
 */
export class Assignments implements AssignmentLookup {
  readonly #base: AssignmentLookup;
  readonly #assignments = new Map<PeerId, AssignmentState>();
  readonly #days = new Map<string, SiteDayState>();
  readonly #tabs = new Map<string, SiteTab>();
  readonly #transfers: TransferState[] = [];

  constructor(base: AssignmentLookup = NOTHING) {
    this.#base = base;
  }

  assignment(account: PeerId): AssignmentState | undefined {
    return this.#assignments.get(account) ?? this.#base.assignment(account);
  }

  siteDay(site: SiteId, start: number): SiteDayState | undefined {
    return this.#days.get(dayName(site, start)) ?? this.#base.siteDay(site, start);
  }

  hasTab(tab: SiteTab): boolean {
    return this.#tabs.has(tabName(tab)) || this.#base.hasTab(tab);
  }

  /**
   * Takes an assign message that was logged.
   * @param available what the account has. @param provider its record.
   * @returns the transfer that has to follow at once, where it sweeps.
   */
  assign(
    message: { readonly id: Cid; readonly body: Assign },
    place: Place,
    available: bigint,
    provider: ProviderState | undefined,
  ): TransferBody | undefined {
    const { account, payee, sweep } = message.body;
    this.#assignments.set(account, assigned(message, place, provider));
    if (!sweep || available <= 0n) return undefined;
    return { from: account, to: payee, amount: microCredits(available), cause: place.index };
  }

  /**
   * Takes an event that somebody's work led to.
   * @returns the transfer that has to follow at once.
   */
  follow(event: LedgerEvent, work: Work, { index, time }: Place): TransferBody | undefined {
    const before = this.assignment(work.worker);
    if (before === undefined) return undefined;
    if (event.type === "receipt") this.#report(before, work, time);
    const credit = creditOf(event, work);
    const { state, due } = dividedBy(before, credit);
    const after = idleAfter(state, event, time, work.provider);
    if (credit > 0n || after.idleSince !== before.idleSince) this.#assignments.set(work.worker, after);
    if (credit > 0n && before.site !== undefined) {
      const start = startOfDay(time);
      this.#setDay(dividedDay(this.siteDay(before.site, start), before.site, start, credit, due));
    }
    return due === 0n ? undefined : { from: work.worker, to: before.payee, amount: due, cause: index };
  }

  /** The account has been taken to have retired. */
  retireIdle(account: PeerId): void {
    const before = this.assignment(account);
    if (before !== undefined)
      this.#assignments.set(account, idleAfter(before, { type: "retire", account }, 0, undefined));
  }

  /** Takes a transfer that was logged. */
  transferred(body: TransferBody, { index, time }: Place): void {
    const site = this.assignment(body.from)?.site;
    this.#transfers.push({ ...body, index, time, ...(site === undefined ? {} : { site }) });
  }

  #report({ site, account }: AssignmentState, work: Work, time: number): void {
    if (site === undefined) return;
    const tab = { site, start: startOfDay(time), account };
    const isNew = !this.hasTab(tab);
    if (isNew) this.#tabs.set(tabName(tab), tab);
    this.#setDay(reportedDay(this.siteDay(site, tab.start), tab, isNew, work));
  }

  #setDay(day: SiteDayState): void {
    this.#days.set(dayName(day.site, day.start), day);
  }

  /** Takes over what others on top of this have changed. */
  absorb({ assignments, days, tabs, transfers }: AssignmentChanges): void {
    for (const state of assignments) this.#assignments.set(state.account, state);
    for (const day of days) this.#setDay(day);
    for (const tab of tabs) this.#tabs.set(tabName(tab), tab);
    this.#transfers.push(...transfers);
  }

  /** What has changed. */
  changes(): AssignmentChanges {
    return {
      assignments: [...this.#assignments.values()],
      days: [...this.#days.values()],
      tabs: [...this.#tabs.values()],
      transfers: this.#transfers,
    };
  }
}

function dayName(site: SiteId, start: number): string {
  return `${site} ${start}`;
}

function tabName({ site, start, account }: SiteTab): string {
  return `${site} ${start} ${account}`;
}

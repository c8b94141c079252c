import { expect, it } from "vitest";
import type { AssignmentState, SiteDayState, TransferState } from "../../ledger/assignment.ts";
import { newProvider, type ProviderState } from "../../ledger/ledger-state.ts";
import { cidOf, RAW } from "../../protocol/cid.ts";
import { type PeerId, peerIdFromKey } from "../../protocol/peer-id.ts";
import { siteId } from "../../protocol/site.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { microCredits, U64_MAX } from "../../protocol/units.ts";
import type { Batch, BooksStore } from "./books-store.ts";
import type { SiteRow, SiteRows } from "./site-rows.ts";

const root = new Uint8Array(32);
const DAY = 86_400_000;

function peer(number: number): PeerId {
  return peerIdFromKey(new Uint8Array(32).fill(number));
}

const OWNER = peer(1);
const SITE = siteId(OWNER, "https://news.example");

function batch(size: number, sites: Partial<SiteRows>, providers: readonly ProviderState[] = []): Batch {
  return {
    head: { size, root, time: size },
    entries: [{ index: size - 1, type: "bar", bytes: Uint8Array.of(size) }],
    nodes: [],
    jobs: [],
    leases: [],
    accounts: [],
    earnings: [],
    denials: [],
    secrets: [],
    spendings: [],
    evidence: [],
    audits: { providers, experience: [], draws: [] },
    sites: { sites: [], assignments: [], days: [], tabs: [], transfers: [], ...sites },
  };
}

function site(page: string, changes: Partial<SiteRow> = {}): SiteRow {
  const name = siteId(OWNER, page);
  const envelope = Uint8Array.of(1, 2, 3);
  return { site: name, owner: OWNER, page, share: 250_000, state: "open", at: 5, envelope, ...changes };
}

function assignment(account: number, changes: Partial<AssignmentState> = {}): AssignmentState {
  return {
    account: peer(account),
    id: cidOf(RAW, encodeUtf8(`assign ${account}`)),
    index: 3,
    since: 7,
    at: 6,
    payee: OWNER,
    ppm: 750_000,
    earned: microCredits(0),
    passed: microCredits(0),
    ...changes,
  };
}

function transfer(index: number, from: number, to: PeerId, amount = 10): TransferState {
  return {
    index,
    time: index,
    from: peer(from),
    to,
    amount: microCredits(amount),
    cause: index - 1,
    site: SITE,
  };
}

function day(start: number, changes: Partial<SiteDayState> = {}): SiteDayState {
  const nothing = microCredits(0);
  return {
    site: SITE,
    start,
    tabs: 1,
    tasks: 2,
    fuel: 3n,
    earned: nothing,
    toOwner: nothing,
    toVisitors: nothing,
    ...changes,
  };
}

/** What every store keeps of sites and assignments. @param open a new store */
export function siteStoreContract(open: () => BooksStore): void {
  it("keeps sites as they were registered last, by name and by owner", () => {
    const store = open();
    const [news, shop] = [site("https://news.example"), site("https://shop.example")];
    store.commit(batch(1, { sites: [news, shop] }));
    const closed = { ...news, state: "closed", share: 0, at: 9 } as const;
    store.commit(batch(2, { sites: [closed] }));
    expect(store.sites.site(news.site)).toEqual(closed);
    expect(new Set(store.sites.sitesOf(OWNER))).toEqual(new Set([closed, shop]));
    expect(store.sites.sitesOf(peer(2))).toEqual([]);
    store.close();
  });

  it("keeps the newest assignment of each account, with all it says or only what it must", () => {
    const store = open();
    const plain = assignment(2);
    const full = assignment(3, {
      site: SITE,
      retireAfterMs: 600_000,
      idleSince: 8,
      earned: microCredits(9),
      passed: microCredits(6),
    });
    store.commit(batch(1, { assignments: [assignment(2, { ppm: 5 }), full] }));
    store.commit(batch(2, { assignments: [plain] }));
    expect(store.sites.assignment(peer(2))).toEqual(plain);
    expect(store.sites.assignment(peer(3))).toEqual(full);
    expect(store.sites.assignment(peer(4))).toBeUndefined();
    store.close();
  });

  it("refuses an assignment that passed on more than was earned", () => {
    const store = open();
    expect(() =>
      store.commit(batch(1, { assignments: [assignment(2, { passed: microCredits(1) })] })),
    ).toThrow(/CHECK constraint/u);
    store.close();
  });

  it("lists transfers to and from an account page by page, each once, and sums what came in", () => {
    const store = open();
    const all = [
      transfer(1, 2, OWNER),
      transfer(2, 1, peer(2), 4),
      transfer(3, 3, OWNER),
      transfer(4, 2, OWNER, 7),
    ];
    store.commit(batch(1, { transfers: all }));
    const indices = (account: PeerId, before: number, limit: number): readonly number[] =>
      store.sites.transfers(account, before, limit).map(({ index }) => index);
    expect(store.sites.transfers(OWNER, 99, 99)).toEqual(all.toReversed());
    expect(indices(OWNER, 99, 2)).toEqual([4, 3]);
    expect(indices(OWNER, 3, 2)).toEqual([2, 1]);
    expect(indices(peer(2), 99, 99)).toEqual([4, 2, 1]);
    expect([store.sites.received(OWNER), store.sites.received(peer(3))]).toEqual([27n, 0n]);
    store.close();
  });

  it("lists the newest days of a site, oldest first, and knows its tabs", () => {
    const store = open();
    const days = [0, 1, 2, 3].map((n) => day(n * DAY));
    store.commit(batch(1, { days, tabs: [{ site: SITE, start: 0, account: peer(2) }] }));
    const fuller = day(2 * DAY, { tasks: 9, fuel: U64_MAX });
    store.commit(batch(2, { days: [fuller], tabs: [{ site: SITE, start: 0, account: peer(2) }] }));
    expect(store.sites.days(SITE, DAY, 2)).toEqual([fuller, days[3]]);
    expect(store.sites.days(SITE, 2 * DAY, 99)).toEqual([fuller, days[3]]);
    expect(store.sites.siteDay(SITE, 2 * DAY)).toEqual(fuller);
    const tab = { site: SITE, start: 0, account: peer(2) };
    expect(store.sites.hasTab(tab)).toBe(true);
    expect(store.sites.hasTab({ ...tab, start: DAY })).toBe(false);
    expect(store.sites.hasTab({ ...tab, account: peer(3) })).toBe(false);
    store.close();
  });

  it("finds who has been idle for as long as it said: not who works, has retired or said nothing", () => {
    const store = open();
    const idle = { idleSince: 1_000, retireAfterMs: 600_000 };
    const providers = [
      ...[2, 3, 4].map((each) => newProvider(peer(each))),
      { ...newProvider(peer(5)), openLeases: 1 },
      { ...newProvider(peer(6)), retiring: 5 },
    ];
    store.commit(
      batch(
        1,
        {
          assignments: [
            assignment(2, idle),
            assignment(3, { ...idle, idleSince: 999 }),
            assignment(4, { retireAfterMs: 600_000 }),
            assignment(5, idle),
            assignment(6, idle),
          ],
        },
        providers,
      ),
    );
    expect(store.sites.idle(600_998, 9)).toEqual([]);
    expect(store.sites.idle(600_999, 9)).toEqual([peer(3)]);
    expect(store.sites.idle(601_000, 9)).toEqual([peer(3), peer(2)]);
    expect(store.sites.idle(601_000, 1)).toEqual([peer(3)]);
    store.close();
  });
}

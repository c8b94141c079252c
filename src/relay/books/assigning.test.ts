import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, describe, expect, it } from "vitest";
import { type AuditPolicy, DEFAULT_AUDIT_POLICY, PPM } from "../../protocol/audit-policy.ts";
import { readBody } from "../../protocol/envelope.ts";
import { failureCode, type FailureName } from "../../protocol/failure-code.ts";
import { CLOCK_SKEW_MS, MAX_SITES_PER_ACCOUNT } from "../../protocol/limits.ts";
import { type Assign, assignMessage } from "../../protocol/messages/assign.ts";
import { type Draw, drawMessage, type Verdict, verdictMessage } from "../../protocol/messages/audit.ts";
import { payoutAddressMessage } from "../../protocol/messages/payout.ts";
import { decodeEntry } from "../../protocol/messages/entry.ts";
import { type SiteRegistration, siteMessage } from "../../protocol/messages/site.ts";
import type { Signer } from "../../protocol/signature.ts";
import { type SiteId, siteId } from "../../protocol/site.ts";
import { fuel, microCredits } from "../../protocol/units.ts";
import { openSqliteStore } from "../store/sqlite-store.ts";
import {
  GRANT,
  HEAD,
  openLease,
  openScene,
  type Scene,
  sessionOf,
  signerOf,
  START,
  verifiedMessage,
} from "./books-scene.contract.ts";
import { checkBooks } from "./check-books.ts";
import { openBooks } from "./open-books.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MIDNIGHT = START - (START % DAY);
const PAGE = "https://news.example";

const olga = signerOf("olga");
const eve = signerOf("eve");

const open: { scene: Scene; readonly path: string; readonly folder: string; isBroken?: boolean }[] = [];

async function scene(audit?: Partial<AuditPolicy>): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), "assigned-books-"));
  const path = join(folder, "books.sqlite");
  const changes = audit === undefined ? {} : { audit: { ...DEFAULT_AUDIT_POLICY, ...audit } };
  const made = await openScene(path, changes);
  open.push({ scene: made, path, folder });
  return made;
}

/** Every story ends with books that say what the log says, to the last micro-credit. */
afterEach(() => {
  for (const { scene: each, path, folder, isBroken } of open.splice(0)) {
    each.books.close();
    const store = openSqliteStore(path);
    if (isBroken !== true) expect(checkBooks(store)).toEqual([]);
    store.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

async function refused(attempt: Promise<unknown>, name: FailureName, detail = ""): Promise<void> {
  await expect(attempt).rejects.toEqual(
    expect.objectContaining({ code: failureCode(name), detail: expect.stringContaining(detail) }),
  );
}

async function register(
  { books, clock }: Scene,
  changes: Partial<SiteRegistration> = {},
  by: Signer = olga,
): ReturnType<Scene["books"]["sites"]["register"]> {
  const body: SiteRegistration = {
    ...HEAD,
    owner: olga.key,
    page: PAGE,
    share: 250_000,
    state: "open",
    at: clock.now,
    ...changes,
  };
  return books.sites.register(await verifiedMessage(siteMessage, body, [by]));
}

async function assign(
  { books, clock, provider }: Scene,
  changes: Partial<Assign> = {},
  by: Signer = provider,
): ReturnType<Scene["books"]["sites"]["assign"]> {
  const body: Assign = {
    ...HEAD,
    account: provider.key,
    payee: olga.key,
    ppm: 750_000,
    sweep: false,
    at: clock.now,
    ...changes,
  };
  return books.sites.assign(await verifiedMessage(assignMessage, body, [by]));
}

/** So many tasks done, reported and settled. */
async function work(made: Scene, tasks: number, isAudited = false): Promise<void> {
  const version = isAudited ? { policyVersion: 1 } : {};
  const { work: each } = await openLease(made, {}, version);
  const { draw } = await each.go(tasks).send({ receipt: { final: true }, advance: { close: true } });
  if (draw !== undefined) await judgeAll(made, readBody(drawMessage, draw));
}

/** Every drawn outcome is as it was said to be. */
async function judgeAll({ books }: Scene, { lease, entryIndex, leaves }: Draw): Promise<void> {
  for (const index of leaves) {
    const body: Verdict = {
      ...HEAD,
      lease,
      entryIndex,
      index,
      result: "match",
      expected: new Uint8Array(32),
      found: new Uint8Array(32),
      fuel: fuel(0),
      profile: 1,
      engine: "a test",
      auditors: [],
    };
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await books.audits.judge(await verifiedMessage(verdictMessage, body, [books.signer("draw")]));
  }
}

function typesFrom({ books }: Scene, index: number): readonly string[] {
  const types: string[] = [];
  for (let at = index; at < books.size(); at += 1) {
    const bytes = books.entry(at);
    if (bytes !== undefined) types.push(decodeEntry(bytes).type);
  }
  return types;
}

function allMoney({ books, requester, provider }: Scene): bigint {
  return [requester, provider, olga, eve].reduce((sum, { key }) => {
    const { available, pending, held, bond, escrowed } = books.account(key);
    return sum + available + pending + held + bond + escrowed;
  }, 0n);
}

describe("A site", () => {
  it("is what its owner signed last, and anybody can check that", async () => {
    const made = await scene();
    const first = await register(made);
    expect(first).toMatchObject({
      site: siteId(olga.key, PAGE),
      owner: olga.key,
      page: PAGE,
      share: 250_000,
    });
    const later = await register(made, { share: 100, at: START + 1 });
    expect(later).toMatchObject({ site: first.site, share: 100, at: START + 1 });
    expect(made.books.sites.site(first.site)).toEqual(later);
    expect(await register(made, { share: 100, at: START + 1 })).toEqual(later);
    await refused(register(made, { at: START }), "replayed");
    await refused(register(made, { at: START + 1 }), "replayed");
  });

  it("is registered by its owner alone, not by a session or anybody else", async () => {
    const made = await scene();
    await refused(register(made, {}, eve), "bad-signature");
    await refused(register(made, {}, await sessionOf("olga", "a tab")), "bad-signature");
    expect(made.books.sites.owned(olga.key, 0)).toEqual([]);
  });

  it("of a pretended owner is another site, which the pages of the real one do not name", async () => {
    const made = await scene();
    const { site } = await register(made);
    const pretended = await register(made, { owner: eve.key }, eve);
    expect(pretended.site).not.toBe(site);
    expect(made.books.sites.site(site)?.owner).toBe(olga.key);
  });

  it("dated ahead of the relay's clock is refused with a sentence, so that it does not block later ones", async () => {
    const made = await scene();
    await refused(register(made, { at: START + DAY }), "malformed", "set the clock right");
    await register(made, { at: START + CLOCK_SKEW_MS });
  });

  it("is one of a few that an account may have", async () => {
    const made = await scene();
    for (let i = 0; i < MAX_SITES_PER_ACCOUNT; i += 1)
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await register(made, { page: `https://site-${i}.example` });
    await refused(register(made), "too-large");
    await register(made, { page: "https://site-0.example", state: "closed", at: START + 1 });
  });
});

describe("An assignment", () => {
  it("gives the payee its part of what becomes available, in the entry after, to the micro-credit", async () => {
    const made = await scene();
    const { index } = await assign(made, { ppm: 333_333 });
    await work(made, 7);
    await work(made, 3);
    const { available, earned } = made.books.account(made.provider.key);
    const passed = made.books.account(olga.key).available;
    expect(passed).toBe((earned * 333_333n) / BigInt(PPM));
    expect(available + passed).toBe(earned);
    const paid = "escrow lease receipt settle transfer";
    expect(typesFrom(made, index).join(" ")).toBe(`assign ${paid} ${paid}`);
    expect(made.books.sites.assignment(made.provider.key)).toMatchObject({ earned, passed, ppm: 333_333 });
    expect(allMoney(made)).toBe(GRANT);
  });

  it("is told to both: each transfer with the entry it is due to", async () => {
    const made = await scene();
    await assign(made);
    await work(made, 4);
    await work(made, 4);
    const [second, first] = made.books.sites.transfers(olga.key, undefined, 10);
    expect(made.books.sites.transfers(made.provider.key, undefined, 10)).toEqual([second, first]);
    expect(made.books.sites.transfers(olga.key, second?.entryIndex, 10)).toEqual([first]);
    expect(first).toMatchObject({ from: made.provider.key, to: olga.key });
    expect(first?.cause).toBe((first?.entryIndex ?? 0) - 1);
    expect(made.books.sites.received(olga.key)).toBe(made.books.account(olga.key).available);
  });

  it("is ended by a newer one, and an old one cannot be sent again", async () => {
    const made = await scene();
    const first = await assign(made);
    expect((await assign(made)).index).toBe(first.index);
    await assign(made, { ppm: 0, at: START + 1 });
    await work(made, 5);
    expect(made.books.account(olga.key).available).toBe(0n);
    await refused(assign(made), "replayed");
    await refused(assign(made, { at: START + 1, ppm: 5 }), "replayed");
  });

  it("is not followed further: what a payee is sent stays with it", async () => {
    const made = await scene();
    await assign(made, { account: olga.key, payee: eve.key, ppm: PPM }, olga);
    await assign(made, { ppm: PPM });
    await work(made, 5);
    expect(made.books.account(made.provider.key).available).toBe(0n);
    expect(made.books.account(eve.key).available).toBe(0n);
    expect(made.books.account(olga.key).available).toBe(made.books.account(made.provider.key).earned);
  });

  it("leaves alone what an account is granted, and what its own jobs give back", async () => {
    const made = await scene();
    const account = made.requester.key;
    await assign(made, { account, ppm: PPM }, made.requester);
    await made.books.grant(account, microCredits(100), "more");
    await work(made, 5);
    made.clock.now += 2 * HOUR;
    await made.books.settleDue();
    expect(made.books.account(olga.key).available).toBe(0n);
    expect(made.books.account(account).escrowed).toBe(0n);
  });

  it("with a sweep moves all that is there at once: so a visitor claims what its tab has earned", async () => {
    const made = await scene();
    await assign(made, { ppm: 250_000 });
    await work(made, 8);
    const kept = made.books.account(made.provider.key).available;
    expect(kept).toBeGreaterThan(0n);
    await assign(made, { payee: eve.key, ppm: PPM, sweep: true, at: START + 1 });
    expect(made.books.account(made.provider.key).available).toBe(0n);
    expect(made.books.account(eve.key).available).toBe(kept);
    await work(made, 8);
    expect(made.books.account(made.provider.key).available).toBe(0n);
    expect(allMoney(made)).toBe(GRANT);
  });

  it("is signed by the account alone: a tab's session key that was stolen gives no money away", async () => {
    const made = await scene();
    await work(made, 5);
    await refused(assign(made, { payee: eve.key, sweep: true }, eve), "bad-signature");
    const stolen = await sessionOf("provider", "a tab");
    await refused(assign(made, { payee: eve.key, sweep: true }, stolen), "bad-signature");
    expect(made.books.account(eve.key).available).toBe(0n);
  });

  it("dated ahead of the relay's clock is refused with a sentence", async () => {
    const made = await scene();
    await refused(assign(made, { at: START + DAY }), "malformed", "86400 seconds ahead");
  });

  it("of somebody the operator does not admit, or to such a one, is refused", async () => {
    const made = await scene();
    await made.books.deny("peer", eve.key, "a test");
    await refused(assign(made, { payee: eve.key }), "denied");
    await refused(assign(made, { account: eve.key }, eve), "denied");
  });

  it("survives a restart, and earns on", async () => {
    const made = await scene();
    await assign(made, { ppm: 500_001 });
    await work(made, 3);
    made.books.close();
    const books = await openBooks(made.options);
    const again = { ...made, books };
    for (const each of open) if (each.scene === made) each.scene = again;
    await work(again, 3);
    const { earned } = books.account(made.provider.key);
    expect(books.account(olga.key).available).toBe((earned * 500_001n) / BigInt(PPM));
  });
});

describe("An account that is paid out itself", () => {
  it("cannot be assigned: a thief of its key would be spared the 72 hours that a new address waits", async () => {
    const asset = "eip155:1/slip44:60";
    const folder = mkdtempSync(join(tmpdir(), "assigned-books-"));
    const path = join(folder, "books.sqlite");
    const made = await scene();
    const books = await openBooks({ ...made.options, path, asset });
    const head = { ...HEAD, asset };
    const account = made.provider.key;
    const address = { ...head, account, address: "bank" };
    await books.payouts.setAddress(await verifiedMessage(payoutAddressMessage, address, [made.provider]));
    await books.payouts.credit(account, microCredits(500), "a payment");
    const body: Assign = { ...head, account, payee: eve.key, ppm: PPM, sweep: true, at: START };
    const theft = books.sites.assign(await verifiedMessage(assignMessage, body, [made.provider]));
    await refused(theft, "denied", "is paid itself");
    expect(books.account(eve.key).available).toBe(0n);
    books.close();
    rmSync(folder, { recursive: true, force: true });
  });
});

async function visited(share = 250_000): Promise<{ readonly made: Scene; readonly site: SiteId }> {
  const made = await scene();
  const { site } = await register(made, { share });
  return { made, site };
}

describe("Visitors of a site", () => {
  it("give what the site asks of them, to its owner, while it is open", async () => {
    const { made, site } = await visited();
    await refused(assign(made, { site, payee: eve.key }), "denied", "belongs to");
    await refused(assign(made, { site, ppm: 750_001 }), "denied", "takes 750000 millionths");
    await refused(assign(made, { site: siteId(eve.key, PAGE) }), "not-found");
    await assign(made, { site });
    await register(made, { state: "closed", at: START + 1 });
    await refused(assign(made, { site, at: START + 2 }), "denied", "no visitors any more");
  });

  it("are counted by day: tabs, tasks, fuel, and what went to whom", async () => {
    const { made, site } = await visited();
    await assign(made, { site });
    const other = signerOf("another visitor");
    await assign(made, { site, account: other.key }, other);
    await work(made, 4);
    await work(made, 2);
    const { work: others } = await openLease(made, {}, { provider: other.key, instance: other.key });
    await others.go(3).send({ provider: other, receipt: { final: true } });
    made.clock.now += DAY;
    await work(made, 1);
    const [contributions] = made.books.sites.owned(olga.key, 0);
    const [first, second] = contributions?.days ?? [];
    expect(first).toMatchObject({ start: MIDNIGHT, tabs: 2, tasks: 9, fuel: 9_000_000n });
    expect(second).toMatchObject({ start: MIDNIGHT + DAY, tabs: 1, tasks: 1 });
    const earned = [made.provider, other].map(({ key }) => made.books.account(key).earned);
    const sum = (first?.earned ?? 0n) + (second?.earned ?? 0n);
    expect(sum).toBe(earned[0]! + earned[1]!);
    const passed = earned.map((each) => (each * 750_000n) / BigInt(PPM));
    expect((first?.toOwner ?? 0n) + (second?.toOwner ?? 0n)).toBe(passed[0]! + passed[1]!);
    expect((first?.toVisitors ?? 0n) + (second?.toVisitors ?? 0n)).toBe(sum - passed[0]! - passed[1]!);
    expect(made.books.sites.owned(olga.key, START + DAY)[0]?.days).toEqual([second]);
  });

  it("who keep everything are counted too", async () => {
    const { made, site } = await visited(PPM);
    await assign(made, { site, ppm: 0 });
    await work(made, 4);
    const [day] = made.books.sites.owned(olga.key, 0)[0]?.days ?? [];
    expect(day).toMatchObject({ tabs: 1, tasks: 4, toOwner: 0n });
    expect(day?.toVisitors).toBe(made.books.account(made.provider.key).available);
  });

  it("who only say that they belong to a site count for nothing there", async () => {
    const { made } = await visited();
    await assign(made);
    await work(made, 4);
    expect(made.books.sites.owned(olga.key, 0)[0]?.days).toEqual([]);
    expect(made.books.account(olga.key).available).toBeGreaterThan(0n);
  });
});

describe("A visitor who does not come back", () => {
  const audit = { bondTasks: 4, holdTasks: 4, holdMs: HOUR, leaseFee: microCredits(0) };

  it("is retired after as long as it said, and its bond goes where its earnings go", async () => {
    const made = await scene({ ...audit, floorPpm: 0, firstTasks: 0 });
    const { site } = await register(made, { share: 0 });
    await assign(made, { site, ppm: PPM, retireAfterMs: 2 * HOUR });
    await work(made, 5, true);
    const { books, clock, provider } = made;
    const kept = (): bigint => books.account(provider.key).held + books.account(provider.key).bond;
    const settle = async (hours: number): Promise<void> => {
      clock.now += hours * HOUR;
      await books.settleDue();
      await books.settleDue();
    };
    await settle(1.5);
    expect(kept()).toBe(books.account(provider.key).earned);
    await settle(0.4);
    expect(books.audits.provider(provider.key)?.retiring).toBeUndefined();
    await settle(0.1);
    expect(books.audits.provider(provider.key)?.retiring).toBe(clock.now);
    await settle(1.1);
    expect(kept()).toBe(0n);
    expect(books.account(provider.key).available).toBe(0n);
    expect(books.account(olga.key).available).toBe(books.account(provider.key).earned);
    expect(allMoney(made)).toBe(GRANT);
    const size = books.size();
    await settle(100);
    expect(books.size()).toBe(size);
  });

  it("is left alone without such a word, and while it works", async () => {
    const made = await scene({ ...audit, floorPpm: 0, firstTasks: 0 });
    const { books, clock, provider } = made;
    await assign(made);
    await work(made, 5, true);
    clock.now += 50 * HOUR;
    await books.settleDue();
    expect(books.audits.provider(provider.key)?.retiring).toBeUndefined();
    await assign(made, { retireAfterMs: HOUR, at: clock.now });
    const { work: more } = await openLease(
      made,
      { expires: clock.now + 20 * HOUR },
      { policyVersion: 1, reportMs: 5 * HOUR },
    );
    clock.now += 2 * HOUR;
    await books.settleDue();
    expect(books.audits.provider(provider.key)?.retiring).toBeUndefined();
    await more.go(1).send({ receipt: { final: true }, advance: { close: true } });
    clock.now += 2 * HOUR;
    await books.settleDue();
    expect(books.audits.provider(provider.key)?.retiring).toBe(clock.now);
  });
});

describe("Checking the books", () => {
  it.each([
    ["another sum in a transfer", "UPDATE transfers SET amount = amount + 1", "transfer"],
    ["a transfer less", "DELETE FROM transfers", "transfer"],
    ["another payee", "UPDATE assignments SET payee = account", "assignment of"],
    ["more that was passed on", "UPDATE assignments SET passed = passed - 1", "assignment of"],
    ["another day", "UPDATE site_days SET to_owner = to_owner + 1", "day of site"],
    ["more tabs", "UPDATE site_days SET tabs = 9", "day of site"],
    ["a tab less", "DELETE FROM site_tabs", "tab of site"],
    ["another share than the owner signed", "UPDATE sites SET share = 1", "in its owner's message"],
    [
      "money at the payee's that the log does not have",
      "UPDATE accounts SET available = available + 1",
      "balance",
    ],
  ])("finds %s", async (_what, sql, problem) => {
    const made = await scene();
    const { site } = await register(made);
    await assign(made, { site });
    await work(made, 4);
    const place = open.at(-1);
    if (place === undefined) throw new Error("no books");
    place.isBroken = true;
    made.books.close();
    const database = new DatabaseSync(place.path);
    database.exec(sql);
    database.close();
    const store = openSqliteStore(place.path);
    expect(checkBooks(store).join("\n")).toContain(problem);
    store.close();
  });
});

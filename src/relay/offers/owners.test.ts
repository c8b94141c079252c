import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { PeerId } from "../../protocol/peer-id.ts";
import { assignMessage } from "../../protocol/messages/assign.ts";
import {
  GRANT,
  HEAD,
  openLease,
  openScene,
  signerOf,
  START,
  verifiedMessage,
} from "../books/books-scene.contract.ts";
import { relayConfig } from "../config.ts";
import { offerOf } from "../relay-scene.contract.ts";
import { openOwners } from "./open-owners.ts";
import { Newcomers } from "./newcomers.ts";
import { Owners, type OwnersOptions } from "./owners.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

interface Scene {
  readonly owners: Owners;
  readonly clock: { now: number };
  /** Somebody comes from an address and offers. @returns how it was refused, if it was */
  readonly come: (
    name: string,
    address: string,
    options?: { site?: string; page?: string },
  ) => string | undefined;
}

function open(options: Partial<OwnersOptions> = {}, path = ":memory:", now: number = START): Scene {
  const clock = { now };
  const owners = new Owners({
    newcomers: new Newcomers(path, clock.now),
    blocks: { ipv4: 24, ipv6: 48 },
    newPerBlock: 2,
    hasAccount: () => false,
    ownOrigin: "https://relay.example",
    maxConnections: 100,
    nowMs: () => clock.now,
    ...options,
  });
  closing.push(() => owners.close());
  return {
    owners,
    clock,
    come(name, address, { site, page } = {}) {
      const remote = `${name} at ${address}`;
      owners.arrived(remote, { address, ...(page === undefined ? {} : { page }) });
      try {
        owners.offered(offerOf(name, site === undefined ? {} : { site }), [remote]);
        return undefined;
      } catch (error) {
        return error instanceof Error ? error.message : String(error);
      }
    },
  };
}

const peer = (name: string): PeerId => signerOf(name).key;

test("providers from one block of addresses, or embedded by one site, count as one owner", () => {
  const { owners, come } = open({ newPerBlock: 100 });
  come("a", "203.0.113.1");
  come("b", "203.0.113.200");
  come("c", "203.0.114.1", { site: "https://news.example" });
  come("d", "2001:db8:1:2::3", { site: "https://news.example" });
  come("e", "2001:db8:1:9::3");
  come("f", "2001:db8:2::3");
  expect(owners.sameOwner(peer("a"), peer("b"))).toBe(true);
  expect(owners.sameOwner(peer("a"), peer("c"))).toBe(false);
  expect(owners.sameOwner(peer("c"), peer("d"))).toBe(true);
  expect(owners.groupOf(peer("c"))).toBe(owners.groupOf(peer("e")));
  expect(owners.sameOwner(peer("e"), peer("f"))).toBe(false);
});

test("identities whose earnings go to one account count as one owner, wherever they come from", () => {
  const payees = new Map([
    [peer("a"), peer("boss")],
    [peer("b"), peer("boss")],
    [peer("c"), peer("another boss")],
  ]);
  const { owners, come } = open({ newPerBlock: 100, payeeOf: (who) => payees.get(who) });
  come("a", "203.0.113.1");
  come("b", "203.0.114.1");
  come("c", "203.0.115.1");
  come("boss", "203.0.116.1");
  expect(owners.sameOwner(peer("a"), peer("b"))).toBe(true);
  expect(owners.sameOwner(peer("a"), peer("boss"))).toBe(true);
  expect(owners.sameOwner(peer("a"), peer("c"))).toBe(false);
});

test("the page that opened the connection counts as a site too, unless it is the relay's own", () => {
  const { owners, come } = open({ newPerBlock: 100 });
  come("a", "203.0.113.1", { page: "https://relay.example" });
  come("b", "203.0.114.1", { page: "https://relay.example" });
  come("c", "203.0.115.1", { page: "https://other.example", site: "https://innocent.example" });
  come("d", "203.0.116.1", { page: "https://other.example" });
  expect(owners.sameOwner(peer("a"), peer("b"))).toBe(false);
  expect(owners.sameOwner(peer("c"), peer("d"))).toBe(true);
});

test("tabs of this machine are apart: with test money one machine is many owners", () => {
  const { owners, come } = open();
  for (const name of ["a", "b", "c", "d"])
    expect(come(name, "127.0.0.1", { page: "http://localhost:5173" })).toBeUndefined();
  expect(owners.sameOwner(peer("a"), peer("b"))).toBe(false);
});

test("instances of one account are one owner wherever they are", () => {
  const { owners, come } = open();
  come("a", "203.0.113.1");
  owners.arrived("elsewhere", { address: "198.51.100.1" });
  owners.offered(offerOf("a", { instance: peer("a tab") }), ["elsewhere"]);
  expect(owners.sameOwner(peer("a"), peer("a tab"))).toBe(true);
});

test("a block brings so many new identities in a day; whoever was there before comes and goes", () => {
  const { come, clock } = open();
  expect(come("a", "203.0.113.1")).toBeUndefined();
  expect(come("a", "203.0.113.1")).toBeUndefined();
  expect(come("b", "203.0.113.2")).toBeUndefined();
  expect(come("c", "203.0.113.3")).toMatch(
    /^rate-limited: 2 new identities came from 203\.0\.113\.0\/24 today; .*--new-identities/u,
  );
  expect(come("a", "203.0.113.9")).toBeUndefined();
  expect(come("d", "203.0.114.3")).toBeUndefined();
  clock.now += DAY_MS;
  expect(come("c", "203.0.113.3")).toBeUndefined();
});

test("an identity with an account is not new", () => {
  const { come } = open({ newPerBlock: 0, hasAccount: (who) => who === peer("rich") });
  expect(come("rich", "203.0.113.1")).toBeUndefined();
  expect(come("poor", "203.0.113.1")).toMatch(/^rate-limited/u);
});

test("an identity is not known for what others sent it", async () => {
  const made = await openScene();
  closing.push(() => made.books.close());
  const { requester, provider } = made;
  const config = relayConfig({ newIdentities: 1 });
  const owners = openOwners(config, { books: made.books }, "https://relay.example", () => START);
  closing.push(() => owners.close());
  const offered = (name: string): void => {
    owners.arrived(name, { address: "203.0.113.1" });
    owners.offered(offerOf(name), [name]);
  };
  const body = { ...HEAD, account: requester.key, payee: peer("friend"), ppm: 0, sweep: true, at: START };
  await made.books.sites.assign(await verifiedMessage(assignMessage, body, [requester]));
  expect(made.books.account(peer("friend")).available).toBe(GRANT);
  expect(() => offered("somebody new")).not.toThrow();
  expect(() => offered("friend")).toThrow(/^rate-limited/u);
  await made.books.grant(requester.key, GRANT, "more");
  const { work } = await openLease(made);
  await work.go(2).send({ receipt: { final: true } });
  expect(made.books.account(provider.key).earned).toBeGreaterThan(0n);
  expect(() => offered("provider")).not.toThrow();
});

test("a restart forgets neither who is known nor how many came", () => {
  const folder = mkdtempSync(join(tmpdir(), "newcomers-"));
  closing.push(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "newcomers.sqlite");
  const before = open({}, path);
  before.come("a", "203.0.113.1");
  before.come("b", "203.0.113.1");
  before.owners.close();
  const after = open({}, path, START + 1);
  expect(after.come("c", "203.0.113.1")).toMatch(/^rate-limited/u);
  expect(after.come("a", "203.0.113.1")).toBeUndefined();
});

import { afterEach, expect, test, vi } from "vitest";
import { createMemoryPins } from "../ledger/memory-pins.ts";
import { claimEarnings } from "../provider/claim-earnings.ts";
import { DEFAULT_AUDIT_POLICY } from "../protocol/audit-policy.ts";
import { readBody } from "../protocol/envelope.ts";
import { drawMessage, type VerdictResult, verdictMessage } from "../protocol/messages/audit.ts";
import { fuel } from "../protocol/units.ts";
import {
  HEAD,
  openLease,
  type Scene,
  seedOf,
  signerOf,
  verifiedMessage,
} from "../relay/books/books-scene.contract.ts";
import { openRelayScene, type RelayScene } from "../relay/relay-scene.contract.ts";

const DAY_MS = 86_400_000;
const RELAY = "http://relay.test";
const visitor = { seed: seedOf("provider"), peer: signerOf("provider").key, createdAt: 0 };
const owner = signerOf("owner").key;

const closing: RelayScene[] = [];
afterEach(async () => {
  vi.unstubAllGlobals();
  for (const relay of closing.splice(0))
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await relay.close();
});

async function open(): Promise<RelayScene> {
  const relay = await openRelayScene({ audit: DEFAULT_AUDIT_POLICY });
  closing.push(relay);
  vi.stubGlobal("fetch", (async (input, init) =>
    relay.http.request(new Request(input, init))) satisfies typeof fetch);
  return relay;
}

/** A settled lease, all of whose drawn outcomes were judged. */
async function audited(scene: Scene, tasks: number, result: VerdictResult): Promise<void> {
  const { work } = await openLease(scene, {}, { policyVersion: 1 });
  const { draw } = await work.go(tasks).send({ receipt: { final: true } });
  const { leaves, lease, entryIndex } = readBody(drawMessage, draw!);
  for (const index of leaves) {
    const nothing = new Uint8Array(32);
    const found = { result, expected: nothing, found: nothing, fuel: fuel(0), profile: 1, engine: "a test" };
    const body = { ...HEAD, lease, entryIndex, index, ...found, auditors: [] };
    // oxlint-disable-next-line no-await-in-loop -- a story has an order
    await scene.books.audits.judge(
      // oxlint-disable-next-line no-await-in-loop
      await verifiedMessage(verdictMessage, body, [scene.books.signer("draw")]),
    );
  }
}

test("all that a key has, and what was kept of it, goes to the account that claims it", async () => {
  const { scene } = await open();
  const { books, clock } = scene;
  await audited(scene, 8, "match");
  const before = books.account(visitor.peer);
  expect(before.held + before.bond).toBeGreaterThan(0n);
  await claimEarnings(RELAY, createMemoryPins(), visitor, owner);
  expect(books.account(owner).available).toBe(before.available);
  // Its bond is asked for with it, and comes when the audits are over.
  clock.now += 8 * DAY_MS;
  while ((await books.settleDue()) > 0);
  expect(books.account(visitor.peer)).toMatchObject({ available: 0n, held: 0n, bond: 0n });
  expect(books.account(owner).available).toBe(before.available + before.held + before.bond);
});

test("a claim may be made again, and brings what has come since", async () => {
  const { scene } = await open();
  const { books } = scene;
  await claimEarnings(RELAY, createMemoryPins(), visitor, owner);
  await books.grant(visitor.peer, scene.books.account(scene.requester.key).available, "a gift");
  const gift = books.account(visitor.peer).available;
  await claimEarnings(RELAY, createMemoryPins(), visitor, owner);
  expect([books.account(visitor.peer).available, books.account(owner).available]).toEqual([0n, gift]);
});

test("nothing is signed for a relay whose keys are not those of the first contact", async () => {
  const relay = await open();
  const pins = createMemoryPins();
  const other = await openRelayScene();
  closing.push(other);
  await claimEarnings(RELAY, pins, visitor, owner);
  const pinned = await pins.pin({ ...(await pinOf(relay)), pinnedAt: 0 });
  await pins.update({ ...pinned, keys: { ...pinned.keys, log: signerOf("somebody").key } });
  const size = relay.scene.books.size();
  await expect(claimEarnings(RELAY, pins, visitor, owner)).rejects.toThrow(/checkpoint|keys/u);
  expect(relay.scene.books.size()).toBe(size);
});

async function pinOf({ scene: { books } }: RelayScene): Promise<{
  readonly origin: string;
  readonly keys: ReturnType<typeof books.keys>;
}> {
  return { origin: books.origin, keys: books.keys() };
}

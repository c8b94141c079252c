import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Cid, cidOf, DAG_CBOR } from "../../protocol/cid.ts";
import { openEnvelope, verifiedSync } from "../../protocol/envelope.ts";
import { parseCheckpoint } from "../../protocol/checkpoint.ts";
import { leafHash, verifyInclusion } from "../../protocol/merkle.ts";
import { decodeEntryOf } from "../../protocol/messages/entry.ts";
import { payoutAddressMessage, payoutBatchMessage, payoutSums } from "../../protocol/messages/payout.ts";
import { keyFromPeerId } from "../../protocol/peer-id.ts";
import { microCredits } from "../../protocol/units.ts";
import { openSqliteStore } from "../store/sqlite-store.ts";
import { openScene, sessionOf, signerOf, verifiedMessage } from "./books-scene.contract.ts";
import { checkBooks } from "./check-books.ts";
import { verifyNative } from "./native-keys.ts";
import { openBooks } from "./open-books.ts";
import {
  addressMessage,
  depositors,
  firstAddressId,
  HOUR_MS,
  openPayoutScene,
  type PayoutScene,
} from "./payout-scene.contract.ts";

let folder = "";
let path = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tabmesh-payouts-"));
  path = join(folder, "books.sqlite");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const ana = signerOf("ana");
const bea = signerOf("bea");
const ONE = microCredits(1);

function available({ books }: PayoutScene, name: string): bigint {
  return books.account(signerOf(name).key).available;
}

/** The batch that is prepared now. */
async function prepared({ books }: PayoutScene, minimum = ONE): Promise<Cid> {
  const { batch } = await books.payouts.prepare(minimum);
  if (batch === undefined) throw new Error("nobody is to be paid");
  return batch.id;
}

/** What the log and the rows say when the books are closed. */
function problems(): readonly string[] {
  const store = openSqliteStore(path);
  try {
    return checkBooks(store);
  } finally {
    store.close();
  }
}

async function tamperedWith(sql: string): Promise<readonly string[]> {
  const scene = await openPayoutScene(path);
  await depositors(scene, { ana: 500, bea: 300 });
  await scene.books.payouts.confirm(await prepared(scene), "run 1");
  await scene.books.payouts.credit(ana.key, microCredits(7), "payment 2");
  await prepared(scene);
  scene.books.close();
  expect(problems()).toEqual([]);
  const database = new DatabaseSync(path);
  expect(database.prepare(sql).run().changes).toBeGreaterThan(0);
  database.close();
  return problems();
}

describe("A credit", () => {
  test("is a deposit, and asked for again it is the same one", async () => {
    const scene = await openPayoutScene();
    const { payouts } = scene.books;
    const { index } = await payouts.credit(ana.key, microCredits(500), "transfer 1");
    expect(decodeEntryOf("deposit", scene.books.entry(index)!).body).toEqual({
      account: ana.key,
      amount: 500n,
      reference: "transfer 1",
    });
    const again = await Promise.all([
      payouts.credit(ana.key, microCredits(500), "transfer 1"),
      payouts.credit(ana.key, microCredits(500), "transfer 1"),
    ]);
    expect(again.map((answer) => answer.index)).toEqual([index, index]);
    expect(available(scene, "ana")).toBe(500n);
  });

  test("asked for twice in one turn is given once", async () => {
    const scene = await openPayoutScene();
    const { payouts } = scene.books;
    const [first, second] = await Promise.all([
      payouts.credit(ana.key, microCredits(500), "transfer 1"),
      payouts.credit(ana.key, microCredits(500), "transfer 1"),
    ]);
    expect(first.index).toBe(second.index);
    expect(available(scene, "ana")).toBe(500n);
  });

  test("under the reference of another payment is refused, whatever differs", async () => {
    const scene = await openPayoutScene();
    const { payouts } = scene.books;
    await payouts.credit(ana.key, microCredits(500), "transfer 1");
    await expect(payouts.credit(ana.key, microCredits(501), "transfer 1")).rejects.toThrow(/replayed/);
    await expect(payouts.credit(bea.key, microCredits(500), "transfer 1")).rejects.toThrow(
      `replayed: the reference stands for 500 micro-credits to ${ana.key}`,
    );
    expect([available(scene, "ana"), available(scene, "bea")]).toEqual([500n, 0n]);
  });

  test("of nothing, without a reference, or with one too long for an entry is refused", async () => {
    const { books } = await openPayoutScene();
    const size = books.size();
    await expect(books.payouts.credit(ana.key, microCredits(0), "a")).rejects.toThrow(/malformed/);
    await expect(books.payouts.credit(ana.key, ONE, " ")).rejects.toThrow(/malformed/);
    await expect(books.payouts.credit(ana.key, ONE, "ä".repeat(129))).rejects.toThrow(/malformed/);
    expect(books.size()).toBe(size);
  });

  test("of test credits is a grant, also by reference", async () => {
    const { books } = await openScene();
    const { index } = await books.payouts.credit(ana.key, microCredits(7), "for a class");
    expect(decodeEntryOf("grant", books.entry(index)!).body.reference).toBe("for a class");
    expect((await books.payouts.credit(ana.key, microCredits(7), "for a class")).index).toBe(index);
  });

  test("of real money is the only way in: nothing is granted", async () => {
    const { books } = await openPayoutScene();
    await expect(books.grant(ana.key, ONE, "a gift")).rejects.toThrow(/wrong-asset/);
  });
});

describe("A payout address", () => {
  test("is signed by the account itself: by no session of it and nobody else", async () => {
    const { books } = await openPayoutScene();
    const session = await sessionOf("ana", "tab");
    const body = (await addressMessage(ana, "x")).body;
    const bySession = await verifiedMessage(payoutAddressMessage, body, [session]);
    await expect(books.payouts.setAddress(bySession)).rejects.toThrow(/bad-signature/);
    const byBea = await verifiedMessage(payoutAddressMessage, body, [bea]);
    await expect(books.payouts.setAddress(byBea)).rejects.toThrow(/bad-signature/);
    const byBoth = await verifiedMessage(payoutAddressMessage, body, [ana, bea]);
    await expect(books.payouts.setAddress(byBoth)).rejects.toThrow(/bad-signature/);
    expect(books.payouts.address(ana.key)).toBeUndefined();
  });

  test("is an entry, and the same message again is the same one", async () => {
    const scene = await openPayoutScene();
    const message = await addressMessage(ana, "x");
    const { index } = await scene.books.payouts.setAddress(message);
    expect((await scene.books.payouts.setAddress(message)).index).toBe(index);
    const { envelope } = decodeEntryOf("payout-address", scene.books.entry(index)!).body;
    expect(openEnvelope(payoutAddressMessage, envelope).body.address).toBe("x");
    expect(scene.books.payouts.address(ana.key)).toEqual({
      account: ana.key,
      payoutAddress: message.id,
      address: "x",
      since: scene.clock.now,
      usableFrom: scene.clock.now,
      entryIndex: index,
    });
  });

  test("that was replaced cannot be sent again by whoever kept the message", async () => {
    const scene = await openPayoutScene();
    const old = await addressMessage(ana, "sold-account");
    await scene.books.payouts.setAddress(old);
    await scene.address(ana, "new");
    await expect(scene.books.payouts.setAddress(old)).rejects.toThrow(/replayed/);
    const branch = await addressMessage(ana, "another", { prev: firstAddressId(ana, "sold-account") });
    await expect(scene.books.payouts.setAddress(branch)).rejects.toThrow(/replayed/);
    expect(scene.books.payouts.address(ana.key)?.address).toBe("new");
  });

  test("of an account that the operator denies, or of another relay or its money, is refused", async () => {
    const scene = await openPayoutScene();
    await scene.books.deny("peer", ana.key, "asked to");
    await expect(scene.address(ana, "x")).rejects.toThrow(/denied/);
    await expect(scene.address(bea, "x", { origin: "elsewhere" })).rejects.toThrow(/wrong-relay/);
    await expect(scene.address(bea, "x", { asset: "eip155:1/slip44:60" })).rejects.toThrow(/wrong-asset/);
  });

  test("is for real money only", async () => {
    const { books } = await openScene();
    const body = { ...(await addressMessage(ana, "x")).body, asset: books.asset };
    const message = await verifiedMessage(payoutAddressMessage, body, [ana]);
    await expect(books.payouts.setAddress(message)).rejects.toThrow(/wrong-asset: test credits/);
  });
});

describe("A batch of payouts", () => {
  test("sets money aside, so that it is not spent twice, and pays it out once", async () => {
    const scene = await openPayoutScene(path);
    const { books } = scene;
    await depositors(scene, { ana: 500, bea: 300 });
    const batch = await prepared(scene);
    expect([available(scene, "ana"), available(scene, "bea")]).toEqual([0n, 0n]);
    const lines = [
      { account: ana.key, amount: 500n, address: "account-of-ana" },
      { account: bea.key, amount: 300n, address: "account-of-bea" },
    ].toSorted((a, b) => (a.account < b.account ? -1 : 1));
    expect(books.payouts.lines(batch)).toEqual(lines);
    const paid = await books.payouts.confirm(batch, "run 17");
    expect(paid).toMatchObject({ state: "paid", number: 1, count: 2, total: 800n, reference: "run 17" });
    const size = books.size();
    expect(await books.payouts.confirm(batch, "run 17")).toEqual(paid);
    expect(books.size()).toBe(size);
    expect([available(scene, "ana"), available(scene, "bea")]).toEqual([0n, 0n]);
    books.close();
    expect(problems()).toEqual([]);
  });

  test("is signed by the relay's lease key over lines that anybody can hash", async () => {
    const scene = await openPayoutScene();
    await depositors(scene, { ana: 500, bea: 300, cleo: 20 });
    const batch = await prepared(scene);
    const { index } = scene.books.payouts.batches(1)[0]!;
    const { envelope } = decodeEntryOf("payout-batch", scene.books.entry(index)!).body;
    const order = verifiedSync(openEnvelope(payoutBatchMessage, envelope), verifyNative);
    expect(order.id).toBe(batch);
    expect(order.signedBy).toEqual([{ key: scene.books.keys().lease }]);
    const lines = scene.books.payouts.lines(batch);
    expect(order.body).toMatchObject({ number: 1, ...payoutSums(lines) });
    expect(order.body).toMatchObject({ count: 3, total: 820n });
    const other = lines.with(1, { ...lines[1]!, address: "my-own" });
    expect(payoutSums(other).root).not.toEqual(order.body.root);
  });

  test("prepared again is the same one, and another follows only when it has ended", async () => {
    const scene = await openPayoutScene();
    const { payouts } = scene.books;
    await depositors(scene, { ana: 500 });
    const [first, same] = await Promise.all([payouts.prepare(ONE), payouts.prepare(ONE)]);
    expect([first.isNew, same.isNew]).toEqual([true, false]);
    expect(same.batch?.id).toBe(first.batch?.id);
    await depositors(scene, { bea: 300 });
    expect(await payouts.prepare(ONE)).toMatchObject({ batch: { count: 1, total: 500n }, isNew: false });
    await payouts.confirm(first.batch!.id, "");
    expect(await payouts.prepare(ONE)).toMatchObject({ batch: { number: 2, total: 300n }, isNew: true });
  });

  test("that is cancelled gives the money back, once, and is not paid afterwards", async () => {
    const scene = await openPayoutScene(path);
    const { books } = scene;
    await depositors(scene, { ana: 500, bea: 300 });
    const batch = await prepared(scene);
    await books.payouts.cancel(batch);
    const size = books.size();
    expect((await books.payouts.cancel(batch)).state).toBe("cancelled");
    expect(books.size()).toBe(size);
    expect([available(scene, "ana"), available(scene, "bea")]).toEqual([500n, 300n]);
    await expect(books.payouts.confirm(batch, "")).rejects.toThrow(/cancelled: its money is available/);
    const next = await prepared(scene);
    expect(next).not.toBe(batch);
    await books.payouts.confirm(next, "run 18");
    await expect(books.payouts.cancel(next)).rejects.toThrow(/was paid, as "run 18"/);
    await expect(books.payouts.confirm(next, "run 19")).rejects.toThrow(/paid already, as "run 18"/);
    books.close();
    expect(problems()).toEqual([]);
  });

  test("that nobody prepared is neither confirmed nor cancelled", async () => {
    const { books } = await openPayoutScene();
    const nothing = cidOf(DAG_CBOR, Uint8Array.of(1));
    await expect(books.payouts.confirm(nothing, "")).rejects.toThrow(/not-found/);
    await expect(books.payouts.cancel(nothing)).rejects.toThrow(/not-found/);
  });

  test("leaves out who has too little, no address, one that waits, or is denied, and counts them", async () => {
    const scene = await openPayoutScene();
    await depositors(scene, { ana: 500, bea: 300, cleo: 400, dora: 20 });
    await scene.address(bea, "somewhere-else");
    await scene.books.deny("peer", signerOf("cleo").key, "asked to");
    await scene.books.payouts.credit(signerOf("emma").key, microCredits(900), "payment of emma");
    const { batch, gaps } = await scene.books.payouts.prepare(microCredits(100));
    expect(batch).toMatchObject({ count: 1, total: 500n });
    expect(gaps).toEqual({ tooLittle: 1, withoutAddress: 1, addressWaits: 1, denied: 1 });
  });

  test("of nobody is none, and takes no number", async () => {
    const scene = await openPayoutScene();
    expect(await scene.books.payouts.prepare(ONE)).toMatchObject({ isNew: false });
    expect(scene.books.payouts.batches(10)).toEqual([]);
  });

  test("is not made of test credits", async () => {
    const { books } = await openScene();
    await expect(books.payouts.prepare(ONE)).rejects.toThrow(
      /wrong-asset: test credits are never paid out: .*--asset/,
    );
  });

  test("uses a changed address only after 72 hours, and the one from before at once", async () => {
    const scene = await openPayoutScene(path);
    const { books, clock } = scene;
    await depositors(scene, { ana: 500 });
    await scene.address(ana, "thief");
    clock.now += 71 * HOUR_MS;
    expect((await books.payouts.prepare(ONE)).batch).toBeUndefined();
    await scene.address(ana, "account-of-ana");
    expect(books.payouts.lines(await prepared(scene))).toMatchObject([{ address: "account-of-ana" }]);
    await books.payouts.cancel(books.payouts.batches(1)[0]!.id);
    await scene.address(ana, "bank-2");
    clock.now += 72 * HOUR_MS;
    expect(books.payouts.lines(await prepared(scene))).toMatchObject([{ address: "bank-2" }]);
    books.close();
    expect(problems()).toEqual([]);
  });

  test("stands as it stood when the books are opened again", async () => {
    const scene = await openPayoutScene(path);
    await depositors(scene, { ana: 500, bea: 300 });
    const batch = await prepared(scene);
    await depositors(scene, { cleo: 100 });
    const before = [scene.books.payouts.batches(9), scene.books.payouts.lines(batch)];
    scene.books.close();
    expect(problems()).toEqual([]);
    const books = await openBooks(scene.options);
    expect([books.payouts.batches(9), books.payouts.lines(batch)]).toEqual(before);
    const size = books.size();
    await books.payouts.credit(ana.key, microCredits(500), "payment of ana");
    expect(books.size()).toBe(size);
    await books.payouts.confirm(batch, "");
    expect(await books.payouts.prepare(ONE)).toMatchObject({ batch: { number: 2, total: 100n } });
    books.close();
    expect(problems()).toEqual([]);
  });

  test("is proven to its account by the entry that says it was paid", async () => {
    const scene = await openPayoutScene();
    const { books } = scene;
    await depositors(scene, { ana: 500, bea: 300 });
    const batch = await prepared(scene);
    expect(books.payouts.of(ana.key, undefined, 10)).toMatchObject([{ batch, state: "prepared", number: 1 }]);
    await books.payouts.confirm(batch, "run 17");
    const [view] = books.payouts.of(ana.key, undefined, 10);
    expect(view).toMatchObject({
      state: "paid",
      amount: 500n,
      address: "account-of-ana",
      reference: "run 17",
    });
    const { index, leaf, proof, checkpoint } = await books.inclusion(view!.entryIndex);
    const entry = books.entry(index)!;
    expect(leaf).toEqual(leafHash(entry));
    expect(decodeEntryOf("payout", entry).body).toEqual({
      batch,
      account: ana.key,
      amount: 500n,
      address: "account-of-ana",
      reference: "run 17",
    });
    const { size, root } = parseCheckpoint(checkpoint, books.origin, keyFromPeerId(books.keys().log));
    expect(verifyInclusion(leaf, index, size, proof, root)).toBe(true);
  });

  test("lists what one account got, newest first, page by page", async () => {
    const scene = await openPayoutScene();
    for (const amount of [100, 200, 300]) {
      // oxlint-disable no-await-in-loop -- one batch after the other
      await scene.books.payouts.credit(ana.key, microCredits(amount), `payment ${amount}`);
      if (amount === 100) await scene.address(ana, "bank");
      await scene.books.payouts.confirm(await prepared(scene), "");
      // oxlint-enable no-await-in-loop
    }
    const page = scene.books.payouts.of(ana.key, undefined, 2);
    expect(page.map(({ number, amount }) => [number, amount])).toEqual([
      [3, 300n],
      [2, 200n],
    ]);
    expect(scene.books.payouts.of(ana.key, 2, 2)).toMatchObject([{ number: 1, amount: 100n }]);
  });
});

describe("The check of the books", () => {
  test.each([
    [
      "a line to another address",
      "UPDATE payout_lines SET address = 'thief'",
      /^payout .* stands otherwise/mu,
    ],
    [
      "a batch that is called paid",
      "UPDATE payout_batches SET state = 'paid'",
      /^batch .* stands otherwise/mu,
    ],
    ["a batch that is gone", "DELETE FROM payout_batches WHERE number = 2", /^batch .* stands otherwise/mu],
    ["an address that waits no more", "UPDATE payout_addresses SET address = 'x'", /^payout address of/mu],
    ["a forgotten credit", "DELETE FROM credits WHERE reference = 'payment 2'", /payment 2 is not listed/],
    ["an invented credit", "INSERT INTO credits VALUES ('payment 3', 4)", /payment 3 has no entry/],
  ])("finds %s", async (_, sql, problem) => {
    expect((await tamperedWith(sql)).join("\n")).toMatch(problem);
  });
});

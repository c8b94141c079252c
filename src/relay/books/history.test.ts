import { DatabaseSync } from "node:sqlite";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_AUDIT_POLICY } from "../../protocol/audit-policy.ts";
import { type Cid, cidOf, RAW } from "../../protocol/cid.ts";
import type { ReceiptFilter } from "../../protocol/earnings-json.ts";
import { assignMessage } from "../../protocol/messages/assign.ts";
import { drawMessage, verdictMessage } from "../../protocol/messages/audit.ts";
import { siteMessage } from "../../protocol/messages/site.ts";
import { readBody } from "../../protocol/envelope.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { fuel, microCredits } from "../../protocol/units.ts";
import type { Books } from "../books.ts";
import { MAX_SEARCHED_RECEIPTS } from "../limits.ts";
import { migrate, MIGRATIONS } from "../store/migrations.ts";
import { openSqliteStore } from "../store/sqlite-store.ts";
import {
  HEAD,
  type LeaseWork,
  openLease,
  openScene,
  type Scene,
  signerOf,
  START,
  verifiedMessage,
  WORK,
} from "./books-scene.contract.ts";
import { checkBooks } from "./check-books.ts";
import { openBooks } from "./open-books.ts";
import { depositors, openPayoutScene } from "./payout-scene.contract.ts";

const HOUR_MS = 3_600_000;
const OTHER_WORK: Cid = cidOf(RAW, encodeUtf8("another function"));

let folder = "";
let path = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tabmesh-history-"));
  path = join(folder, "books.sqlite");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A job of so many tasks, settled unless it is said otherwise. */
async function worked(
  scene: Scene,
  tasks: number,
  { work: cid = WORK, final = true }: { readonly work?: Cid; readonly final?: boolean } = {},
): Promise<LeaseWork> {
  const { work } = await openLease(scene, {
    work: { kind: "function", cid, entry: "run", abi: "bytes-1", profile: 1, effects: [] },
  });
  await work.go(tasks).send({ receipt: { workCid: cid, final } });
  return work;
}

function counts(books: Books, provider: Scene["provider"], filter: ReceiptFilter): readonly number[] {
  return books.history.page(provider.key, { ...filter, limit: 50 }).receipts.map(({ count }) => count);
}

describe("the history of an account", () => {
  it("is paged by place and by entry, and says how long it is and where it ends", async () => {
    const scene = await openScene();
    for (const tasks of [1, 2, 3, 4, 5]) {
      // oxlint-disable-next-line no-await-in-loop -- a story has an order
      await worked(scene, tasks);
    }
    const { books, provider } = scene;
    const first = books.history.page(provider.key, { limit: 2 });
    expect(first.receipts.map(({ count }) => count)).toEqual([5, 4]);
    expect(first.total).toBe(5);
    expect(first.next).toBe(first.receipts[1]?.entryIndex);
    const second = books.history.page(provider.key, { limit: 2, before: first.next! });
    expect(second).toMatchObject({ total: 3 });
    expect(second.receipts.map(({ count }) => count)).toEqual([3, 2]);
    const jumped = books.history.page(provider.key, { limit: 2, skip: 3 });
    expect(jumped.receipts.map(({ count }) => count)).toEqual([2, 1]);
    expect(jumped.next).toBeUndefined();
    expect(books.history.page(provider.key, { limit: 2, skip: 9 })).toEqual({ receipts: [] });
    expect(books.history.page(signerOf("stranger").key, { limit: 2 })).toEqual({ receipts: [], total: 0 });
  });

  it("is looked through by function, requester, time, state, and pieces of ids", async () => {
    const scene = await openScene();
    const { books, provider, requester, clock } = scene;
    await worked(scene, 1);
    clock.now += HOUR_MS;
    const second = await worked(scene, 2, { work: OTHER_WORK });
    clock.now += HOUR_MS;
    await worked(scene, 3, { final: false });
    expect(counts(books, provider, { work: WORK })).toEqual([3, 1]);
    expect(counts(books, provider, { work: OTHER_WORK })).toEqual([2]);
    expect(counts(books, provider, { requester: requester.key })).toEqual([3, 2, 1]);
    expect(counts(books, provider, { requester: signerOf("stranger").key })).toEqual([]);
    expect(counts(books, provider, { state: "pending" })).toEqual([3]);
    expect(counts(books, provider, { state: "free" })).toEqual([2, 1]);
    expect(counts(books, provider, { from: START + HOUR_MS })).toEqual([3, 2]);
    expect(counts(books, provider, { to: START + HOUR_MS })).toEqual([1]);
    expect(counts(books, provider, { from: START + 1, to: START + HOUR_MS + 1 })).toEqual([2]);
    expect(counts(books, provider, { text: second.lease.id.slice(-12) })).toEqual([2]);
    const [, row] = books.history.page(provider.key, { limit: 3 }).receipts;
    expect(counts(books, provider, { text: String(row?.entryIndex) })).toEqual([2]);
    expect(counts(books, provider, { text: "%%" })).toEqual([]);
  });

  it("looks through so many receipts at a time, and says where to go on", () => {
    const store = openSqliteStore(path);
    const [provider, requester] = [signerOf("provider").key, signerOf("requester").key];
    const leases = MAX_SEARCHED_RECEIPTS + 10;
    store.close();
    const database = new DatabaseSync(path);
    database.exec(`
      INSERT INTO jobs VALUES (0, '${WORK}', '${requester}', x'00', 0, 'closed', 0, 0, 0, 0, '${WORK}');
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${leases})
      INSERT INTO leases (idx, id, job, provider, instance, revision, terms_index, state, bound, report_by, receipt,
        receipt_index, receipt_time, seq, count, payable, cancelled, failed, peak, fuel, bytes, amount, root, task_count,
        tasks_root, final)
      SELECT i, '${WORK}' || i, '${WORK}', '${provider}', '${provider}', '${WORK}', i, 'settled', 0, 0, '${WORK}',
        i, i, 1, i, 1, 0, 0, '0', '0', '0', 1, x'', 1, x'', 1 FROM n;
      UPDATE leases SET id = '${OTHER_WORK}' WHERE idx = 3;
    `);
    database.close();
    const opened = openSqliteStore(path);
    const question = { provider, skip: 0, limit: 5, search: MAX_SEARCHED_RECEIPTS };
    const filter = { from: 3, to: 4 };
    const first = opened.history.receipts({ ...question, filter, before: Number.MAX_SAFE_INTEGER });
    expect(first).toEqual({ rows: [], next: 11 });
    const second = opened.history.receipts({ ...question, filter, before: first.next! });
    expect(second.next).toBeUndefined();
    expect(second.rows.map(({ id, work }) => [id, work])).toEqual([[OTHER_WORK, WORK]]);
    opened.close();
  });
});

describe("earnings", () => {
  it("are summed up by month of UTC, and by function, the largest first", async () => {
    const scene = await openScene();
    const { books, provider, clock } = scene;
    const one = (await worked(scene, 1)).receiptBody().amount;
    clock.now = Date.UTC(2030, 1, 28, 23, 59);
    const two = (await worked(scene, 2, { work: OTHER_WORK })).receiptBody().amount;
    clock.now = Date.UTC(2030, 2, 1);
    const three = (await worked(scene, 4, { work: OTHER_WORK })).receiptBody().amount;
    expect(books.history.earnings(provider.key, "month", 0)).toEqual([
      { start: Date.UTC(2030, 0), amount: one, tasks: 1 },
      { start: Date.UTC(2030, 1), amount: two, tasks: 2 },
      { start: Date.UTC(2030, 2), amount: three, tasks: 4 },
    ]);
    expect(books.history.shares(provider.key, "function", "month", Date.UTC(2030, 1, 14))).toEqual([
      {
        name: OTHER_WORK,
        amount: two + three,
        tasks: 6,
        points: [
          { start: Date.UTC(2030, 1), amount: two, tasks: 2 },
          { start: Date.UTC(2030, 2), amount: three, tasks: 4 },
        ],
      },
    ]);
    const shares = books.history.shares(provider.key, "function", "hour", 0);
    expect(shares.map(({ name, tasks }) => [name, tasks])).toEqual([
      [OTHER_WORK, 6],
      [WORK, 1],
    ]);
  });

  it("of a site's visitor and of its owner are told by site: what was worked for, and what was sent", async () => {
    const scene = await openScene();
    const { books, provider, clock } = scene;
    const owner = signerOf("owner");
    const registration = {
      ...HEAD,
      owner: owner.key,
      page: "https://news.example",
      share: 250_000,
      state: "open",
      at: clock.now,
    } as const;
    const { site } = await books.sites.register(await verifiedMessage(siteMessage, registration, [owner]));
    const assign = {
      ...HEAD,
      account: provider.key,
      payee: owner.key,
      ppm: 750_000,
      sweep: false,
      site,
      at: clock.now,
    } as const;
    await books.sites.assign(await verifiedMessage(assignMessage, assign, [provider]));
    const { amount } = (await worked(scene, 40)).receiptBody();
    const start = START - (START % HOUR_MS);
    const sent = books.account(owner.key).available;
    expect(sent).toBe((amount * 3n) / 4n);
    expect(books.history.shares(provider.key, "site", "hour", 0)).toEqual([
      { name: site, amount, tasks: 40, points: [{ start, amount, tasks: 40 }] },
    ]);
    expect(books.history.shares(owner.key, "site", "hour", 0)).toEqual([
      { name: site, amount: sent, tasks: 0, points: [{ start, amount: sent, tasks: 0 }] },
    ]);
  });

  it("of all functions but the largest are one share without a name", async () => {
    const scene = await openScene();
    for (let each = 1; each <= 10; each += 1) {
      const cid = cidOf(RAW, encodeUtf8(`function ${each}`));
      // oxlint-disable-next-line no-await-in-loop -- a story has an order
      await worked(scene, each, { work: cid });
    }
    const shares = scene.books.history.shares(scene.provider.key, "function", "day", 0);
    expect(shares.map(({ tasks }) => tasks)).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 3]);
    expect(shares.at(-1)?.name).toBe("");
  });
});

describe("an account's view", () => {
  it("says what was slashed, in pay and bond, and says it again after a restart", async () => {
    const scene = await openScene(path, { audit: DEFAULT_AUDIT_POLICY });
    const { work } = await openLease(scene, {}, { policyVersion: 1 });
    const { draw } = await work.go(3).send({ receipt: { final: true } });
    const { leaves, lease, entryIndex } = readBody(drawMessage, draw!);
    const before = scene.books.account(scene.provider.key);
    expect(before.slashed).toBe(0n);
    const body = {
      ...HEAD,
      lease,
      entryIndex,
      index: leaves[0]!,
      result: "mismatch",
      expected: new Uint8Array(32),
      found: new Uint8Array(32),
      fuel: fuel(0),
      profile: 1,
      engine: "a test",
      auditors: [],
    } as const;
    await scene.books.audits.judge(await verifiedMessage(verdictMessage, body, [scene.books.signer("draw")]));
    const lost = before.held + before.bond;
    expect(lost).toBeGreaterThan(0n);
    expect(scene.books.account(scene.provider.key)).toMatchObject({ slashed: lost, held: 0n, bond: 0n });
    const [receipt] = scene.books.history.page(scene.provider.key, { state: "lost", limit: 5 }).receipts;
    expect(receipt).toMatchObject({ lease, forfeited: before.held });
    scene.books.close();
    const again = await openBooks(scene.options);
    expect(again.account(scene.provider.key).slashed).toBe(lost);
    again.close();
    const store = openSqliteStore(path);
    expect(checkBooks(store)).toEqual([]);
    store.close();
  });

  it("says what is on its way out, and what was paid", async () => {
    const scene = await openPayoutScene();
    const [ana] = await depositors(scene, { ana: 700 });
    scene.clock.now += 73 * HOUR_MS;
    const { batch } = await scene.books.payouts.prepare(microCredits(1));
    expect(scene.books.account(ana!.key)).toMatchObject({ available: 0n, payingOut: 700n, paid: 0n });
    await scene.books.payouts.confirm(batch!.id, "a transfer");
    expect(scene.books.account(ana!.key)).toMatchObject({ available: 0n, payingOut: 0n, paid: 700n });
  });
});

describe("books that were kept before functions were written down", () => {
  it("learn from the log what each job computes", async () => {
    const scene = await openScene(path);
    await worked(scene, 1, { work: OTHER_WORK });
    scene.books.close();
    const database = new DatabaseSync(path);
    const step = MIGRATIONS.findIndex((sql) => sql.includes("earnings_shares"));
    database.exec("ALTER TABLE jobs DROP COLUMN work; DROP TABLE earnings_shares");
    database.exec(`PRAGMA user_version = ${step}`);
    migrate(database, MIGRATIONS.slice(0, step + 1));
    expect(database.prepare("SELECT work FROM jobs").all()).toEqual([{ work: OTHER_WORK }]);
    database.close();
  });
});

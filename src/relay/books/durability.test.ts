import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { toHex } from "../../protocol/bytes.ts";
import { parseCheckpoint } from "../../protocol/checkpoint.ts";
import { failureCode } from "../../protocol/failure-code.ts";
import { leafHash, verifyConsistency, verifyInclusion } from "../../protocol/merkle.ts";
import { decodeEntry, decodeEntryOf } from "../../protocol/messages/entry.ts";
import { keyFromPeerId } from "../../protocol/peer-id.ts";
import { rotationHolds } from "../../protocol/rotation.ts";
import { microCredits } from "../../protocol/units.ts";
import type { Books } from "../books.ts";
import { openSqliteStore } from "../store/sqlite-store.ts";
import {
  closeOf,
  openLease,
  openScene,
  optionsOf,
  ORIGIN,
  type Scene,
  seedOf,
  signedJob,
  signedLease,
  signerOf,
  START,
  TARIFF,
} from "./books-scene.contract.ts";
import { checkBooks } from "./check-books.ts";
import { verifyNative } from "./native-keys.ts";
import { openBooks } from "./open-books.ts";

/** More where there is time: a soak asks for hundreds. */
const KILLS = Number(process.env["TABMESH_KILLS"] ?? 5);

let folder = "";
let path = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tabmesh-books-"));
  path = join(folder, "books.sqlite");
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** What the file holds, recomputed from its entries. */
function problemsOf(file: string): readonly string[] {
  const store = openSqliteStore(file);
  try {
    return checkBooks(store);
  } finally {
    store.close();
  }
}

function headOf(books: Books, note: string): { readonly size: number; readonly root: Uint8Array } {
  const { claim, size, root } = parseCheckpoint(note, ORIGIN, keyFromPeerId(books.keys().log));
  expect(verifyNative(claim.key, claim.message, claim.signature)).toBe(true);
  return { size, root };
}

async function verifyLater(...args: Parameters<typeof verifyNative>): Promise<boolean> {
  return verifyNative(...args);
}

/** Some of everything. */
async function busy(scene: Scene): Promise<void> {
  const { work, job } = await openLease(scene);
  await work.go(3).send();
  await work.go(2).send({ receipt: { final: true }, advance: { close: true } });
  await openLease(scene);
  await scene.books.closeJob(await closeOf(scene, job.id));
  await scene.books.deny("peer", signerOf("thief").key, "steals");
  await scene.books.bar(signerOf("liar").key, "lies");
}

/** Runs books in a process of their own, kills that while it works, and answers with what it had acknowledged. */
async function killed(file: string, afterMs: number): Promise<ReadonlyMap<number, string>> {
  const script = fileURLToPath(new URL("killed-books.contract.ts", import.meta.url));
  const child = spawn(process.execPath, [script, file], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout.setEncoding("utf8");
  child.stdout.on("data", (text: string) => {
    if (said === "") setTimeout(() => child.kill("SIGKILL"), afterMs);
    said += text;
  });
  await once(child, "close");
  expect(child.signalCode).toBe("SIGKILL");
  const lines = said
    .split("\n")
    .slice(0, -1)
    .filter((line) => line !== "ready");
  return new Map(lines.map((line) => [Number(line.split(" ")[0]), line.split(" ")[1] ?? ""]));
}

describe("books that are killed while they write", () => {
  it(
    `keep every acknowledged receipt, and their balances add up, ${KILLS} times`,
    { timeout: 30_000 * KILLS },
    async () => {
      const acknowledged = new Map<number, string>();
      for (let i = 0; i < KILLS; i += 1) {
        // oxlint-disable-next-line no-await-in-loop -- one life after the other, on the same file
        for (const [index, leaf] of await killed(path, 20 + ((i * 37) % 200))) acknowledged.set(index, leaf);
        const store = openSqliteStore(path);
        expect(checkBooks(store)).toEqual([]);
        for (const [index, leaf] of acknowledged) expect(toHex(leafHash(store.entry(index)!))).toBe(leaf);
        store.close();
      }
      expect(acknowledged.size).toBeGreaterThan(KILLS);
    },
  );
});

describe("books that are closed and opened again", () => {
  it("stand as they stood, and go on", async () => {
    const scene = await openScene(path);
    await busy(scene);
    const { work, job } = await openLease(scene);
    const logged = await work.go(2).report();
    const { index } = await scene.books.report(logged);
    work.logged = 2;
    const before = {
      size: scene.books.size(),
      requester: scene.books.account(scene.requester.key),
      provider: scene.books.account(scene.provider.key),
      job: scene.books.job(job.id),
      receipts: scene.books.receipts(scene.provider.key, undefined, 10),
      checkpoint: await scene.books.checkpoint(),
      denied: scene.books.denials(),
    };
    scene.books.close();
    const books = await openBooks(scene.options);
    expect({
      size: books.size(),
      requester: books.account(scene.requester.key),
      provider: books.account(scene.provider.key),
      job: books.job(job.id),
      receipts: books.receipts(scene.provider.key, undefined, 10),
      checkpoint: await books.checkpoint(),
      denied: books.denials(),
    }).toEqual(before);
    await expect(books.report(logged)).resolves.toMatchObject({ index });
    expect(books.openLeases(job.id).map(({ bytes }) => bytes)).toEqual([work.lease.bytes]);
    await books.report(await work.go(2).report());
    await books.closeJob(await closeOf(scene, job.id));
    books.close();
    expect(problemsOf(path)).toEqual([]);
  });

  it("do not go back in time when the clock is set back", async () => {
    const scene = await openScene(path);
    scene.clock.now = START + 5_000_000;
    await scene.books.grant(scene.provider.key, microCredits(1), "later");
    scene.clock.now = START;
    const { index } = await scene.books.grant(scene.provider.key, microCredits(1), "with the clock set back");
    expect(decodeEntry(scene.books.entry(index)!).time).toBe(START + 5_000_000);
    const stale = await signedJob(scene, { expires: START + 4_000_000 });
    await expect(scene.books.openJob(stale)).rejects.toMatchObject({ code: failureCode("expired") });
    scene.books.close();
    scene.clock.now = START - 1;
    const books = await openBooks(scene.options);
    const after = await books.grant(scene.provider.key, microCredits(1), "after a restart");
    expect(decodeEntry(books.entry(after.index)!).time).toBe(START + 5_000_000);
    books.close();
  });

  it("are refused to other keys, another origin or other money", async () => {
    const scene = await openScene(path);
    scene.books.close();
    const { options } = scene;
    const seeds = { ...options.seeds, lease: seedOf("another") };
    await expect(openBooks({ ...options, seeds })).rejects.toThrow("lease key");
    await expect(openBooks({ ...options, origin: "elsewhere" })).rejects.toThrow(ORIGIN);
    await expect(openBooks({ ...options, asset: "test:elsewhere" })).rejects.toThrow(ORIGIN);
    await openBooks(options).then((books) => books.close());
  });

  it("are refused to a second process", async () => {
    const scene = await openScene(path);
    await expect(openBooks(scene.options)).rejects.toThrow(/locked/u);
    scene.books.close();
  });

  it("announce a changed tariff, and honour leases made under the old one", async () => {
    const scene = await openScene(path);
    const { work } = await openLease(scene);
    scene.books.close();
    const options = { ...scene.options, tariff: { ...TARIFF, perTask: microCredits(99) } };
    const books = await openBooks(options);
    await books.report(await work.go(2).report());
    expect(books.account(scene.provider.key).pending).toBe(work.receiptBody().amount);
    const size = books.size();
    books.close();
    const same = await openBooks(options);
    expect(same.size()).toBe(size);
    same.close();
    expect(problemsOf(path)).toEqual([]);
  });

  it("are refused when a byte of the log has changed on the disk", async () => {
    const scene = await openScene(path);
    await busy(scene);
    scene.books.close();
    const store = openSqliteStore(path);
    const { root } = store.head()!;
    store.close();
    const { DatabaseSync } = await import("node:sqlite");
    const database = new DatabaseSync(path);
    database.prepare("UPDATE head SET root = ?").run(root.map((byte) => byte ^ 1));
    database.close();
    await expect(openBooks(scene.options)).rejects.toThrow("root");
    expect(problemsOf(path)).toContain("the entries do not make the stored root");
  });

  it("are found wrong when a balance was changed on the disk", async () => {
    const scene = await openScene(path);
    await busy(scene);
    scene.books.close();
    expect(problemsOf(path)).toEqual([]);
    const { DatabaseSync } = await import("node:sqlite");
    const database = new DatabaseSync(path);
    database.prepare("UPDATE accounts SET available = available + 1 WHERE peer = ?").run(scene.provider.key);
    database.close();
    expect(problemsOf(path)).toEqual([
      `${scene.provider.key} has another balance available`,
      "an account is not listed",
    ]);
  });
});

describe("a backup", () => {
  it("taken while the books are used is sound, and the books go on from it", async () => {
    const scene = await openScene(path);
    await busy(scene);
    const copy = join(folder, "copy.sqlite");
    const { work } = await openLease(scene);
    const [, { index }] = await Promise.all([scene.books.backup(copy), work.go(2).send()]);
    await work.go(1).send();
    scene.books.close();
    rmSync(path);
    copyFileSync(copy, path);
    expect(problemsOf(path)).toEqual([]);
    const books = await openBooks(scene.options);
    expect(books.size()).toBeGreaterThanOrEqual(index);
    await books.grant(scene.provider.key, microCredits(1), "after the restore");
    books.close();
    expect(problemsOf(path)).toEqual([]);
  });

  it("of something that is no database is refused", async () => {
    writeFileSync(path, "no database, but long enough to be one by its size alone".repeat(100));
    await expect(openBooks(optionsOf(path, { now: START }))).rejects.toThrow(/not a database/u);
  });
});

describe("the log", () => {
  it("begins with the policy and the first epoch, and every entry is included in every later head", async () => {
    const scene = await openScene();
    const { books } = scene;
    expect([0, 1, 2].map((index) => decodeEntry(books.entry(index)!).type)).toEqual([
      "policy",
      "epoch-open",
      "grant",
    ]);
    const heads = [];
    for (let i = 0; i < 40; i += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one head after the other
      const granted = await Promise.all(
        Array.from({ length: 1 + (i % 5) }, async () =>
          books.grant(scene.provider.key, microCredits(1), "again"),
        ),
      );
      for (const { index, leaf, proof, checkpoint } of granted) {
        const head = headOf(books, checkpoint);
        expect(verifyInclusion(leaf, index, head.size, proof, head.root)).toBe(true);
      }
      heads.push(headOf(books, granted[0]!.checkpoint));
    }
    const last = heads.at(-1);
    if (last === undefined) throw new Error("no heads");
    for (const head of heads) {
      const proof = books.consistency(head.size, last.size);
      if (head.size < last.size)
        expect(verifyConsistency(head.size, last.size, head.root, last.root, proof)).toBe(true);
    }
    for (let index = 0; index < last.size; index += 1) {
      // oxlint-disable-next-line no-await-in-loop
      const { leaf, proof } = await books.inclusion(index);
      expect(verifyInclusion(leaf, index, last.size, proof, last.root), String(index)).toBe(true);
    }
    expect(() => books.consistency(1, last.size + 1)).toThrow(
      expect.objectContaining({ code: failureCode("not-found") }),
    );
    await expect(books.inclusion(last.size)).rejects.toMatchObject({ code: failureCode("not-found") });
    expect(books.entry(last.size)).toBeUndefined();
  });

  it("tells after each commit what it holds and whose accounts changed", async () => {
    const scene = await openScene();
    const told: unknown[] = [];
    const stop = scene.books.onCommit((commit) => told.push(commit));
    await Promise.all([
      scene.books.grant(scene.provider.key, microCredits(1), "one"),
      scene.books.grant(scene.requester.key, microCredits(1), "two"),
    ]);
    expect(told).toEqual([
      {
        size: 5,
        entries: [
          { index: 3, type: "grant", accounts: [scene.provider.key] },
          { index: 4, type: "grant", accounts: [scene.requester.key] },
        ],
        leases: [],
      },
    ]);
    stop();
    await scene.books.grant(scene.provider.key, microCredits(1), "three");
    expect(told.length).toBe(1);
  });

  it("shows every replacement of a key, signed by the one before, and works under the new one", async () => {
    const scene = await openScene(path);
    const { books } = scene;
    const before = books.keys();
    const { index } = await books.rotateKey("log", seedOf("log 2"));
    await books.rotateKey("lease", seedOf("lease 2"));
    expect(books.keyRotations()).toEqual([index, index + 1]);
    const { body } = decodeEntryOf("key-rotate", books.entry(index)!);
    expect(body).toMatchObject({ purpose: "log", previous: before.log, next: signerOf("log 2").key });
    await expect(rotationHolds(ORIGIN, body, verifyLater)).resolves.toBe(true);
    expect(headOf(books, await books.checkpoint()).size).toBe(index + 2);
    expect(books.signer("lease").key).toBe(signerOf("lease 2").key);
    await openLease(scene);
    books.close();
    await expect(openBooks(scene.options)).rejects.toThrow("log key");
    const seeds = { log: seedOf("log 2"), lease: seedOf("lease 2"), draw: seedOf("draw") };
    const again = await openBooks({ ...scene.options, seeds });
    expect(again.keys()).toEqual({ ...before, log: signerOf("log 2").key, lease: signerOf("lease 2").key });
    again.close();
  });

  it("takes leases of the old lease key no longer", async () => {
    const scene = await openScene();
    const job = await signedJob(scene);
    const { index } = await scene.books.openJob(job);
    const lease = await signedLease(scene, job, index);
    await scene.books.rotateKey("lease", seedOf("lease 2"));
    await expect(scene.books.addLease(lease)).rejects.toMatchObject({ code: failureCode("bad-signature") });
  });
});

describe("earnings", () => {
  it("are counted by hour and day, and today's apart", async () => {
    const scene = await openScene();
    const { work } = await openLease(scene, { expires: START + 80_000_000 }, { reportMs: 80_000_000 });
    await work.go(2).send();
    const first = work.receiptBody().amount;
    scene.clock.now += 3_600_000;
    await work.go(1).send();
    const second = work.receiptBody().amount - first;
    scene.clock.now += 43_200_000;
    await work.go(3).send();
    const third = work.receiptBody().amount - first - second;
    const { provider, books } = scene;
    expect(books.history.earnings(provider.key, "hour", 0)).toEqual([
      { start: START, amount: first, tasks: 2 },
      { start: START + 3_600_000, amount: second, tasks: 1 },
      { start: START + 46_800_000, amount: third, tasks: 3 },
    ]);
    expect(books.history.earnings(provider.key, "day", START)).toEqual([
      { start: Date.UTC(2030, 0, 1), amount: first + second, tasks: 3 },
      { start: Date.UTC(2030, 0, 2), amount: third, tasks: 3 },
    ]);
    expect(books.account(provider.key)).toMatchObject({
      earnedToday: third,
      pending: first + second + third,
    });
  });

  it("list a provider's newest receipt of each lease, newest first, page by page", async () => {
    const scene = await openScene();
    const works = [];
    for (let i = 0; i < 3; i += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { work } = await openLease(scene, { cap: microCredits(5_000) });
      // oxlint-disable-next-line no-await-in-loop
      await work.go(i + 1).send();
      works.push(work);
    }
    await works[0]!.go(1).send();
    const page = scene.books.receipts(scene.provider.key, undefined, 2);
    expect(page.map(({ lease, count }) => [lease, count])).toEqual([
      [works[0]!.lease.id, 2],
      [works[2]!.lease.id, 3],
    ]);
    const rest = scene.books.receipts(scene.provider.key, page.at(-1)!.entryIndex, 2);
    expect(rest.map(({ lease }) => lease)).toEqual([works[1]!.lease.id]);
  });
});

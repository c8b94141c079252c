import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test } from "vitest";
import { cidOf, RAW } from "../../protocol/cid.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { signerOf } from "../books/books-scene.contract.ts";
import { EffectRows } from "./effect-rows.ts";

const folder = mkdtempSync(join(tmpdir(), "effect-rows-"));
const open: EffectRows[] = [];
let files = 0;

function rows(path = join(folder, `${(files += 1)}.sqlite`)): EffectRows {
  const opened = new EffectRows(path);
  open.push(opened);
  return opened;
}

afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const account = signerOf("an account").key;
const place = { run: cidOf(RAW, encodeUtf8("a run")), node: "put", iteration: "", attempt: 0 };

test("a value is put where its version is the one that was read, and nowhere else", () => {
  const store = rows().store(account);
  expect(store.get("n", "k")).toBeUndefined();
  expect(store.put("n", "k", { a: 1 }, 0)).toBe(1);
  expect(store.put("n", "k", "late", 0)).toBeUndefined();
  expect(store.put("n", "k", "next", 1)).toBe(2);
  expect(store.get("n", "k")).toEqual({ version: 2, value: "next" });
  expect(store.get("other", "k")).toBeUndefined();
});

test("a key that was deleted and put again is not the one that somebody has read before", () => {
  const store = rows().store(account);
  expect(store.put("n", "k", "first")).toBe(1);
  expect(store.put("n", "k", null)).toBe(0);
  expect(store.get("n", "k")).toBeUndefined();
  expect(store.put("n", "k", "second", 0)).toBe(3);
  expect(store.put("n", "k", "stale", 1)).toBeUndefined();
});

test("two processes over one file: of two who read the same version one may write", () => {
  const path = join(folder, "shared.sqlite");
  const [here, there] = [rows(path).store(account), rows(path).store(account)];
  here.put("n", "count", 0);
  let won = 0;
  for (let turn = 0; turn < 20; turn += 1) {
    const read = here.get("n", "count")?.version ?? 0;
    won += [here, there].filter((store) => store.put("n", "count", turn, read) !== undefined).length;
  }
  expect(won).toBe(20);
});

test("keys are listed by prefix, in order, a page at a time", () => {
  const store = rows().store(account);
  for (const key of ["b/2", "a/ä", "a/z", "a/1", "a"]) store.put("n", key, true);
  const names = (prefix: string, after: string, limit: number): string[] =>
    store.list("n", prefix, after, limit).map(({ key }) => key);
  expect(names("a/", "", 2)).toEqual(["a/1", "a/z"]);
  expect(names("a/", "a/z", 2)).toEqual(["a/ä"]);
  expect(names("", "", 10)).toEqual(["a", "a/1", "a/z", "a/ä", "b/2"]);
});

test("an account keeps what it may, and another one's room is its own", () => {
  const all = rows();
  const store = all.store(account);
  const large = "x".repeat(4_000_000);
  for (let at = 0; at < 4; at += 1) store.put("n", `k${at}`, large);
  expect(() => store.put("m", "more", large)).toThrow(/^too-large/u);
  store.put("n", "k0", null);
  expect(store.put("m", "more", large)).toBeGreaterThan(0);
  expect(all.store(signerOf("another").key).put("n", "k", large)).toBe(1);
});

test("what was begun is not begun again, also not after a restart, until its run has long been over", () => {
  const path = join(folder, "restart.sqlite");
  const before = rows(path);
  expect(before.begin(place, "asked", 1_000, 0)).toEqual({ state: "new" });
  const after = rows(path);
  expect(after.begin(place, "asked", 1_000, 0)).toEqual({ state: "begun", asked: "asked" });
  after.done(place, Uint8Array.of(1, 2));
  expect(before.begin(place, "other", 1_000, 0)).toEqual({
    state: "done",
    asked: "asked",
    reply: Uint8Array.of(1, 2),
  });
  expect(before.totals(place.run)).toEqual({ count: 1, bytes: 2 });
  expect(before.begin(place, "asked", 1_000, 10_000_000)).toEqual({ state: "new" });
});

import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { cidOf, RAW } from "../protocol/cid.ts";
import { peerIdFromKey } from "../protocol/peer-id.ts";
import { DenyList, parseDenied } from "./deny-list.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "deny-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const cid = cidOf(RAW, Uint8Array.of(1));
const peer = peerIdFromKey(new Uint8Array(32).fill(7));

test("what is denied is refused by name, also after a restart, until it is allowed again", () => {
  const path = join(folder, "deny.txt");
  const list = new DenyList(path);
  list.deny(cid, "mines\nsomething");
  list.deny(peer, "");
  expect(() => list.require(cid)).toThrow(`denied: ${cid} is denied by the operator`);
  const again = new DenyList(path);
  expect(again.list()).toEqual([
    { what: cid, reason: "mines something" },
    { what: peer, reason: "" },
  ]);
  expect(again.undeny(cid)).toBe(true);
  expect(again.undeny(cid)).toBe(false);
  again.require(cid);
  list.refresh();
  expect(list.list()).toEqual([{ what: peer, reason: "" }]);
});

test("a running relay follows an editor, and lines that mean nothing stay harmless", () => {
  const path = join(folder, "deny.txt");
  const list = new DenyList(path);
  writeFileSync(path, `# mine\n\n  ${cid}   spam  \nnot-a-cid\n`);
  list.refresh();
  expect(list.list().map(({ what }) => what)).toEqual([cid]);
  appendFileSync(path, peer);
  list.refresh();
  expect(list.has(peer)).toBe(true);
  rmSync(path);
  list.refresh();
  expect(list.list()).toEqual([]);
});

test("two writers do not lose each other's denials", () => {
  const path = join(folder, "deny.txt");
  const [a, b] = [new DenyList(path), new DenyList(path)];
  a.deny(cid, "one");
  b.deny(peer, "two");
  expect(readFileSync(path, "utf8")).toBe(`${cid} one\n${peer} two\n`);
});

test("a list without a file is kept in memory", () => {
  const list = new DenyList(undefined);
  list.deny(cid, "");
  list.refresh();
  expect(list.has(cid)).toBe(true);
});

test("only CIDs and peer ids can be denied", () => {
  expect(parseDenied(cid)).toBe(cid);
  expect(() => parseDenied("../../etc/passwd")).toThrow(/neither/);
});

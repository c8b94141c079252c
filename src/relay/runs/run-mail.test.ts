import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, expect, test } from "vitest";
import { type Cid, cidOf, DAG_CBOR, RAW } from "../../protocol/cid.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { signerOf } from "../books/books-scene.contract.ts";
import { type NewStep, RunMail } from "./run-mail.ts";

const ada = signerOf("ada").key;
const bob = signerOf("bob").key;
const VALUE = cidOf(RAW, encodeUtf8("a value"));
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0).toReversed()) close();
});

function newFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "run-mail-"));
  closing.push(() => rmSync(folder, { recursive: true }));
  return join(folder, "runs.sqlite");
}

function open(path: string): RunMail {
  const mail = new RunMail(path);
  closing.push(() => mail.close());
  return mail;
}

function runNamed(name: string): Cid {
  return cidOf(DAG_CBOR, encodeUtf8(name));
}

function box(mail: RunMail, name: string, payer: typeof ada, bytes: number): void {
  const plan = new Uint8Array(bytes - 2);
  const params = new Uint8Array(2);
  mail.openBox({ run: runNamed(name), payer, name, plan, params, keptUntil: 1, values: [VALUE] });
}

function step(name: string, bytes: number): NewStep {
  const id = cidOf(DAG_CBOR, encodeUtf8(name));
  return { id, signer: bob, step: name, envelope: new Uint8Array(bytes), values: [] };
}

test("what waits is counted as it comes and goes, and the same after a restart", () => {
  const path = newFile();
  const mail = open(path);
  box(mail, "first", ada, 10);
  box(mail, "first", ada, 10);
  box(mail, "second", ada, 20);
  box(mail, "third", bob, 40);
  mail.add(runNamed("first"), [step("a", 100), step("b", 200)]);
  mail.add(runNamed("never opened"), [step("a", 100)]);
  expect(mail.arrived(runNamed("second"), VALUE, 7)).toBe(true);
  expect(mail.arrived(runNamed("second"), VALUE, 7)).toBe(false);
  expect(mail.arrived(runNamed("never opened"), VALUE, 7)).toBe(false);
  expect(() => mail.add(runNamed("third"), [step("c", 5), step("c", 5)])).toThrow(/UNIQUE/u);
  const before = [mail.bytes(ada), mail.bytes(bob), mail.bytes()];
  expect(before).toEqual([
    { bytes: 330, valueBytes: 7 },
    { bytes: 40, valueBytes: 0 },
    { bytes: 370, valueBytes: 7 },
  ]);
  mail.close();
  const again = open(path);
  expect([again.bytes(ada), again.bytes(bob), again.bytes()]).toEqual(before);
  again.remove(runNamed("first"));
  again.remove(runNamed("first"));
  again.remove(runNamed("second"));
  expect([again.bytes(ada), again.bytes()]).toEqual([
    { bytes: 0, valueBytes: 0 },
    { bytes: 40, valueBytes: 0 },
  ]);
});

/** As files were when plans lay with their boxes, and the same words were kept once whoever signed them. */
const BEFORE = `
  CREATE TABLE mailboxes (
    run TEXT PRIMARY KEY, payer TEXT NOT NULL, name TEXT NOT NULL, plan BLOB NOT NULL, params BLOB NOT NULL, steps INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0,
    value_bytes INTEGER NOT NULL DEFAULT 0, kept_until INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX mailboxes_of ON mailboxes (payer, kept_until);
  CREATE INDEX mailboxes_until ON mailboxes (kept_until);
  CREATE TABLE steps (
    run TEXT NOT NULL, place INTEGER NOT NULL, id TEXT NOT NULL, signer TEXT NOT NULL, step TEXT NOT NULL,
    envelope BLOB NOT NULL, PRIMARY KEY (run, place)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX steps_by_id ON steps (run, id);
`;

test("a file of before is read as it was, and its plans lie apart from then on", () => {
  const path = newFile();
  const run = runNamed("first");
  const { id, envelope } = step("a", 3);
  const old = new DatabaseSync(path);
  old.exec(BEFORE);
  old
    .prepare("INSERT INTO mailboxes VALUES (?, ?, 'first', ?, ?, 1, 8, 9, 77)")
    .run(run, ada, new Uint8Array([1, 2, 3]), new Uint8Array([4, 5]));
  old.prepare("INSERT INTO steps VALUES (?, 0, ?, ?, 'a', ?)").run(run, id, bob, envelope);
  old.close();
  const mail = open(path);
  const read = { run, payer: ada, name: "first", steps: 1, bytes: 8, valueBytes: 9, keptUntil: 77 };
  expect(mail.boxes()).toEqual([read]);
  expect(mail.oldest(ada)).toEqual(read);
  expect(mail.oldest(bob)).toBeUndefined();
  expect(mail.bytes(ada)).toEqual({ bytes: 8, valueBytes: 9 });
  expect(mail.terms(run)).toEqual({ plan: new Uint8Array([1, 2, 3]), params: new Uint8Array([4, 5]) });
  expect([mail.has(run, id, bob), mail.has(run, id, ada)]).toEqual([true, false]);
  mail.add(run, [{ ...step("a", 4), signer: ada }]);
  expect(mail.steps(run, 0, 9).map(({ place }) => place)).toEqual([0, 1]);
  mail.close();
  const raw = new DatabaseSync(path);
  closing.push(() => raw.close());
  const tables = raw.prepare("SELECT name FROM sqlite_master WHERE sql LIKE '%plan BLOB%'").all();
  expect(tables).toEqual([{ name: "plans" }]);
});

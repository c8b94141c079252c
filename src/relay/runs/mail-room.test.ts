import { afterEach, expect, test } from "vitest";
import { type Cid, cidOf, DAG_CBOR } from "../../protocol/cid.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { signerOf } from "../books/books-scene.contract.ts";
import { MailRoom } from "./mail-room.ts";
import { RunMail } from "./run-mail.ts";

const ada = signerOf("ada").key;
const bob = signerOf("bob").key;
const closing: RunMail[] = [];
afterEach(() => {
  for (const mail of closing.splice(0)) mail.close();
});

function runNamed(name: string): Cid {
  return cidOf(DAG_CBOR, encodeUtf8(name));
}

/** Room for 100 bytes of each account and 150 of all; runs whose names begin with "old" are over. */
function open(...boxes: readonly (readonly [name: string, payer: typeof ada, bytes: number])[]): {
  readonly room: MailRoom;
  readonly here: () => readonly string[];
  /** How often somebody asked whether a run is over. */
  readonly asked: () => number;
} {
  const mail = new RunMail(":memory:");
  closing.push(mail);
  const names = new Map(boxes.map(([name]) => [runNamed(name), name]));
  for (const [place, [name, payer, size]] of boxes.entries())
    mail.openBox({
      run: runNamed(name),
      payer,
      name,
      plan: new Uint8Array(size),
      params: new Uint8Array(),
      keptUntil: place,
      values: [],
    });
  const bound = { each: 100, all: 150 };
  let asked = 0;
  const room = new MailRoom({
    mail,
    isOver: (run) => {
      asked += 1;
      return names.get(run)?.startsWith("old") === true;
    },
    forget: (run) => mail.remove(run),
    bounds: { bytes: bound, valueBytes: bound },
  });
  return { room, here: () => mail.boxes().map(({ name }) => name), asked: () => asked };
}

test("runs of an account that are over make room for its next, the oldest first", () => {
  const { room, here } = open(["old 1", ada, 30], ["new 1", ada, 30], ["old 2", ada, 30], ["old 3", bob, 30]);
  room.require(ada, "bytes", 10);
  expect(here()).toHaveLength(4);
  room.require(ada, "bytes", 30);
  expect(here()).toEqual(["new 1", "old 2", "old 3"]);
});

test("nothing is thrown away of runs that go on, nor of others for an account that has too much itself", () => {
  const { room, here } = open(["new 1", ada, 90], ["old 1", bob, 40], ["new 2", bob, 20]);
  expect(() => room.require(ada, "bytes", 20)).toThrow(/more than this relay keeps/u);
  expect(here()).toEqual(["new 1", "old 1", "new 2"]);
});

test("where the relay is full, results of others that are over go, and then nothing more is taken", () => {
  const { room, here } = open(["old 1", ada, 50], ["new 1", ada, 50], ["new 2", bob, 50]);
  room.require(bob, "bytes", 40);
  expect(here()).toEqual(["new 1", "new 2"]);
  const full = open(["new 1", ada, 90], ["new 2", bob, 50]);
  expect(() => full.room.require(bob, "bytes", 20)).toThrow(/more than this relay keeps/u);
});

test("an account full of runs that go on is refused without a look at each of them", () => {
  const many = Array.from({ length: 100 }, (_, place) => [`new ${place}`, ada, 1] as const);
  const { room, here, asked } = open(...many);
  expect(() => room.require(ada, "bytes", 1)).toThrow(/more than this relay keeps/u);
  expect(here()).toHaveLength(100);
  expect(asked()).toBe(1);
});

import { expect, test } from "vitest";
import { cidOf, DAG_CBOR, RAW } from "./cid.ts";
import { FAILURE_KINDS, isFailureCode } from "./failure-code.ts";
import { peerIdFromKey } from "./peer-id.ts";
import type { AccountView, JobView, ReceiptView, RelayInfo } from "./relay-api.ts";
import {
  accountViewJson,
  earningsPointsJson,
  errorView,
  errorViewJson,
  jobViewJson,
  MAX_RECEIPTS_PER_PAGE,
  receiptViewsJson,
  relayInfoJson,
} from "./relay-json.ts";
import { microCredits, U64_MAX } from "./units.ts";

const peer = peerIdFromKey(new Uint8Array(32).fill(7));
const cid = cidOf(DAG_CBOR, Uint8Array.of(1));
const work = cidOf(RAW, Uint8Array.of(2));

const account: AccountView = {
  peer,
  asset: "test:localhost/0a1b2c3d",
  available: microCredits(U64_MAX),
  escrowed: microCredits(0),
  pending: microCredits(1),
  held: microCredits(2),
  bond: microCredits(3),
  earned: microCredits((1n << 53n) + 1n),
  slashed: microCredits(4),
  paid: microCredits(5),
  payingOut: microCredits(6),
  earnedToday: microCredits(12),
  logSize: 17,
};

const receipt: ReceiptView = {
  entryIndex: 3,
  time: 1_700_000_000_000,
  lease: cid,
  job: cid,
  workCid: work,
  requester: peer,
  count: 4,
  payable: 3,
  fuel: U64_MAX,
  amount: microCredits(5),
  final: true,
  settled: false,
};

const tariff = {
  perGfuel: microCredits(1),
  perTask: microCredits(2),
  perKiB: microCredits(3),
  perInstantiation: microCredits(4),
};

const info: RelayInfo = {
  name: "a relay",
  version: "0.1.0",
  origin: "localhost/0a1b2c3d",
  asset: "test:localhost/0a1b2c3d",
  testMoney: true,
  wireVersions: [1],
  profiles: [0],
  keys: { log: peer, lease: peer, draw: peer },
  tariff,
  policy: cid,
  peer,
  addresses: ["/ip4/127.0.0.1/tcp/8787/ws"],
  iceServers: [{ urls: ["stun:stun.example:3478"] }, { urls: ["turn:t"], username: "u", credential: "c" }],
};

const job: JobView = {
  job: cid,
  state: "closing",
  cap: microCredits(9),
  spent: microCredits(5),
  refunded: microCredits(4),
  leases: [
    {
      lease: cid,
      provider: peer,
      state: "settled",
      count: 3,
      amount: microCredits(5),
      drawn: 2,
      judged: 1,
      forfeited: microCredits(0),
    },
  ],
};

function throughText(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

test("views come back from JSON text as they were, beyond what a double holds", () => {
  expect(accountViewJson.read(throughText(accountViewJson.write(account)))).toEqual(account);
  expect(receiptViewsJson.read(throughText(receiptViewsJson.write([receipt])))).toEqual([receipt]);
  expect(relayInfoJson.read(throughText(relayInfoJson.write(info)))).toEqual(info);
  expect(jobViewJson.read(throughText(jobViewJson.write(job)))).toEqual(job);
  const points = [{ start: 0, amount: microCredits(3), tasks: 1 }];
  expect(earningsPointsJson.read(throughText(earningsPointsJson.write(points)))).toEqual(points);
});

test("every failure can be told with its name, meaning and advice", () => {
  for (const { code, name } of FAILURE_KINDS) {
    if (!isFailureCode(code)) throw new Error("a kind without a code");
    const told = errorViewJson.read(throughText(errorViewJson.write(errorView({ code, detail: "why" }))));
    expect(told.error).toMatchObject({ code, name, detail: "why" });
  }
});

test("an amount is a canonical decimal of at most 64 bits and nothing else", () => {
  for (const wrong of ["-1", "01", "1.5", "", " 1", "0x10", "1e3", "18446744073709551616", 1, null]) {
    expect(() => accountViewJson.read({ ...account, available: wrong })).toThrow(/malformed: available/);
  }
});

test.each([
  ["nothing", undefined, /answer is not an object/],
  ["a list", [], /answer is not an object/],
  ["a missing field", { ...job, state: undefined }, /state is missing/],
  [
    "a word outside the set",
    { ...job, cap: "9", spent: "5", refunded: "4", state: "ajar" },
    /state is not one of/,
  ],
  [
    "a wrong field deep inside",
    { ...job, cap: "9", spent: "5", refunded: "4", leases: [{ lease: "bafy" }] },
    /leases\[0\]\.lease is not a CID/,
  ],
])("%s is refused with the field's path", (_what, value, message) => {
  expect(() => jobViewJson.read(value)).toThrow(message);
});

test("a list longer than its bound is refused", () => {
  const page = Array.from({ length: MAX_RECEIPTS_PER_PAGE + 1 }, () => receiptViewsJson.write([receipt]));
  expect(() => receiptViewsJson.read(page)).toThrow(/more than 200 items/);
});

test("fields of a later version are dropped, also those that would reach a prototype", () => {
  const later = JSON.parse('{"urls":["a"],"__proto__":{"username":"x"},"later":1}');
  const read = relayInfoJson.read({
    ...(throughText(relayInfoJson.write(info)) as object),
    iceServers: [later],
  });
  expect(read.iceServers).toEqual([{ urls: ["a"] }]);
});

import { webcrypto } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import type { Cid } from "../protocol/cid.ts";
import { signerFromSeed } from "../protocol/ed25519.ts";
import { bodyId, seal } from "../protocol/envelope.ts";
import { header } from "../protocol/header.ts";
import { encodeEntryOf, type EntryBodies, type EntryType } from "../protocol/messages/entry.ts";
import {
  payoutAddressMessage,
  payoutBatchMessage,
  type PayoutLine,
  payoutSums,
} from "../protocol/messages/payout.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { Signer } from "../protocol/signature.ts";
import { microCredits } from "../protocol/units.ts";
import { LogSignatures } from "./log-signatures.ts";
import { Replay, typedEntry } from "./replay.ts";

/** Logs that a relay might write, honest ones and others. */

const HEAD = header("relay.test", "eip155:1/slip44:60");
const HOUR_MS = 3_600_000;

interface Step {
  readonly type: EntryType;
  readonly time: number;
  readonly bytes: Uint8Array;
}

let ana: Signer;
let bea: Signer;
let relay: Signer;
beforeAll(async () => {
  const [first, second, third] = await Promise.all(
    [1, 2, 3].map(async (n) => signerFromSeed(webcrypto.subtle, new Uint8Array(32).fill(n))),
  );
  if (first === undefined || second === undefined || third === undefined) throw new Error("no keys");
  [ana, bea, relay] = [first, second, third];
});

function step<K extends EntryType>(type: K, body: EntryBodies[K], hour = 0): Step {
  const time = hour * HOUR_MS;
  return { type, time, bytes: encodeEntryOf(type, time, body) };
}

function deposit(account: PeerId, amount: number, reference: string): Step {
  return step("deposit", { account, amount: microCredits(amount), reference });
}

async function address(signer: Signer, where: string, prev?: Cid, by = signer, hour = 0): Promise<Step> {
  const body = { ...HEAD, account: signer.key, address: where, ...(prev === undefined ? {} : { prev }) };
  return step("payout-address", { envelope: await seal(payoutAddressMessage, body, [by]) }, hour);
}

function lineOf(signer: Signer, amount: number, where: string): PayoutLine {
  return { account: signer.key, amount: microCredits(amount), address: where };
}

interface Batch {
  readonly id: Cid;
  readonly steps: readonly Step[];
}

/** A batch whose order is of `ordered` and whose entries are of `lines`. */
async function batchOf(
  lines: readonly PayoutLine[],
  { ordered = lines, number = 1, hour = 0, by = relay } = {},
): Promise<Batch> {
  const order = { ...HEAD, number, ...payoutSums(ordered) };
  const id = bodyId(payoutBatchMessage, order);
  const envelope = await seal(payoutBatchMessage, order, [by]);
  const prepared = lines.map((line) => step("payout-prepare", { batch: id, ...line }, hour));
  return { id, steps: [step("payout-batch", { batch: id, envelope }, hour), ...prepared] };
}

function paid(batch: Cid, line: PayoutLine, reference = "run"): Step {
  return step("payout", { batch, ...line, reference });
}

function cancelled(batch: Cid, { account, amount }: PayoutLine): Step {
  return step("payout-cancel", { batch, account, amount });
}

function replayOf(...steps: readonly Step[]): Replay {
  const replay = new Replay();
  for (const { bytes } of steps) replay.append(typedEntry(bytes));
  return replay;
}

/** How many signatures entries stand on. */
function claimsOf(...steps: readonly Step[]): number {
  const signatures = new LogSignatures(new Replay());
  return steps.reduce((sum, { bytes }) => sum + signatures.claimsOf(typedEntry(bytes)).length, 0);
}

/** Ana has 500 and an address, bea 300 and another one. */
async function beginning(): Promise<{
  readonly steps: readonly Step[];
  readonly lines: readonly [PayoutLine, PayoutLine];
}> {
  const steps = [
    deposit(ana.key, 500, "a"),
    deposit(bea.key, 300, "b"),
    await address(ana, "bank-a"),
    await address(bea, "bank-b"),
  ];
  return { steps, lines: [lineOf(ana, 500, "bank-a"), lineOf(bea, 300, "bank-b")] };
}

describe("A log of payouts", () => {
  test("that is honest is followed to the end", async () => {
    const { steps, lines } = await beginning();
    const first = await batchOf(lines);
    const gone = lines.map((line) => cancelled(first.id, line));
    const second = await batchOf(lines, { number: 2 });
    const ended = lines.map((line) => paid(second.id, line));
    const replay = replayOf(...steps, ...first.steps, ...gone, ...second.steps, ...ended);
    expect([...replay.payouts.batches.values()].map(({ state }) => state)).toEqual(["cancelled", "paid"]);
    expect([...replay.balances]).toEqual([]);
  });

  test("that credits one payment twice is refused", () => {
    const twice = [deposit(ana.key, 500, "a"), deposit(bea.key, 500, "a")];
    expect(() => replayOf(...twice)).toThrow(/credited twice/);
  });

  test("that pays to another address than the account signed is refused", async () => {
    const { steps } = await beginning();
    const { steps: batch } = await batchOf([lineOf(ana, 500, "operator")]);
    expect(() => replayOf(...steps, ...batch)).toThrow(/address that does not count/);
    const { steps: nowhere } = await batchOf([lineOf(ana, 500, "bank-a")]);
    expect(() => replayOf(deposit(ana.key, 500, "a"), ...nowhere)).toThrow(/address that does not count/);
  });

  test("that pays to a changed address within 72 hours is refused, and later is not", async () => {
    const { steps } = await beginning();
    const prev = bodyId(payoutAddressMessage, { ...HEAD, account: ana.key, address: "bank-a" });
    const change = await address(ana, "thief", prev, ana, 10);
    const early = await batchOf([lineOf(ana, 500, "thief")], { hour: 81 });
    expect(() => replayOf(...steps, change, ...early.steps)).toThrow(/address that does not count/);
    const late = await batchOf([lineOf(ana, 500, "thief")], { hour: 82 });
    expect(replayOf(...steps, change, ...late.steps).payouts.lines.size).toBe(1);
  });

  test("that takes up an address which its account has replaced is refused", async () => {
    const { steps } = await beginning();
    expect(() => replayOf(...steps)).not.toThrow();
    const again = await address(ana, "old-bank");
    expect(() => replayOf(...steps, again)).toThrow(/does not follow the newest/);
  });

  test("whose batch has other lines than its order, or breaks off, is refused", async () => {
    const { steps, lines } = await beginning();
    const [a, b] = lines;
    const other = await batchOf([a, { ...b, amount: microCredits(299) }], { ordered: lines });
    expect(() => replayOf(...steps, ...other.steps)).toThrow(/other lines than its order/);
    const short = await batchOf([a], { ordered: lines });
    expect(() => replayOf(...steps, ...short.steps, deposit(ana.key, 1, "c"))).toThrow(/breaks off/);
    const twice = await batchOf([lineOf(ana, 200, "bank-a"), lineOf(ana, 200, "bank-a")]);
    expect(() => replayOf(...steps, ...twice.steps)).toThrow(/pays an account twice/);
    const empty = await batchOf([]);
    expect(() => replayOf(...steps, ...empty.steps)).toThrow(/is empty/);
  });

  test("whose batch begins before the last one has ended, or out of turn, is refused", async () => {
    const { steps, lines } = await beginning();
    const [a, b] = lines;
    const first = await batchOf([a]);
    const second = await batchOf([b], { number: 2 });
    expect(() => replayOf(...steps, ...first.steps, ...second.steps)).toThrow(
      /before the last one has ended/,
    );
    expect(() => replayOf(...steps, ...second.steps)).toThrow(/another number than the next/);
    const other = step("payout-prepare", { batch: first.id, ...a });
    expect(() => replayOf(...steps, other)).toThrow(/outside its batch/);
  });

  test("whose batch ends in part, twice, or otherwise than it was prepared is refused", async () => {
    const { steps, lines } = await beginning();
    const [a, b] = lines;
    const { id, steps: batch } = await batchOf(lines);
    const before = [...steps, ...batch];
    const [paidA, paidB] = [paid(id, a), paid(id, b)];
    expect(() => replayOf(...before, paidA, deposit(ana.key, 1, "c"))).toThrow(/breaks off/);
    expect(() => replayOf(...before, paidA, cancelled(id, b))).toThrow(/breaks off/);
    expect(() => replayOf(...before, paidA, paidA)).toThrow(RangeError);
    expect(() => replayOf(...before, paidA, paidB, paidA)).toThrow(RangeError);
    expect(() => replayOf(...before, paid(id, { ...a, address: "operator" }))).toThrow(/otherwise than/);
    expect(() => replayOf(...before, paid(id, { ...a, amount: microCredits(499) }))).toThrow(
      /otherwise than/,
    );
    expect(() => replayOf(...before, paidA, paid(id, b, "another run"))).toThrow(/otherwise than/);
    expect(() => replayOf(...before, cancelled(id, { ...a, amount: microCredits(1) }))).toThrow(RangeError);
    expect(() => replayOf(...steps, paidA)).toThrow(RangeError);
  });

  test("that pays more than there is is refused", async () => {
    const { steps } = await beginning();
    const { steps: batch } = await batchOf([lineOf(ana, 501, "bank-a")]);
    expect(() => replayOf(...steps, ...batch)).toThrow(/below zero/);
  });

  test("stands on signatures of the accounts and of the relay's lease key, and of nobody else", async () => {
    const keys = { log: bea.key, lease: relay.key, draw: bea.key };
    const tariff = {
      perGfuel: microCredits(1),
      perTask: microCredits(1),
      perKiB: microCredits(1),
      perInstantiation: microCredits(1),
    };
    const { steps, lines } = await beginning();
    const { id, steps: honest } = await batchOf(lines);
    const policy = step("policy", { origin: HEAD.origin, asset: HEAD.asset, keys, tariff, policy: id });
    expect(claimsOf(policy, ...steps, ...honest)).toBe(3);
    const { steps: byAna } = await batchOf(lines, { by: ana });
    expect(() => claimsOf(policy, ...byAna)).toThrow(/lease key/);
    const stolen = await address(ana, "thief", undefined, bea);
    expect(() => claimsOf(policy, stolen)).toThrow(/not signed by its account/);
  });
});

import { afterEach, describe, expect, test } from "vitest";
import wabtInit from "wabt";
import { cidOf, RAW } from "../protocol/cid.ts";
import { openEnvelope, seal } from "../protocol/envelope.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { type Receipt, receiptMessage } from "../protocol/messages/receipt.ts";
import { advanceMessage } from "../protocol/messages/task.ts";
import { startSessionIdentity } from "../protocol/session-identity.ts";
import { fuel } from "../protocol/units.ts";
import { FRAME } from "../protocol/work-frame.ts";
import { type LeasePair, leasePair, seed } from "./lease-pair.contract.ts";
import { closePairs, openText, sendText, TEXT } from "./model-pair.contract.ts";

const wabt = await wabtInit();

/** Adds one for each byte of its input, and aborts where the input begins with "x". */
const COUNT = new Uint8Array(
  wabt
    .parseWat(
      "count.wat",
      `(module (memory (export "memory") 1 2)
  (func (export "tabmesh_alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "tabmesh_run") (param i32 i32) (result i64) (local i32)
    (if (i32.eq (i32.load8_u (i32.const 1024)) (i32.const 120)) (then (unreachable)))
    (loop
      (local.set 2 (i32.add (local.get 2) (i32.const 1)))
      (br_if 0 (i32.lt_u (local.get 2) (local.get 1))))
    (i64.or (i64.shl (i64.extend_i32_u (local.get 0)) (i64.const 32)) (i64.extend_i32_u (local.get 1)))))`,
    )
    .toBinary({}).buffer,
);

const pairs: LeasePair[] = [];
afterEach(() => {
  closePairs();
  for (const pair of pairs.splice(0)) pair.stop();
});

async function openCount(): Promise<LeasePair> {
  const pair = await leasePair({ module: COUNT, lease: { policyVersion: 1 } });
  pairs.push(pair);
  return pair;
}

function sendAll({ requester }: LeasePair, texts: readonly string[]): void {
  for (const text of texts) {
    const bytes = new TextEncoder().encode(text);
    const task = requester.send({ bytes, cid: cidOf(RAW, bytes), seed: seed(8) });
    for (const promise of [task.answer, task.final]) promise.catch(() => undefined);
  }
}

type Forge = (receipt: Receipt) => Receipt;

/** Replaces each receipt by what a provider with another program says instead, under the lease's own key. */
async function forgeReceipts(
  pair: LeasePair,
  forge: Forge,
): Promise<{ readonly forged: () => readonly Receipt[] }> {
  const them = await startSessionIdentity(crypto.subtle, { root: seed(4), session: seed(5) }, Date.now());
  const forged: Receipt[] = [];
  const tell = async (body: Receipt): Promise<void> => {
    const bytes = await seal(receiptMessage, body, [them.signer]);
    try {
      pair.requester.frame(FRAME.receipt, bytes);
    } catch (error) {
      pair.requester.fail(error as never);
    }
  };
  pair.fromProvider = (kind, payload) => {
    if (kind !== FRAME.receipt) return payload;
    const body = forge(openEnvelope(receiptMessage, payload).body);
    forged.push(body);
    void tell(body);
    return undefined;
  };
  return { forged: () => forged };
}

/** Receipts that the requester has named in an advance so far. */
function countersigned(pair: LeasePair): string[] {
  const named: string[] = [];
  pair.fromRequester = (kind, payload) => {
    if (kind === FRAME.advance) {
      const { receiptCid } = openEnvelope(advanceMessage, payload).body;
      if (receiptCid !== undefined) named.push(receiptCid);
    }
    return payload;
  };
  return named;
}

async function expectRefused(pair: LeasePair, named: readonly string[]): Promise<void> {
  expect((await pair.requester.ended)?.code).toBe(failureCode("bad-receipt"));
  // Nothing is on its way any more.
  await pair.provider.ended;
  expect(pair.requester.channel.report()).toBeUndefined();
  expect(named).toEqual([]);
  expect(pair.saved).toEqual([]);
}

function without(receipt: Receipt, name: "failed" | "peak" | "policyVersion"): Receipt {
  const { [name]: _left, ...rest } = receipt;
  return rest;
}

const ALL_DONE = ["a", "a long input", "bb"];
const WITH_FAILURES = ["a long input", "x", "xx"];

describe("A receipt for those who audit", () => {
  test("says how dear the dearest outcome was and how many failed, and is countersigned then", async () => {
    const pair = await openCount();
    const named = countersigned(pair);
    const { forged } = await forgeReceipts(pair, (receipt) => receipt);
    sendAll(pair, WITH_FAILURES);
    await pair.requester.close();
    expect(await pair.requester.ended).toBeUndefined();
    const body = pair.requester.channel.report()?.body;
    expect(body).toMatchObject({ count: 3, failed: 2, policyVersion: 1, final: true });
    expect(body?.peak).toBeGreaterThan(0n);
    // Three outcomes, of which two trap at once: the dearest is most of it.
    expect(body!.peak! * 3n).toBeGreaterThan(body!.fuel);
    expect(body!.peak!).toBeLessThan(body!.fuel);
    expect(forged().at(-1)).toEqual(body);
    await pair.provider.ended;
    expect(named.length).toBeGreaterThan(0);
  });

  test("says nothing of failures where there are none", async () => {
    const pair = await openCount();
    sendAll(pair, ALL_DONE);
    await pair.requester.close();
    await pair.requester.ended;
    expect(pair.requester.channel.report()?.body).not.toHaveProperty("failed");
  });

  test.each<readonly [string, Forge]>([
    ["hides its dearest outcome", (receipt) => without(receipt, "peak")],
    ["makes its dearest outcome cheaper by one", (r) => ({ ...r, peak: fuel((r.peak ?? 1n) - 1n) })],
    ["makes its dearest outcome dearer by one", (r) => ({ ...r, peak: fuel((r.peak ?? 0n) + 1n) })],
    ["names the sum as its dearest outcome", (r) => ({ ...r, peak: fuel(r.fuel + 1n) })],
    ["claims failures where nothing failed", (r) => ({ ...r, failed: 1 })],
    ["names no failures by a zero, another spelling of the same", (r) => ({ ...r, failed: 0 })],
    ["leaves out the policy's version", (receipt) => without(receipt, "policyVersion")],
    ["names another version of the policy", (r) => ({ ...r, policyVersion: 2 })],
  ])("is not countersigned when it %s", async (_, forge) => {
    const pair = await openCount();
    const named = countersigned(pair);
    await forgeReceipts(pair, forge);
    sendAll(pair, ALL_DONE);
    await expectRefused(pair, named);
  });

  test.each<readonly [string, Forge]>([
    ["hides its failures", (receipt) => without(receipt, "failed")],
    ["counts one failure less", (r) => ({ ...r, failed: (r.failed ?? 0) - 1 })],
    ["counts one failure more", (r) => ({ ...r, failed: (r.failed ?? 0) + 1 })],
  ])("is not countersigned when it %s", async (_, forge) => {
    const pair = await openCount();
    const named = countersigned(pair);
    await forgeReceipts(pair, (receipt) => (receipt.failed === undefined ? receipt : forge(receipt)));
    // The first outcome of all has failed, so that there is no honest receipt before the forged one.
    sendAll(pair, ["x", "xx"]);
    await expectRefused(pair, named);
  });

  test("is not countersigned when it calls a whole text one dear outcome: each segment is one", async () => {
    const pair = await openText();
    const named = countersigned(pair);
    // The sum of the first receipt's segments; where there is one alone, one unit more.
    const { forged } = await forgeReceipts(pair, (r) => ({
      ...r,
      peak: fuel(r.count === 1 ? r.fuel + 1n : r.fuel),
    }));
    const { task } = sendText(pair, { ...TEXT, maxTokens: 40 });
    for (const promise of [task.answer, task.final]) promise.catch(() => undefined);
    await expectRefused(pair, named);
    expect(forged()).toHaveLength(1);
  });

  test("of a text names the dearest of its segments, the prompt's share with it", async () => {
    const pair = await openText();
    const { task } = sendText(pair, { ...TEXT, maxTokens: 40 });
    await task.final;
    await pair.requester.close();
    await pair.requester.ended;
    const body = pair.requester.channel.report()?.body;
    expect(body?.count).toBeGreaterThan(1);
    expect(body!.peak!).toBeLessThan(body!.fuel);
    expect(body!.peak! * BigInt(body!.count)).toBeGreaterThanOrEqual(body!.fuel);
  });
});

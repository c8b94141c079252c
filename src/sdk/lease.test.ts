import { afterEach, describe, expect, test } from "vitest";
import wabtInit from "wabt";
import { cidOf, RAW } from "../protocol/cid.ts";
import { openEnvelope, seal } from "../protocol/envelope.ts";
import { failureCode, type FailureName } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import { receiptMessage } from "../protocol/messages/receipt.ts";
import { advanceMessage, outcomeSchema, taskSchema } from "../protocol/messages/task.ts";
import { decode, encode } from "../protocol/schema.ts";
import { priceOf } from "../protocol/tariff.ts";
import { startSessionIdentity } from "../protocol/session-identity.ts";
import { fuel, microCredits } from "../protocol/units.ts";
import { FRAME, headerLength, splitHeader } from "../protocol/work-frame.ts";
import { concatBytes } from "../protocol/bytes.ts";
import { type LeasePair, leasePair, type PairOptions, seed, TARIFF } from "./lease-pair.contract.ts";

const wabt = await wabtInit();

function wasm(text: string): Uint8Array {
  return new Uint8Array(wabt.parseWat("f.wat", text).toBinary({}).buffer);
}

/** Returns its input. */
const ECHO = wasm(`(module (memory (export "memory") 64 128)
  (func (export "tabmesh_alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "tabmesh_run") (param i32 i32) (result i64)
    (i64.or (i64.shl (i64.extend_i32_u (local.get 0)) (i64.const 32)) (i64.extend_i32_u (local.get 1)))))`);

/** Burns fuel for ever. */
const LOOP = wasm(`(module (memory (export "memory") 1 2)
  (func (export "tabmesh_alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "tabmesh_run") (param i32 i32) (result i64) (loop (br 0)) (unreachable)))`);

let pair: LeasePair | undefined;
afterEach(() => pair?.stop());

async function open(options: Partial<PairOptions> = {}): Promise<LeasePair> {
  pair = await leasePair({ module: ECHO, ...options });
  return pair;
}

function input(text: string): { bytes: Uint8Array; cid: ReturnType<typeof cidOf>; seed: Uint8Array } {
  const bytes = new TextEncoder().encode(text);
  return { bytes, cid: cidOf(RAW, bytes), seed: seed(8) };
}

function big(size: number): ReturnType<typeof input> {
  const bytes = new Uint8Array(size).map((_, i) => i * 7);
  return { bytes, cid: cidOf(RAW, bytes), seed: seed(8) };
}

async function failureOf(promise: Promise<unknown>): Promise<FailureError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof FailureError)) throw new Error(`expected a failure, got ${String(error)}`);
  return error;
}

async function sessionEndsWith(
  session: { ended: Promise<FailureError | undefined> },
  name: FailureName,
): Promise<void> {
  expect((await session.ended)?.code).toBe(failureCode(name));
}

function refuse(): void {
  throw new FailureError("content-mismatch", "not what the model writes");
}

describe("one lease at work", () => {
  test("answers every task, signs for all of them, and both sides hold the same final receipt", async () => {
    const { requester, saved, order } = await open();
    const sent = Array.from({ length: 100 }, (_, i) => requester.send(input(`task ${i}`)));
    const answers = await Promise.all(sent.map((task) => task.answer));
    for (const [i, answer] of answers.entries()) {
      expect(answer).toMatchObject({ kind: "done", output: new TextEncoder().encode(`task ${i}`) });
    }
    await Promise.all(sent.map((task) => task.final));
    await requester.close();
    expect(await requester.ended).toBeUndefined();
    const report = requester.channel.report();
    await expect.poll(() => saved.at(-1)?.final).toBe(true);
    const last = saved.at(-1);
    expect(report?.body).toMatchObject({ count: 100, payable: 100, final: true });
    expect(last).toMatchObject({
      count: 100,
      final: true,
      receipt: report?.receipt,
      advance: report?.advance,
    });
    const { body } = openEnvelope(receiptMessage, last?.receipt ?? new Uint8Array());
    expect(body.amount).toBe(priceOf(TARIFF, body, order.lease.body.startFee));
  });

  test("carries inputs and outputs of several frames", async () => {
    const { requester } = await open();
    const sizes = [0, 1, 65_000, 65_536, 65_537, 700_000];
    const sent = sizes.map((size) => ({ size, task: requester.send(big(size)) }));
    for (const { size, task } of sent)
      expect(await task.answer).toMatchObject({ kind: "done", output: big(size).bytes });
    await Promise.all(sent.map(({ task }) => task.final));
  });

  test("a function that never returns ends out of fuel, is paid for its fuel, and the next task runs", async () => {
    const { requester } = await open({ module: LOOP });
    const task = requester.send(input("x"));
    expect(await task.answer).toMatchObject({ kind: "failed", code: failureCode("out-of-fuel") });
    await task.final;
    await requester.close();
    expect(requester.channel.report()?.body).toMatchObject({ count: 1, payable: 1 });
  });

  test("a window of unsigned tasks is the most a provider runs", async () => {
    const opened = await open({ lease: { windowMax: 4 } });
    let advances = 0;
    opened.fromRequester = (kind, payload) => {
      if (kind !== FRAME.advance) return payload;
      advances += 1;
      return undefined;
    };
    const { requester, provider } = opened;
    const sent = Array.from({ length: 4 }, (_, i) => requester.send(input(`${i}`)));
    await Promise.all(sent.map((task) => task.answer));
    // The requester believes its head is signed; the provider has not heard of it.
    await expect.poll(() => advances).toBeGreaterThan(0);
    requester.send(input("beyond"));
    await expect.poll(() => provider.channel.received).toBe(5);
    expect(provider.channel.count).toBe(4);
    expect(provider.channel.mayRun(4)).toBe(false);
  });

  test("cancelling spares what has not started and pays the start fee for what has", async () => {
    const { requester, order } = await open({
      module: LOOP,
      job: { limits: { fuel: fuel(200_000_000), memory: 1 << 20, output: 1024, deadlineMs: 60_000 } },
    });
    // In-process threads cannot be interrupted while they run, so the cancel is there before the first one starts.
    const sent = [requester.send(input("a")), requester.send(input("b"))];
    await requester.cancel();
    const answers = await Promise.all(sent.map((task) => task.answer));
    for (const answer of answers) {
      expect(answer.kind).toBe("failed");
      expect([failureCode("not-started"), failureCode("cancelled"), failureCode("out-of-fuel")]).toContain(
        answer.kind === "failed" ? answer.code : 0,
      );
    }
    const body = requester.channel.report()?.body;
    expect(body?.amount).toBe(priceOf(TARIFF, body!, order.lease.body.startFee));
  });

  test("a provider that drains returns its tasks with its newest receipt", async () => {
    const { requester, provider, saved } = await open();
    const first = requester.send(input("first"));
    await first.answer;
    await first.final;
    void provider.drain("draining");
    expect((await requester.ended)?.code).toBe(failureCode("draining"));
    expect(requester.channel.report()?.body.count).toBe(1);
    await expect.poll(() => saved.at(-1)?.count).toBe(1);
  });

  test("a lost connection rejects what is open, and what was signed can still be reported", async () => {
    const { requester, streams } = await open();
    const first = requester.send(input("first"));
    await first.final;
    streams.provider.abort(new FailureError("closed", "gone"));
    await requester.ended;
    expect(requester.channel.report()?.body.count).toBe(1);
  });
});

describe("threats on one lease", () => {
  test("a task that the requester never signed is not paid: an advance over other tasks ends the lease", async () => {
    const opened = await open();
    opened.fromRequester = (kind, payload) => {
      if (kind !== FRAME.task) return payload;
      const [encoded, data] = splitHeader(payload);
      const changed = encode(taskSchema, { ...decode(taskSchema, encoded), salt: new Uint8Array(16) });
      return concatBytes(headerLength(changed), changed, data);
    };
    opened.fromProvider = () => undefined;
    opened.requester.send(input("named otherwise"));
    const failure = await opened.provider.ended;
    expect(failure?.code).toBe(failureCode("unnamed-task"));
    expect(opened.saved).toEqual([]);
  });

  test("an advance signed by another key is refused", async () => {
    const opened = await open();
    const stranger = await startSessionIdentity(
      crypto.subtle,
      { root: seed(20), session: seed(21) },
      Date.now(),
    );
    const held: Promise<Uint8Array>[] = [];
    opened.fromRequester = (kind, payload) => {
      if (kind !== FRAME.advance) return payload;
      held.push(seal(advanceMessage, openEnvelope(advanceMessage, payload).body, [stranger.signer]));
      return undefined;
    };
    opened.requester.send(input("x"));
    await expect.poll(() => held.length).toBeGreaterThan(0);
    const forged = await held[0]!;
    expect(() => opened.provider.frame(FRAME.advance, forged)).toThrow(FailureError);
  });

  test("a swapped output is found by its hash", async () => {
    const opened = await open();
    opened.fromProvider = (kind, payload) => {
      if (kind !== FRAME.outcome) return payload;
      const changed = payload.slice();
      changed[changed.length - 1] = (changed[changed.length - 1] ?? 0) ^ 1;
      return changed;
    };
    const task = opened.requester.send(input("honest"));
    expect((await failureOf(task.answer)).code).toBe(failureCode("content-mismatch"));
    await sessionEndsWith(opened.requester, "content-mismatch");
  });

  test("a tampered receipt is refused at every byte", async () => {
    const opened = await open();
    let receipt: Uint8Array | undefined;
    opened.fromProvider = (kind, payload) => {
      if (kind !== FRAME.receipt) return payload;
      receipt ??= payload;
      return undefined;
    };
    const task = opened.requester.send(input("x"));
    await task.answer;
    await expect.poll(() => receipt).toBeDefined();
    const good = receipt!;
    let refused = 0;
    for (let at = 0; at < good.length; at += 1) {
      const bad = good.slice();
      bad[at] = (bad[at] ?? 0) ^ 0x01;
      try {
        const opening = openEnvelope(receiptMessage, bad);
        opened.requester.channel.checkReceipt(opening);
        const claim = opening.claims[0]!;
        if (
          !(await opened.ports.verify(claim.key, claim.message, claim.signature)) ||
          opening.signedBy[0]?.key !== opened.order.lease.body.instance
        )
          refused += 1;
      } catch (error) {
        expect(error).toBeInstanceOf(FailureError);
        refused += 1;
      }
    }
    // A flipped bit in the delegation is not judged here: the lease names the session key itself.
    const delegation = openEnvelope(receiptMessage, good).signedBy[0]?.delegation?.length ?? 0;
    expect(refused).toBeGreaterThanOrEqual(good.length - delegation);
  });

  test("a receipt that asks for more than the outcomes cost is refused", async () => {
    const opened = await open();
    const them = await startSessionIdentity(crypto.subtle, { root: seed(4), session: seed(5) }, Date.now());
    let receipt: Uint8Array | undefined;
    opened.fromProvider = (kind, payload) => {
      if (kind !== FRAME.receipt) return payload;
      receipt ??= payload;
      return undefined;
    };
    await opened.requester.send(input("x")).answer;
    await expect.poll(() => receipt).toBeDefined();
    const { body } = openEnvelope(receiptMessage, receipt!);
    const greedy = await seal(receiptMessage, { ...body, amount: microCredits(body.amount + 1n) }, [
      them.signer,
    ]);
    opened.requester.frame(FRAME.receipt, greedy);
    await sessionEndsWith(opened.requester, "bad-receipt");
  });

  test("an outcome for a task that was never sent, or sent twice, is refused", async () => {
    const opened = await open();
    let copy: Uint8Array | undefined;
    opened.fromProvider = (kind, payload) => {
      if (kind === FRAME.outcome) copy ??= payload;
      return payload;
    };
    await opened.requester.send(input("x")).answer;
    expect(() => opened.requester.frame(FRAME.outcome, copy!)).toThrow(FailureError);
    const [leaf, data] = splitHeader(copy!);
    const other = encode(outcomeSchema, { ...decode(outcomeSchema, leaf), seq: 77 });
    expect(() =>
      opened.requester.frame(FRAME.outcome, concatBytes(headerLength(other), other, data)),
    ).toThrow(FailureError);
  });

  test("input that does not hash to its CID is not worked on", async () => {
    const opened = await open();
    const lying = { ...input("real"), cid: cidOf(RAW, new TextEncoder().encode("claimed")) };
    const task = opened.requester.send(lying);
    await failureOf(task.answer);
    await sessionEndsWith(opened.provider, "content-mismatch");
  });

  test("malformed frames end the session with a failure that says so, never with a crash", async () => {
    for (const kind of [FRAME.task, FRAME.taskData, FRAME.advance, FRAME.open, 200]) {
      const opened = await leasePair({ module: ECHO });
      expect(() => opened.provider.frame(kind, Uint8Array.of(0xff, 1, 2, 3, 4))).toThrow(FailureError);
      expect(() => opened.requester.frame(kind, Uint8Array.of(0xff, 1, 2, 3, 4))).toThrow(FailureError);
      opened.stop();
    }
  });

  test("inputs beyond what the lease lets the provider hold are refused, and a requester does not send them", async () => {
    const { requester, provider } = await open({ module: LOOP, lease: { holdBytes: 1_000 } });
    requester.send(big(600));
    expect(requester.hasRoom).toBe(true);
    requester.send(big(600));
    expect(requester.hasRoom).toBe(false);
    requester.send(big(1));
    await sessionEndsWith(provider, "window-exceeded");
  });

  test("an output that cannot be right ends the session before anything is signed for it", async () => {
    const { requester, saved } = await open();
    const first = requester.send(input("right"));
    await first.final;
    await expect.poll(() => requester.channel.report()?.body.count).toBe(1);
    const task = requester.send({ ...input("wrong"), check: refuse });
    expect((await failureOf(task.answer)).detail).toBe("not what the model writes");
    await sessionEndsWith(requester, "content-mismatch");
    expect(requester.channel.report()?.body.count).toBe(1);
    expect(saved.every(({ count }) => count <= 1)).toBe(true);
  });

  test("the budget has to cover the input as well as the output", async () => {
    const limits = { fuel: fuel(1_000), memory: 16 * 1024 * 1024, output: 1_024, deadlineMs: 10_000 };
    // Fuel, task and instantiation take 13 micro-credits at the limits and the output 1: 3 KiB of input are covered, 20 are not.
    const { requester } = await open({ job: { limits }, lease: { budget: microCredits(17) } });
    const [small, large] = [requester.send(big(1_024)), requester.send(big(20 * 1_024))];
    expect((await small.answer).kind).toBe("done");
    expect(await large.answer).toMatchObject({ kind: "failed", code: failureCode("over-budget") });
    await large.final;
    expect(requester.channel.receipt?.body.amount).toBeLessThanOrEqual(17n);
  });

  test("a provider does not work beyond the lease's budget", async () => {
    const { requester } = await open({ lease: { budget: microCredits(20) } });
    const task = requester.send(input("x"));
    expect(await task.answer).toMatchObject({ kind: "failed", code: failureCode("over-budget") });
    await task.final;
    expect(requester.channel.receipt?.body.amount).toBe(0n);
  });
});

import { afterEach, describe, expect, test } from "vitest";
import wabtInit from "wabt";
import { concatBytes, u32be } from "../protocol/bytes.ts";
import { cidOf, RAW } from "../protocol/cid.ts";
import { failureCode, type FailureName } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import { outcomeSchema } from "../protocol/messages/task.ts";
import { decode, encode } from "../protocol/schema.ts";
import { opensSeal } from "../protocol/seal-outcome.ts";
import { fuel, microCredits } from "../protocol/units.ts";
import { FRAME, headerLength, splitHeader, splitSeq } from "../protocol/work-frame.ts";
import { type LeasePair, leasePair, type PairOptions, seed } from "./lease-pair.contract.ts";
import type { SentTask } from "./task-answers.ts";

const wabt = await wabtInit();

/** Returns its input, and aborts where it begins with "x". */
const ECHO = new Uint8Array(
  wabt
    .parseWat(
      "echo.wat",
      `(module (memory (export "memory") 64 128)
  (func (export "tabmesh_alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "tabmesh_run") (param i32 i32) (result i64)
    (if (i32.eq (i32.load8_u (i32.const 1024)) (i32.const 120)) (then (unreachable)))
    (i64.or (i64.shl (i64.extend_i32_u (local.get 0)) (i64.const 32)) (i64.extend_i32_u (local.get 1)))))`,
    )
    .toBinary({}).buffer,
);

const REPLICATED = { policy: "sampled", k: 2, disclosure: "relay", drawCommit: new Uint8Array(32) } as const;
const pairs: LeasePair[] = [];
afterEach(() => {
  for (const pair of pairs.splice(0)) pair.stop();
});

async function open(options: Partial<PairOptions> = {}): Promise<LeasePair> {
  const pair = await leasePair({ module: ECHO, ...options, job: { verify: REPLICATED, ...options.job } });
  pairs.push(pair);
  return pair;
}

function send({ requester }: LeasePair, text: string): SentTask {
  const bytes = new TextEncoder().encode(text);
  return requester.send({ bytes, cid: cidOf(RAW, bytes), seed: seed(8) });
}

/** Payloads of each kind of frame that come from the provider, as they come. */
function listen(pair: LeasePair): ReadonlyMap<number, Uint8Array[]> {
  const heard = new Map<number, Uint8Array[]>();
  pair.fromProvider = (kind, payload) => {
    heard.set(kind, [...(heard.get(kind) ?? []), payload.slice()]);
    return payload;
  };
  return heard;
}

async function endsWith(
  session: { ended: Promise<FailureError | undefined> },
  name: FailureName,
): Promise<void> {
  expect((await session.ended)?.code).toBe(failureCode(name));
}

describe("a replica", () => {
  test("shows its outcome when it is asked for, and is paid for it then", async () => {
    const pair = await open();
    const heard = listen(pair);
    const task = send(pair, "answer");
    await task.sealed;
    expect(pair.requester.channel.sealed).toEqual([0]);
    pair.requester.unseal(0);
    expect(await task.answer).toMatchObject({ kind: "done", output: new TextEncoder().encode("answer") });
    await task.final;
    await pair.requester.close();
    expect(pair.requester.channel.report()?.body).toMatchObject({ count: 1, payable: 1, final: true });
    const [, seal] = splitSeq(heard.get(FRAME.seal)?.[0] ?? new Uint8Array());
    const [leaf] = splitHeader(heard.get(FRAME.outcome)?.[0] ?? new Uint8Array());
    const outcome = decode(outcomeSchema, leaf);
    expect(opensSeal(seal, outcome, outcome.seal ?? new Uint8Array())).toBe(true);
  });

  test("says nothing of its outcome before it is asked: what arrives could be the seal of anything", async () => {
    const [one, other] = [await open(), await open()];
    const heard = [listen(one), listen(other)];
    await Promise.all([send(one, "the same").sealed, send(other, "the same").sealed]);
    for (const frames of heard)
      expect([...frames.keys()].filter((kind) => kind !== FRAME.accept)).toEqual([FRAME.seal]);
    const seals = heard.map((frames) => frames.get(FRAME.seal)?.[0]);
    expect(seals[0]).toHaveLength(36);
    // The same task, lease and outcome, and yet another seal.
    expect(one.order.lease.body.instance).toBe(other.order.lease.body.instance);
    expect(seals[0]).not.toEqual(seals[1]);
  });

  test("that traps is sealed too, since that is paid", async () => {
    const pair = await open();
    const task = send(pair, "x");
    await task.sealed;
    expect(pair.requester.channel.sealed).toEqual([0]);
    pair.requester.unseal(0);
    expect(await task.answer).toMatchObject({ kind: "failed", code: failureCode("trap-unreachable") });
  });

  test("says at once what is not paid", async () => {
    const pair = await open({ lease: { budget: microCredits(20) } });
    const heard = listen(pair);
    expect(await send(pair, "dear").answer).toMatchObject({
      kind: "failed",
      code: failureCode("over-budget"),
    });
    expect(heard.has(FRAME.seal)).toBe(false);
  });

  test("does not work beyond its window on what nobody has asked for", async () => {
    const pair = await open({ lease: { windowMax: 2 } });
    const sent = Array.from({ length: 6 }, (_, i) => send(pair, `${i}`));
    await expect.poll(() => pair.requester.channel.sealed).toEqual([0, 1, 2, 3]);
    await expect.poll(() => pair.requester.channel.named).toBe(6);
    expect(pair.provider.channel.mayTell()).toBe(false);
    for (const { seq } of sent.slice(0, 4)) pair.requester.unseal(seq);
    await sent[5]?.sealed;
    expect(pair.requester.channel.sealed).toEqual([4, 5]);
  });

  test("counts what is sealed at what it cost, where its budget is concerned", async () => {
    const limits = { fuel: fuel(1_000), memory: 16 * 1024 * 1024, output: 1_024, deadlineMs: 10_000 };
    // At its limits a task costs 15 micro-credits, and really 14: two are covered, and not a third.
    const pair = await open({ job: { limits }, lease: { budget: microCredits(30) } });
    const sent = ["a", "b", "c"].map((text) => send(pair, text));
    await Promise.all(sent.slice(0, 2).map(({ sealed }) => sealed));
    expect(await sent[2]?.answer).toMatchObject({ kind: "failed", code: failureCode("over-budget") });
    for (const { seq } of sent.slice(0, 2)) pair.requester.unseal(seq);
    await Promise.all(sent.map(({ final }) => final));
    expect(pair.requester.channel.receipt?.body.amount).toBeLessThanOrEqual(30n);
  });

  test("is paid for what it had sealed when the job is cancelled", async () => {
    const pair = await open();
    const task = send(pair, "done by then");
    await task.sealed;
    await pair.requester.cancel();
    expect(await task.answer).toMatchObject({ kind: "done" });
    expect(pair.requester.channel.report()?.body).toMatchObject({ payable: 1, final: true });
  });

  test("that leaves takes what it had sealed with it, unpaid", async () => {
    const pair = await open();
    const task = send(pair, "never shown");
    await task.sealed;
    await pair.provider.drain("draining");
    await expect(task.answer).rejects.toThrow(FailureError);
    expect(await pair.requester.ended).toBeInstanceOf(FailureError);
    expect(pair.requester.channel.receipt?.body.amount ?? 0n).toBe(0n);
  });
});

describe("a replica that drains", () => {
  test("is not disturbed by being asked for what it returns", async () => {
    const pair = await open();
    const task = send(pair, "crossing");
    await task.sealed;
    void pair.provider.drain("draining");
    expect(() => pair.provider.frame(FRAME.unseal, u32be(0))).not.toThrow();
    expect(pair.provider.channel.count).toBe(0);
  });
});

describe("threats on sealed outcomes", () => {
  test("a replica that changes its outcome after the seal is found out", async () => {
    const pair = await open();
    const copied = new TextEncoder().encode("what another one said");
    pair.fromProvider = (kind, payload) => {
      if (kind !== FRAME.outcome) return payload;
      const outcome = decode(outcomeSchema, splitHeader(payload)[0]);
      const leaf = encode(outcomeSchema, { ...outcome, outputCid: cidOf(RAW, copied), size: copied.length });
      return concatBytes(headerLength(leaf), leaf, copied);
    };
    const task = send(pair, "mine");
    await task.sealed;
    pair.requester.unseal(0);
    await expect(task.answer).rejects.toThrow("is not the one that was sealed");
    await endsWith(pair.requester, "bad-receipt");
    expect(pair.requester.channel.report()).toBeUndefined();
  });

  test("a replica that changes the nonce of its seal is found out", async () => {
    const pair = await open();
    pair.fromProvider = (kind, payload) => {
      if (kind !== FRAME.outcome) return payload;
      const [encoded, data] = splitHeader(payload);
      const leaf = encode(outcomeSchema, { ...decode(outcomeSchema, encoded), seal: new Uint8Array(32) });
      return concatBytes(headerLength(leaf), leaf, data);
    };
    const task = send(pair, "mine");
    await task.sealed;
    pair.requester.unseal(0);
    await endsWith(pair.requester, "bad-receipt");
  });

  test("a replica that shows its outcome unasked ends the session", async () => {
    const pair = await open();
    const task = send(pair, "eager");
    await task.sealed;
    // As a provider with another program does: it goes on as if it had been asked.
    pair.provider.frame(FRAME.unseal, u32be(0));
    await expect(task.answer).rejects.toThrow("shown before it was asked for");
    await endsWith(pair.requester, "bad-receipt");
  });

  test("a replica that shows an outcome without any seal ends the session", async () => {
    const pair = await open();
    pair.fromProvider = (kind, payload) => (kind === FRAME.seal ? undefined : payload);
    const task = send(pair, "unsealed");
    await expect.poll(() => pair.provider.channel.mayTell()).toBe(true);
    await expect
      .poll(() => {
        try {
          pair.provider.frame(FRAME.unseal, u32be(0));
          return true;
        } catch {
          return false;
        }
      })
      .toBe(true);
    await expect(task.answer).rejects.toThrow("was not sealed");
  });

  test("a second seal, one for no task, and one where nothing is sealed have no place", async () => {
    const pair = await open();
    await send(pair, "once").sealed;
    const frame = concatBytes(u32be(0), new Uint8Array(32));
    expect(() => pair.requester.frame(FRAME.seal, frame)).toThrow(FailureError);
    expect(() => pair.requester.frame(FRAME.seal, concatBytes(u32be(7), new Uint8Array(32)))).toThrow(
      FailureError,
    );
    const single = await leasePair({ module: ECHO });
    pairs.push(single);
    single.fromProvider = () => undefined;
    send(single, "of one provider");
    expect(() => single.requester.frame(FRAME.seal, frame)).toThrow(FailureError);
    expect(() => single.provider.frame(FRAME.unseal, u32be(0))).toThrow(FailureError);
  });
});

import { afterEach, describe, expect, test } from "vitest";
import wabtInit from "wabt";
import { concatBytes } from "../protocol/bytes.ts";
import { DEFAULT_AUDIT_POLICY } from "../protocol/audit-policy.ts";
import { cidOf, RAW } from "../protocol/cid.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import { outcomeSchema } from "../protocol/messages/task.ts";
import { decode, encode } from "../protocol/schema.ts";
import { microCredits } from "../protocol/units.ts";
import { FRAME, headerLength, splitHeader } from "../protocol/work-frame.ts";
import type { Finding } from "./ask-referee.ts";
import type { Vote } from "./ballot.ts";
import type { MapResult } from "./job-options.ts";
import type { Member } from "./lease-crew.ts";
import { type LeasePair, leasePair, type PairOptions, sha256 } from "./lease-pair.contract.ts";
import { Pace } from "./pace.ts";
import { Quorum, type QuorumPorts } from "./quorum.ts";
import type { Standing } from "./standings.ts";
import { type WorkItem, WorkQueue } from "./work-queue.ts";

const wabt = await wabtInit();

/** Adds `step` to the first byte of its input, and aborts where that is 120. */
function adder(step: number): Uint8Array {
  const text = `(module (memory (export "memory") 1 2)
  (func (export "tabmesh_alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "tabmesh_run") (param i32 i32) (result i64)
    (if (i32.eq (i32.load8_u (i32.const 1024)) (i32.const 120)) (then (unreachable)))
    (i32.store8 (i32.const 1024) (i32.add (i32.const ${step}) (i32.load8_u (i32.const 1024))))
    (i64.or (i64.shl (i64.extend_i32_u (local.get 0)) (i64.const 32)) (i64.extend_i32_u (local.get 1)))))`;
  return new Uint8Array(wabt.parseWat("add.wat", text).toBinary({}).buffer);
}

const HONEST = adder(1);
const FALSE = adder(2);
const VERIFY = { policy: "sampled", k: 2, disclosure: "relay", drawCommit: new Uint8Array(32) } as const;
/** Two shared cores are slow at times. */
const PATIENCE = { timeout: 8_000 };
const RECORD: Standing = { passed: 20, isBarred: false };

const pairs: LeasePair[] = [];
const members: Member[] = [];
afterEach(() => {
  members.length = 0;
  for (const pair of pairs.splice(0)) pair.stop();
});

/** One more provider for the job. */
async function join(options: Partial<PairOptions> = {}): Promise<LeasePair> {
  const place = 40 + 2 * pairs.length;
  const pair = await leasePair({
    module: HONEST,
    seeds: [place, place + 1],
    ...options,
    job: { verify: VERIFY, ...options.job },
  });
  pairs.push(pair);
  const session = pair.requester;
  const member = { session, pace: new Pace(8), transport: Promise.resolve(undefined) };
  members.push(member);
  void session.ended.then(() => members.splice(members.indexOf(member), 1));
  return pair;
}

/** Says what is right, as whoever computes it again can. */
async function recompute({ answer }: Vote, { bytes }: WorkItem): Promise<Finding> {
  const right = Uint8Array.of((bytes[0] ?? 0) + 1, ...bytes.subarray(1));
  return answer.kind === "done" && answer.outcome.outputCid === cidOf(RAW, right) ? "match" : "mismatch";
}

interface Votes {
  readonly quorum: Quorum;
  readonly results: ReadonlyMap<number, MapResult>;
  readonly notes: readonly string[];
  /** Looks for work to give. */
  look(): void;
}

function compute(inputs: readonly string[], changes: Partial<QuorumPorts> = {}): Votes {
  const results = new Map<number, MapResult>();
  const notes: string[] = [];
  async function* source(): AsyncGenerator<Uint8Array> {
    for (const input of inputs) yield new TextEncoder().encode(input);
  }
  const queue = new WorkQueue(source(), new Uint8Array(16), sha256);
  let turn: Promise<void> = Promise.resolve();
  const look = (): void => {
    turn = turn.then(() => quorum.assign({ members }, queue, () => true));
  };
  const quorum = new Quorum({
    replicas: 2,
    parallel: 3,
    policy: DEFAULT_AUDIT_POLICY,
    standing: () => Promise.resolve(RECORD),
    referee: recompute,
    patienceMs: 5_000,
    signal: new AbortController().signal,
    onResult: ({ index }, result) => void results.set(index, result),
    onChange(note) {
      if (note !== undefined) notes.push(note);
      look();
    },
    ...changes,
  });
  look();
  return { quorum, results, notes, look };
}

async function all({ results, quorum }: Votes, count: number): Promise<readonly MapResult[]> {
  await expect.poll(() => results.size, PATIENCE).toBe(count);
  await expect.poll(() => quorum.underWay, PATIENCE).toBe(0);
  return [...results.values()];
}

function outputOf(result: MapResult | undefined): string | undefined {
  return result?.kind === "done" ? new TextDecoder().decode(result.output) : undefined;
}

/** Kinds of frames that go to a provider, as they go. */
function overhear(pair: LeasePair): readonly number[] {
  const kinds: number[] = [];
  pair.fromRequester = (kind, payload) => {
    kinds.push(kind);
    return payload;
  };
  return kinds;
}

describe("a quorum", () => {
  test("gives what two providers with a record agree on, and pays both", async () => {
    const [one, other] = [await join(), await join()];
    const votes = compute(["a", "b", "c"]);
    await all(votes, 3);
    expect([0, 1, 2].map((index) => outputOf(votes.results.get(index)))).toEqual(["b", "c", "d"]);
    expect(votes.quorum.counts).toEqual({ agreed: 3, disputed: 0 });
    for (const { requester } of [one, other]) expect(requester.channel.receipt?.body.payable).toBe(3);
    // Nothing is kept that nobody will ask about.
    for (const { requester } of [one, other]) expect(requester.channel.shown(0)).toBeUndefined();
  });

  test("asks nobody to show an outcome before all have sealed theirs", async () => {
    const [one, other] = [await join(), await join()];
    const heard = overhear(one);
    let late: Uint8Array | undefined;
    other.fromProvider = (kind, payload) => {
      if (kind !== FRAME.seal || late !== undefined) return payload;
      late = payload.slice();
      return undefined;
    };
    const votes = compute(["a"]);
    await expect.poll(() => one.requester.channel.sealed, PATIENCE).toEqual([0]);
    await expect.poll(() => late, PATIENCE).toBeDefined();
    await expect.poll(() => one.requester.channel.named, PATIENCE).toBe(1);
    expect(heard).not.toContain(FRAME.unseal);
    expect(votes.results.size).toBe(0);
    other.requester.frame(FRAME.seal, late!);
    await all(votes, 1);
    expect(heard).toContain(FRAME.unseal);
  });

  test("tells a provider nothing of what another one has said: copying has nothing to go by", async () => {
    await join();
    const heard = overhear(await join());
    await all(compute(["a", "b"]), 2);
    const before = heard.slice(0, heard.indexOf(FRAME.unseal));
    expect(new Set(before)).toEqual(
      new Set([FRAME.task, ...before.filter((kind) => kind === FRAME.advance)]),
    );
    expect(heard.includes(FRAME.outcome)).toBe(false);
  });

  test("replaces a provider that dies between its seal and its outcome", async () => {
    const [, dying] = [await join(), await join()];
    dying.fromRequester = (kind, payload) => {
      if (kind !== FRAME.unseal) return payload;
      dying.provider.fail(new FailureError("closed", "the tab was closed"));
      return undefined;
    };
    const votes = compute(["a"]);
    await expect.poll(() => members.length, PATIENCE).toBe(1);
    expect(votes.results.size).toBe(0);
    await join();
    votes.look();
    const [result] = await all(votes, 1);
    expect(outputOf(result)).toBe("b");
  });

  test("replaces a provider that shows another outcome than it sealed", async () => {
    const [, turncoat] = [await join(), await join()];
    const copied = new TextEncoder().encode("b");
    turncoat.fromProvider = (kind, payload) => {
      if (kind !== FRAME.outcome) return payload;
      const outcome = decode(outcomeSchema, splitHeader(payload)[0]);
      const leaf = encode(outcomeSchema, {
        ...outcome,
        fuel: outcome.fuel,
        outputCid: cidOf(RAW, copied),
        size: 1,
        seal: new Uint8Array(32),
      });
      return concatBytes(headerLength(leaf), leaf, copied);
    };
    const votes = compute(["a"]);
    expect((await turncoat.requester.ended)?.code).toBe(failureCode("bad-receipt"));
    await join();
    votes.look();
    await all(votes, 1);
    expect(turncoat.requester.channel.report()).toBeUndefined();
  });

  test("has the referee decide where one of two lies, and goes on without the liar", async () => {
    const [, liar] = [await join(), await join({ module: FALSE })];
    const votes = compute(["a"]);
    const [result] = await all(votes, 1);
    expect(outputOf(result)).toBe("b");
    expect(votes.quorum.counts).toEqual({ agreed: 0, disputed: 1 });
    expect((await liar.requester.ended)?.code).toBe(failureCode("verification-failed"));
    expect(members).toHaveLength(1);
  });

  test("asks one more where the records are too thin, and takes what all three say", async () => {
    for (let i = 0; i < 3; i += 1) await join();
    const votes = compute(["a"], { standing: () => Promise.resolve({ passed: 0, isBarred: false }) });
    expect(outputOf((await all(votes, 1))[0])).toBe("b");
    for (const { requester } of pairs) expect(requester.channel.receipt?.body.payable).toBe(1);
    expect(votes.notes).toEqual(["input 0 needs one more provider to be sure of its result"]);
  });

  test("does without one more when audits that were passed meanwhile are enough", async () => {
    for (let i = 0; i < 2; i += 1) await join();
    let asked = 0;
    const votes = compute(["a"], {
      parallel: 4,
      patienceMs: 20_000,
      referee: () => Promise.reject(new FailureError("unsupported", "no referee here")),
      standing: () => Promise.resolve({ passed: (asked += 1) > 4 ? 5 : 0, isBarred: false }),
    });
    const [result] = await all(votes, 1);
    expect(outputOf(result)).toBe("b");
  });

  test("takes nobody's word who is barred", async () => {
    const [, barred] = [await join(), await join()];
    const { provider } = barred.order.lease.body;
    const votes = compute(["a"], {
      standing: (peer) => Promise.resolve({ ...RECORD, isBarred: peer === provider }),
    });
    await expect.poll(() => votes.quorum.wants, PATIENCE).toBe(true);
    expect(votes.results.size).toBe(0);
    await join();
    votes.look();
    await all(votes, 1);
    expect(pairs.map(({ requester }) => requester.channel.receipt?.body.payable)).toEqual([1, 1, 1]);
  });

  test("agrees on a function's own failure, and replaces who has no budget for the task", async () => {
    const [, poor] = [await join(), await join({ lease: { budget: microCredits(3) } })];
    const votes = compute(["x"]);
    await expect.poll(() => poor.requester.isOpen, PATIENCE).toBe(false);
    await join();
    votes.look();
    const [result] = await all(votes, 1);
    expect(result).toMatchObject({ kind: "failed", code: failureCode("trap-unreachable") });
  });

  test("says that nobody could say, where they disagree and nobody can recompute it", async () => {
    await join();
    await join({ module: FALSE });
    const votes = compute(["a"], {
      referee: () => Promise.reject(new FailureError("unsupported", "no referee here")),
    });
    const [result] = await all(votes, 1);
    expect(result).toMatchObject({ kind: "failed", code: failureCode("verification-failed") });
    expect(votes.notes).toContain("a result could not be recomputed: no referee here");
  });

  test("never gives one input to a provider twice, however many sessions it has", async () => {
    const one = await join();
    await join({ seeds: [40, 77] });
    const votes = compute(["a"]);
    expect(votes.quorum.underWay).toBe(0);
    await join();
    votes.look();
    await all(votes, 1);
    expect(one.order.lease.body.provider).toBe(pairs[1]?.order.lease.body.provider);
    const paid = pairs.slice(0, 2).map(({ requester }) => requester.channel.sent);
    expect(Math.max(...paid)).toBe(1);
    expect(Math.min(...paid)).toBe(0);
  });
});

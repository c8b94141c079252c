import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cidOf, RAW } from "../protocol/cid.ts";
import { header } from "../protocol/header.ts";
import type { Job } from "../protocol/messages/job.ts";
import type { Offer } from "../protocol/messages/session.ts";
import { type PeerId, peerIdFromKey } from "../protocol/peer-id.ts";
import type { Tariff } from "../protocol/tariff.ts";
import { fuel, microCredits } from "../protocol/units.ts";
import { type Candidate, describeReasons, matchJob } from "./match-job.ts";

const head = header("localhost/log", "test:localhost/log");
const cid = cidOf(RAW, new Uint8Array(0));

function tariffOf(perTask: number): Tariff {
  const nothing = microCredits(0);
  return { perGfuel: nothing, perTask: microCredits(perTask), perKiB: nothing, perInstantiation: nothing };
}

function peer(number: number): PeerId {
  return peerIdFromKey(new Uint8Array(32).fill(number));
}

function jobOf(changes: Partial<Job> = {}): Job {
  return {
    ...head,
    requester: peer(250),
    payer: peer(250),
    nonce: new Uint8Array(16),
    issuedAt: 0,
    expires: 1,
    work: { kind: "function", cid, entry: "run", abi: "bytes-1", profile: 0, effects: [] },
    argsCid: cid,
    limits: { fuel: fuel(1), memory: 65_536, output: 0, deadlineMs: 1 },
    maxTasks: 1,
    parallel: 1,
    cap: microCredits(1),
    tariffMax: tariffOf(10),
    verify: { policy: "sampled", k: 1, disclosure: "relay", drawCommit: new Uint8Array(32) },
    ...changes,
  };
}

function candidate(number: number, changes: Partial<Offer> = {}, free = 2): Candidate {
  const offer: Offer = {
    ...head,
    provider: peer(number),
    instance: peer(number),
    seq: 1,
    workers: 4,
    free,
    memoryBytes: 1 << 30,
    profiles: [0],
    abis: ["bytes-1", "wasi-p1"],
    tariffMin: tariffOf(5),
    addresses: ["/webrtc"],
    ...changes,
  };
  return { offer, free };
}

const rules = { tariff: tariffOf(10), wanted: 10 };

describe("matching", () => {
  it("prefers who asks less, then who has more free threads", () => {
    const dear = candidate(1, { tariffMin: tariffOf(9) }, 8);
    const busy = candidate(2, {}, 1);
    const idle = candidate(3, {}, 4);
    expect(matchJob(jobOf(), [dear, busy, idle], rules).matches).toEqual([idle, busy, dear]);
    expect(matchJob(jobOf(), [dear, busy, idle], { ...rules, wanted: 1 }).matches).toEqual([idle]);
  });

  it("prefers who holds the job's model, but not at a higher price", () => {
    const model = cidOf(RAW, Uint8Array.of(1));
    const other = cidOf(RAW, Uint8Array.of(2));
    const work = { ...jobOf().work, kind: "model", cid: model } as const;
    const idle = candidate(1, { models: [other] }, 8);
    const holder = candidate(2, { models: [other, model] }, 1);
    const dear = candidate(3, { models: [model], tariffMin: tariffOf(9) }, 8);
    expect(matchJob(jobOf({ work }), [dear, idle, holder], rules).matches).toEqual([holder, idle, dear]);
    expect(matchJob(jobOf(), [dear, idle, holder], rules).matches).toEqual([idle, holder, dear]);
  });

  it("gives a job to those alone whom it names", () => {
    const candidates = [candidate(1), candidate(2), candidate(3, { instance: peer(4) })];
    const { matches, reasons } = matchJob(jobOf({ only: [peer(3), peer(9)] }), candidates, rules);
    expect(matches).toEqual([candidates[2]]);
    expect(reasons).toEqual(new Map([["not asked for", 2]]));
  });

  it("keeps a job from owners of the steps that it is to be apart from, whatever their names", () => {
    const candidates = [candidate(1), candidate(2), candidate(3)];
    const sameOwner = (a: PeerId, b: PeerId): boolean =>
      [a, b].every((each) => each === peer(1) || each === peer(2));
    const job = jobOf({ apartFrom: [peer(1)] });
    expect(matchJob(job, candidates, { ...rules, sameOwner }).matches).toEqual([candidates[2]]);
    expect(matchJob(job, candidates, rules).matches.map(({ offer }) => offer.provider)).not.toContain(
      peer(1),
    );
    expect(matchJob(job, candidates, { ...rules, sameOwner }).reasons.get("too close to another step")).toBe(
      2,
    );
  });

  it("puts first what a job prefers: the longest sound record, or the nearest, whatever they ask", () => {
    const cheap = candidate(1, { tariffMin: tariffOf(1) });
    const proven = candidate(2, { tariffMin: tariffOf(9) });
    const near = candidate(3, { tariffMin: tariffOf(8) });
    const all = [cheap, near, proven];
    const known = {
      ...rules,
      experience: (provider: PeerId): bigint => (provider === peer(2) ? 900n : 5n),
      distanceMs: (instance: PeerId): number | undefined =>
        instance === peer(3) ? 4 : instance === peer(2) ? 80 : undefined,
    };
    expect(matchJob(jobOf({ prefer: "reputation" }), all, known).matches).toEqual([proven, cheap, near]);
    expect(matchJob(jobOf({ prefer: "distance" }), all, known).matches).toEqual([near, proven, cheap]);
    expect(matchJob(jobOf({ prefer: "price" }), all, known).matches).toEqual([cheap, near, proven]);
    expect(matchJob(jobOf(), all, known).matches).toEqual([cheap, near, proven]);
  });

  it("draws a lot where a job wants it fair: each gets its turn, and who made the job cannot say whose", () => {
    const all = [1, 2, 3, 4].map((each) => candidate(each, { tariffMin: tariffOf(each) }));
    const wins = new Map<PeerId, number>();
    for (let draw = 0; draw < 400; draw += 1) {
      const seed = Uint8Array.of(draw & 0xff, draw >> 8);
      const job = jobOf({ prefer: "fair", nonce: new Uint8Array(16).fill(9) });
      const [first] = matchJob(job, all, { ...rules, seed }).matches;
      if (first !== undefined) wins.set(first.offer.provider, (wins.get(first.offer.provider) ?? 0) + 1);
    }
    for (const { offer } of all) expect(wins.get(offer.provider)).toBeGreaterThan(60);
    const seed = Uint8Array.of(7);
    const orders = [1, 2, 3].map(
      (nonce) =>
        matchJob(jobOf({ prefer: "fair", nonce: new Uint8Array(16).fill(nonce) }), all, { ...rules, seed })
          .matches,
    );
    expect(orders[1]).toEqual(orders[0]);
    expect(orders[2]).toEqual(orders[0]);
  });

  it("counts why nobody fits", () => {
    const candidates = [
      candidate(1, { tariffMin: tariffOf(11) }),
      candidate(2, { profiles: [1] }),
      candidate(3, { abis: ["wasi-p1"] }),
      candidate(4, { memoryBytes: 1 }),
      candidate(5, { addresses: [] }),
      { ...candidate(11), rates: { function: 999n } },
      { ...candidate(12), rates: { function: 999n } },
      candidate(6, {}, 0),
      candidate(7, {}, 0),
      candidate(8),
      candidate(9),
      candidate(10),
    ];
    const { matches, reasons } = matchJob(jobOf(), candidates, {
      ...rules,
      holders: new Set([peer(8)]),
      returned: new Set([peer(9)]),
      denied: (identity) => identity === peer(10),
    });
    expect(matches).toEqual([]);
    expect(Object.fromEntries(reasons)).toEqual({
      denied: 1,
      "at work on it": 1,
      "gave it back": 1,
      "asks more": 1,
      "lacks the profile": 1,
      "lacks the interface": 1,
      "too little memory": 1,
      "too slow": 2,
      unreachable: 1,
      busy: 2,
    });
    expect(describeReasons(reasons)).toMatch(/^12 providers: 1 denied, .*, 2 busy$/u);
    expect(describeReasons(new Map())).toBe("no provider is connected");
  });

  it("gives effects to those alone whose people allow them, by origin or all of a kind", () => {
    const needs = ["fetch https://example.org", "fetch https://other.example"];
    const work = {
      ...jobOf().work,
      kind: "effect",
      entry: "fetch",
      abi: "effect-1",
      effects: needs,
    } as const;
    const abis = ["effect-1"] as const;
    const all = candidate(1, { abis, effects: ["time", "fetch"] });
    const both = candidate(2, { abis, effects: needs });
    const one = candidate(3, { abis, effects: ["fetch https://example.org"] });
    const other = candidate(4, { abis, effects: ["time", "random"] });
    const none = candidate(5, { abis });
    const { matches, reasons } = matchJob(jobOf({ work }), [all, both, one, other, none], rules);
    expect(new Set(matches)).toEqual(new Set([all, both]));
    expect([...reasons]).toEqual([["does not allow the effect", 3]]);
  });

  it("refuses who is measured too slow for the deadline, and nobody who was not measured", () => {
    const limits = { ...jobOf().limits, fuel: fuel(1_000_000n), deadlineMs: 100 };
    const slow = { ...candidate(1), rates: { function: 9_999_999n, model: 99_999_999n } };
    const fast = { ...candidate(2), rates: { function: 10_000_000n } };
    const unknown = candidate(3);
    const { matches, reasons } = matchJob(jobOf({ limits }), [slow, fast, unknown], rules);
    expect(new Set(matches)).toEqual(new Set([fast, unknown]));
    expect([...reasons]).toEqual([["too slow", 1]]);
    const work = { ...jobOf().work, kind: "model" } as const;
    expect(matchJob(jobOf({ limits, work }), [slow], rules).matches).toEqual([slow]);
  });

  it("spreads equal providers over jobs, whatever order they came in", () => {
    const candidates = [1, 2, 3, 4].map((number) => candidate(number));
    const winners = Array.from({ length: 32 }, (_, nonce) => {
      const job = jobOf({ nonce: new Uint8Array(16).fill(nonce) });
      const [first] = matchJob(job, candidates, rules).matches;
      expect(matchJob(job, candidates.toReversed(), rules).matches[0]).toEqual(first);
      return first!.offer.instance;
    });
    expect(new Set(winners).size).toBe(4);
  });

  it("answers for every candidate: matched, or counted once", () => {
    const any = fc.record({
      number: fc.integer({ min: 1, max: 200 }),
      free: fc.integer({ min: 0, max: 2 }),
      price: fc.integer({ min: 0, max: 20 }),
      profile: fc.integer({ min: 0, max: 1 }),
    });
    fc.assert(
      fc.property(fc.array(any), (all) => {
        const candidates = all.map(({ number, free, price, profile }) =>
          candidate(number, { tariffMin: tariffOf(price), profiles: [profile] }, free),
        );
        const { matches, reasons } = matchJob(jobOf(), candidates, { ...rules, wanted: all.length });
        const refused = [...reasons.values()].reduce((sum, count) => sum + count, 0);
        expect(matches.length + refused).toBe(all.length);
        for (const { offer, free } of matches) {
          expect(free).toBeGreaterThan(0);
          expect(offer.tariffMin.perTask).toBeLessThanOrEqual(10n);
        }
      }),
    );
  });
});

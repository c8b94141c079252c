import { describe, expect, it } from "vitest";
import { type Cid, cidOf, RAW } from "../protocol/cid.ts";
import { FailureError } from "../protocol/failure.ts";
import { peerIdFromKey } from "../protocol/peer-id.ts";
import type { JobView } from "../protocol/relay-api.ts";
import { encodeUtf8 } from "../protocol/text.ts";
import { fuel, microCredits } from "../protocol/units.ts";
import { Provisional } from "./provisional.ts";
import type { WorkItem } from "./work-queue.ts";

const provider = peerIdFromKey(new Uint8Array(32).fill(1));

function named(name: string): Cid {
  return cidOf(RAW, encodeUtf8(name));
}

function item(index: number): WorkItem {
  return { index, bytes: Uint8Array.of(index), cid: named("input"), seed: new Uint8Array(32), attempts: 1 };
}

function result(index: number): Parameters<Provisional["hold"]>[2] {
  return {
    kind: "done",
    index,
    output: Uint8Array.of(index, index),
    outputCid: named("output"),
    fuel: fuel(1),
    provider,
  };
}

type LeaseView = JobView["leases"][number];

function lease(name: string, changes: Partial<LeaseView>): LeaseView {
  return {
    lease: named(name),
    provider,
    state: "settled",
    count: 1,
    amount: microCredits(1),
    drawn: 0,
    judged: 0,
    forfeited: microCredits(0),
    ...changes,
  };
}

/** Answers of a relay, one after the other; the last one again and again. */
function relayOf(...answers: readonly (readonly LeaseView[] | FailureError)[]): {
  readonly asked: () => number;
  readonly job: (id: Cid) => Promise<JobView>;
} {
  let at = 0;
  return {
    asked: () => at,
    async job(id) {
      const answer = answers[Math.min(at, answers.length - 1)];
      at += 1;
      if (answer === undefined) throw new RangeError("no answer");
      if (answer instanceof FailureError) throw answer;
      const nothing = microCredits(0);
      return { job: id, state: "open", cap: nothing, spent: nothing, refunded: nothing, leases: answer };
    },
  };
}

function watch(
  client: { job(id: Cid): Promise<JobView> },
  signal: AbortSignal = new AbortController().signal,
  patienceMs = 60_000,
) {
  const notes: string[] = [];
  return {
    notes,
    watch: { client, job: named("job"), signal, patienceMs, onWait: (note: string) => notes.push(note) },
  };
}

describe("results that wait for their audits", () => {
  it("are certain when everything drawn of their lease has a verdict", async () => {
    const held = new Provisional();
    held.hold([named("a")], item(0), result(0));
    const relay = relayOf([lease("a", { drawn: 3, judged: 1 })], [lease("a", { drawn: 3, judged: 3 })]);
    const { notes, watch: asked } = watch(relay);
    const { certain, voided } = await held.judged(asked);
    expect(certain.map(({ index }) => index)).toEqual([0]);
    expect(voided).toEqual([]);
    expect(relay.asked()).toBe(2);
    expect(notes).toEqual(["1 of 3 audits are over"]);
  });

  it("are given back to be computed again when an audit took their pay, those of other leases not", async () => {
    const held = new Provisional();
    held.hold([named("a")], item(0), result(0));
    held.hold([named("b")], item(1), result(1));
    held.hold([named("a")], item(2), result(2));
    const relay = relayOf([
      lease("a", { count: 2, drawn: 2, judged: 1, forfeited: microCredits(5) }),
      lease("b", { drawn: 1, judged: 1 }),
    ]);
    const { certain, voided } = await held.judged(watch(relay).watch);
    expect(certain.map(({ index }) => index)).toEqual([1]);
    expect(voided.map(({ index }) => index)).toEqual([0, 2]);
  });

  it("wait until a receipt that covers them is logged, and through a relay that is away", async () => {
    const held = new Provisional();
    held.hold([named("a")], item(0), result(0));
    held.hold([named("a")], item(1), result(1));
    const relay = relayOf(
      [],
      new FailureError("disconnected", "away"),
      [lease("a", { count: 1 })],
      [lease("a", { count: 2 })],
    );
    const { notes, watch: asked } = watch(relay);
    await expect(held.judged(asked)).resolves.toMatchObject({ voided: [] });
    expect(relay.asked()).toBe(4);
    expect(notes[1]).toBe("the relay cannot be reached; asking again");
  });

  it("are counted with the bytes they keep, until they are judged", async () => {
    const held = new Provisional();
    held.hold([named("a")], item(0), result(0));
    expect([held.count, held.bytes]).toEqual([1, 3]);
    await held.judged(watch(relayOf([lease("a", {})])).watch);
    expect([held.count, held.bytes]).toEqual([0, 0]);
  });

  it("are computed again where nobody opens what was drawn, however long the relay would wait", async () => {
    const held = new Provisional();
    held.hold([named("a")], item(0), result(0));
    held.hold([named("b")], item(1), result(1));
    const stuck = lease("a", { drawn: 2, judged: 1 });
    const relay = relayOf(
      [stuck, lease("b", { drawn: 1 })],
      [stuck, lease("b", { drawn: 1, judged: 1 })],
      [stuck],
    );
    const { certain, voided } = await held.judged(watch(relay, undefined, 700).watch);
    expect(certain.map(({ index }) => index)).toEqual([1]);
    expect(voided.map(({ index }) => index)).toEqual([0]);
  });

  it("of several providers hold when all of their leases do, and are computed again once when any is void", async () => {
    const held = new Provisional();
    held.hold([named("a"), named("b")], item(0), result(0));
    held.hold([named("b"), named("c")], item(1), result(1));
    held.hold([named("c"), named("d")], item(2), result(2));
    const judged = { drawn: 1, judged: 1, count: 2 };
    const early = [
      lease("a", judged),
      lease("b", judged),
      lease("c", { drawn: 1, count: 2 }),
      lease("d", judged),
    ];
    const late = [
      lease("a", judged),
      lease("b", judged),
      lease("c", { ...judged, forfeited: microCredits(5) }),
      lease("d", { ...judged, forfeited: microCredits(5) }),
    ];
    const { certain, voided } = await held.judged(watch(relayOf(early, late)).watch);
    expect(certain.map(({ index }) => index)).toEqual([0]);
    expect(voided.map(({ index }) => index)).toEqual([1, 2]);
  });

  it("are waited for no longer than the job lives", async () => {
    const held = new Provisional();
    held.hold([named("a")], item(0), result(0));
    const abort = new AbortController();
    const relay = relayOf([lease("a", { drawn: 1 })]);
    const waiting = held.judged(watch(relay, abort.signal).watch);
    abort.abort(new FailureError("cancelled", "enough"));
    await expect(waiting).rejects.toThrow("enough");
  });
});

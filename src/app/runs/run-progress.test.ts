import { describe, expect, test } from "vitest";
import type { Plan, PlanNode, Source } from "../../plan/plan.ts";
import type { RunEvent } from "../../plan/runner-ports.ts";
import { cidOf, RAW } from "../../protocol/cid.ts";
import { failureCode } from "../../protocol/failure-code.ts";
import { peerIdFromKey } from "../../protocol/peer-id.ts";
import { microCredits } from "../../protocol/units.ts";
import { endedOf, markOf, RunProgress, totalsOf } from "./run-progress.ts";

const PEERS = [1, 2].map((byte) => peerIdFromKey(new Uint8Array(32).fill(byte)));

function wait(value: Source): PlanNode {
  return { kind: "delay", value, ms: 1 };
}

const INSIDE = wait({ from: "param", param: "item" });
const EACH: PlanNode = {
  kind: "map",
  over: { from: "param", param: "list" },
  with: {},
  max: 4,
  parallel: 2,
  graph: { params: {}, nodes: { inside: INSIDE }, result: { from: "node", node: "inside" } },
};
const PLAN: Plan = {
  v: 1,
  name: "progress",
  graph: { params: {}, nodes: { each: EACH }, result: { from: "node", node: "each" } },
};

function ended(iteration: string, attempt = 0, peer = 0, status: "done" | "failed" = "done"): RunEvent {
  const envelope = Uint8Array.of(iteration.length, attempt, peer, Number(iteration));
  return {
    kind: "ended",
    node: "inside",
    iteration,
    attempt,
    receipt: cidOf(RAW, envelope),
    envelope,
    peer: PEERS[peer]!,
    status,
    ...(status === "failed" ? { code: failureCode("out-of-fuel"), detail: "" } : {}),
    inputBytes: 2,
    outputBytes: 3,
    fuel: 10n,
    cost: microCredits(5),
    elapsedMs: 7,
  };
}

const at = (kind: "ready" | "given", iteration: string, attempt = 0): RunEvent => ({
  kind,
  node: "inside",
  iteration,
  attempt,
});

function after(...events: readonly RunEvent[]): RunProgress {
  const progress = new RunProgress();
  for (const event of events) progress.take(event);
  return progress;
}

describe("the progress of a run", () => {
  test("iterations are folded into their node, and what each cost is added up", () => {
    const progress = after(
      at("ready", "0"),
      at("given", "0"),
      at("ready", "1"),
      ended("0"),
      at("ready", "2"),
    );
    expect(progress.of("inside")).toMatchObject({ done: 1, ready: 2, given: 0, cost: 5n, fuel: 10n });
    expect(markOf(progress, "inside", INSIDE)).toBe("running");
    expect(markOf(progress, "each", EACH)).toBe("running");
    expect(totalsOf(progress, PLAN)).toMatchObject({ nodes: 2, nodesEnded: 0, steps: 1 });
  });

  test("an event that is told twice, or late, counts once", () => {
    const once = after(at("ready", "0"), at("given", "0"), ended("0"));
    const often = after(
      at("ready", "0"),
      at("given", "0"),
      ended("0"),
      ended("0"),
      at("given", "0"),
      at("ready", "0"),
    );
    expect(often.of("inside")).toEqual(once.of("inside"));
    expect(often.attemptsAt("inside")).toEqual(once.attemptsAt("inside"));
  });

  test("a lost attempt waits to be given again, and then is told beside the one that ended", () => {
    const lost: RunEvent = {
      kind: "lost",
      node: "inside",
      iteration: "0",
      attempt: 0,
      code: failureCode("disconnected"),
      detail: "gone",
    };
    const progress = after(at("given", "0"), lost);
    expect(progress.of("inside")).toMatchObject({ ready: 1, lost: 1, done: 0 });
    progress.take(at("given", "0", 1));
    progress.take(ended("0", 1, 1));
    expect(progress.of("inside")).toMatchObject({ ready: 0, lost: 1, done: 1 });
    expect(progress.attemptsAt("inside").map(({ state }) => state)).toEqual(["lost", "done"]);
  });

  test("several peers asked for one attempt each have their receipt", () => {
    const progress = after(at("given", "0"), ended("0", 0, 0), ended("0", 0, 1));
    expect(progress.of("inside").peers).toEqual(PEERS);
    expect(endedOf(progress.of("inside"))).toBe(1);
    expect(progress.attemptsAt("inside")).toHaveLength(2);
  });

  test("iterations are told in their order, ten after nine", () => {
    const progress = after(...["10", "9", "2"].map((iteration) => ended(iteration)));
    expect(progress.attemptsAt("inside").map(({ iteration }) => iteration)).toEqual(["2", "9", "10"]);
  });

  test("one that failed marks its node, unless another attempt was done", () => {
    expect(markOf(after(ended("0", 0, 0, "failed")), "inside", INSIDE)).toBe("failed");
    expect(markOf(after(ended("0", 0, 0, "failed"), ended("0", 1)), "inside", INSIDE)).toBe("done");
    expect(markOf(after(), "inside", INSIDE)).toBe("waiting");
    expect(markOf(after(at("ready", "0")), "inside", INSIDE)).toBe("running");
  });
});

import { describe, expect, test } from "vitest";
import { type AuditPolicy, DEFAULT_AUDIT_POLICY } from "../../src/protocol/audit-policy.ts";
import { type Outcome, simulate } from "./outcome.ts";
import { readOptions } from "./options.ts";
import { simulateQuorums } from "./quorum.ts";
import { type Strategy, strategyNamed } from "./strategy.ts";

/** Small markets: three of ten are dishonest, so that chance is small enough. */
function run(
  name: string | Strategy,
  changes: Partial<AuditPolicy> = {},
  seals = true,
  tasks = 300,
): Outcome {
  return simulate({
    strategy: typeof name === "string" ? strategyNamed(name)! : name,
    policy: { ...DEFAULT_AUDIT_POLICY, ...changes },
    providers: 50,
    tasks,
    seed: "test",
    dishonest: 0.3,
    seals,
  });
}

/** Nothing is recomputed. */
const NO_FLOOR = { firstTasks: 0, floorPpm: 0, rateNumerator: 0, lossPpm: 0, requesterPpm: 0, failedPpm: 0 };
/** Becomes known by fewer tasks of its own, so that a small market sees it often. */
const WASHING: Strategy = { ...strategyNamed("washing")!, washes: 60 };

/** Nothing is kept. */
const NO_HOLD = { bondTasks: 0, holdTasks: 0, holdMs: 0 };

describe("by the usual policy", () => {
  test.each(["cheat-5", "cheat-20", "always-cheat", "withhold-openings", "failure-farming"])(
    "%s loses more than it saves, and more than honest work earns",
    (name) => {
      const { lostPerSaved, net, honestBarred, honestLost } = run(name);
      expect(lostPerSaved).toBeGreaterThan(1.5);
      expect(net).toBeLessThan(0.97);
      expect(honestBarred).toBe(0);
      expect(honestLost).toBe(0);
    },
  );

  test("auditors that are with the cheats bar nobody who is honest", () => {
    const { net, honestBarred, honestLost, barred } = run("collude-auditors");
    expect(net).toBeLessThan(0.97);
    expect(barred).toBeGreaterThan(10);
    expect(honestBarred).toBe(0);
    expect(honestLost).toBe(0);
  });

  test("who is not barred twice has nothing either", () => {
    const { barred, net } = run("cheat-20-once");
    expect(barred).toBeLessThanOrEqual(15);
    expect(net).toBeLessThan(0.97);
  });

  test("a requester that hedges pays for everything it had computed", () => {
    const { net, honestLost } = run("hedging");
    expect(net).toBeLessThan(0.05);
    expect(honestLost).toBe(0);
  });

  test("honest ones get all that they earn, and are recomputed less and less", () => {
    const { net, honestLost, overheadAt, overheadAfter500 } = run("honest", {}, true, 700);
    expect(net).toBe(1);
    expect(honestLost).toBe(0);
    expect(overheadAt["500"]).toBeLessThan(overheadAt["100"]!);
    expect(overheadAfter500).toBeLessThan(0.065);
    expect(overheadAfter500).toBeGreaterThan(0.05);
  });

  test("the same seed gives the same market", () => {
    const { seconds: _, ...once } = run("cheat-20");
    const { seconds: __, ...twice } = run("cheat-20");
    expect(twice).toEqual(once);
  });
});

describe("the goals are missed", () => {
  test("without a floor under the rate: lying pays", () => {
    const { net, lostPerSaved, badAccepted } = run("always-cheat", NO_FLOOR);
    expect(net).toBeGreaterThan(0.97);
    expect(lostPerSaved).toBeLessThan(1.5);
    expect(badAccepted).toBeGreaterThan(0.1);
  });

  test("without bond and held pay: false results are accepted before they are found, or nearly all honest work is recomputed", () => {
    const { badAccepted } = run("cheat-20", { ...NO_HOLD, lossPpm: 0 });
    expect(badAccepted).toBeGreaterThan(0.01);
    const { overheadAfter500 } = run("honest", NO_HOLD, true, 700);
    expect(overheadAfter500).toBeGreaterThan(0.1);
  });

  test("without a bond and what money demands: washing pays", () => {
    expect(run(WASHING, { bondTasks: 0, lossPpm: 0 }).net).toBeGreaterThan(0.97);
    expect(run(WASHING).net).toBeLessThan(0.97);
  });

  test("without seals: copying pays", () => {
    expect(run("copy-replica").net).toBeLessThan(0.97);
    expect(run("copy-replica", {}, false).net).toBeGreaterThan(0.97);
  });
});

describe("quorums of two", () => {
  const options = { policy: DEFAULT_AUDIT_POLICY, seed: "test", tasks: 50_000, passed: 30 };

  test("never accept what one made up alone", () => {
    expect(simulateQuorums({ ...options, liars: 0.3, collude: false }).accepted).toBe(0);
  });

  test("accept a shared lie as often as two of the gang are asked", () => {
    const { accepted } = simulateQuorums({ ...options, liars: 0.2, collude: true });
    expect(accepted / 50_000).toBeGreaterThan(0.036);
    expect(accepted / 50_000).toBeLessThan(0.044);
  });

  test("of strangers ask a third, which makes it the cube", () => {
    const { accepted, replicas } = simulateQuorums({ ...options, liars: 0.2, collude: true, passed: 0 });
    expect(accepted / 50_000).toBeLessThan(0.011);
    expect(replicas).toBeGreaterThan(110_000);
  });
});

describe("its options", () => {
  test("are those that the usage names", () => {
    const options = readOptions([
      "--seed",
      "7",
      "--only",
      "cheat-5,washing",
      "--policy",
      '{"holdMs":0}',
      "--json",
    ]);
    if (options === "help") throw new Error("asked for help");
    expect(options.seed).toBe("7");
    expect(options.strategies.map(({ name }) => name)).toEqual(["cheat-5", "washing"]);
    expect(options.policy).toEqual({ ...DEFAULT_AUDIT_POLICY, holdMs: 0 });
    expect(options).toMatchObject({ isUsual: false, json: true, size: undefined });
    expect(readOptions([])).toMatchObject({ isUsual: true });
    expect(readOptions(["--tasks", "50"])).toMatchObject({ size: { providers: 1_000, tasks: 50 } });
  });

  test.each([[["--only", "nobody"]], [["--policy", '{"hold":1}']], [["--tasks", "none"]]])(
    "that mean nothing are refused: %s",
    (args) => {
      expect(() => readOptions(args)).toThrow(RangeError);
    },
  );
});

import { expect, test } from "vitest";
import { fuel, microCredits } from "../../protocol/units.ts";
import type { GovernorReason } from "../../provider/governor/governor-view.ts";
import type { ProviderPhase, ProviderState } from "../../provider/provider-state.ts";
import { pagePhase, shown } from "./frame-state.ts";

function provider(phase: ProviderPhase, reasons: readonly GovernorReason[] = []): ProviderState {
  return {
    phase,
    testMoney: true,
    workers: 1,
    running: [],
    tasksDone: 0,
    tasksFailed: 0,
    fuel: fuel(0),
    tasksPerSecond: 0,
    fuelPerSecond: 0,
    earned: microCredits(0),
    outbox: 0,
    openings: { waiting: 0, opened: 0 },
    governor: { allowed: { workers: 0, cpuPercent: 25, gpu: false }, reasons, untold: [], monthBytes: 0 },
  };
}

test("what the person wants comes before what the provider is still doing", () => {
  expect(shown(provider("working"), "stopped", "seen").phase).toBe("stopping");
  expect(shown(provider("stopped"), "stopped", "seen").phase).toBe("stopped");
  expect(shown(provider("stopped"), "ended", "seen").phase).toBe("ended");
  expect(shown(undefined, "ended", "away").phase).toBe("ended");
  expect(shown(provider("failed"), "stopped", "seen").phase).toBe("stopped");
  expect(shown(provider("working"), "unable", "seen").phase).toBe("unable");
});

test("a page that covers the frame is named before anything else that pauses", () => {
  expect(shown(provider("paused", ["hidden"]), "run", "covered")).toEqual({
    phase: "paused",
    pause: "covered",
  });
  expect(shown(provider("working"), "run", "small")).toEqual({ phase: "paused", pause: "small" });
  expect(shown(provider("working"), "run", "busy")).toEqual({ phase: "paused", pause: "pressure" });
  expect(shown(provider("working"), "run", "away")).toEqual({ phase: "working" });
});

test.each([
  ["on-battery", "on-battery"],
  ["pressure", "pressure"],
  ["save-data", "save-data"],
  ["data-cap", "save-data"],
  ["calming", "calming"],
] as const)("a pause for %s is told as %s", (reason, pause) => {
  expect(shown(provider("paused", [reason]), "run", "seen")).toEqual({ phase: "paused", pause });
});

test("the page learns whether it works, rests or is over, and nothing of why", () => {
  expect(pagePhase({ phase: "reconnecting" })).toBe("starting");
  expect(pagePhase({ phase: "elsewhere" })).toBe("paused");
  expect(pagePhase({ phase: "stopping" })).toBe("stopped");
  expect(pagePhase({ phase: "ended" })).toBe("ended");
  expect(pagePhase({ phase: "unable" })).toBe("failed");
});

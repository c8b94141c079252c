import { describe, expect, it } from "vitest";
import { peerIdFromKey } from "../../protocol/peer-id.ts";
import type { CapabilityRow, StandingView } from "../../protocol/relay-api.ts";
import { microCredits } from "../../protocol/units.ts";
import {
  auditShareText,
  capabilityStateText,
  capabilityText,
  propertyText,
  recordText,
} from "./standing-words.ts";

const nothing = microCredits(0);

function standing(changes: Partial<StandingView>): StandingView {
  return {
    peer: peerIdFromKey(new Uint8Array(32).fill(3)),
    asset: "test:localhost/log",
    pending: nothing,
    held: nothing,
    bond: nothing,
    bondWanted: nothing,
    audited: nothing,
    experience: nothing,
    matched: 0,
    missing: 0,
    mismatched: 0,
    openLeases: 0,
    reasons: [],
    logSize: 1,
    ...changes,
  };
}

function row(changes: Partial<CapabilityRow>): CapabilityRow {
  return {
    property: "fuel",
    value: 2_500_000_000,
    unit: "fuel/s",
    state: "measured",
    isSoftware: false,
    ...changes,
  };
}

describe("how a provider stands, in words", () => {
  it.each([
    [1_000_000, "every one"],
    [800_000, "nearly every one"],
    [500_000, "1 in 2"],
    [50_000, "1 in 20"],
    [0, "none"],
  ])("says of %i parts per million that %s is recomputed", (ppm, text) => {
    expect(auditShareText(ppm)).toBe(text);
  });

  it("counts verdicts, and says nothing of kinds that never happened", () => {
    expect(recordText(standing({}))).toBe("none yet");
    expect(recordText(standing({ matched: 124 }))).toBe("124 right");
    expect(recordText(standing({ matched: 3, missing: 1, mismatched: 2 }))).toBe(
      "3 right, 1 not shown in time, 2 false",
    );
  });

  it("names what was measured with its unit, and a graphics card that is none", () => {
    expect(capabilityText(row({}))).toBe("2.50 Gfuel/s");
    expect(capabilityText(row({ value: 12, unit: "bytes/s" }))).toBe("12 B/s");
    expect(propertyText(row({ property: "webgpu-row", isSoftware: true }))).toBe(
      "Models, graphics card, one row (in software)",
    );
    expect(capabilityStateText(row({ state: "contradicted" }))).toBe("not true");
  });
});

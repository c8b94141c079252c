import { describe, expect, it } from "vitest";
import { relayConfig } from "../../relay/config.ts";
import { microCredits } from "../../protocol/units.ts";
import type { RelayInfo } from "../../protocol/relay-api.ts";
import { DEFAULT_AUDIT_POLICY } from "../../protocol/audit-policy.ts";
import { priceOf } from "../../protocol/tariff.ts";
import { fuel } from "../../protocol/units.ts";
import { type EstimateGround, estimateOf } from "./jobs-estimate.ts";

const { tariff } = relayConfig({ dataDir: "/nowhere" });
const info = { tariff, auditVersion: 1 } as unknown as RelayInfo;

function ground(changes: Partial<EstimateGround> = {}): EstimateGround {
  return {
    info,
    available: microCredits(1_000_000_000n),
    tasks: 100,
    inputBytes: 100_000,
    largestInput: 1_000,
    measured: { samples: 4, failed: 1, fuel: 4_000_000_000n, mostFuel: 2_000_000_000n, outputBytes: 8_000 },
    ...changes,
  };
}

describe("the price of a job", () => {
  it("is what the relay charges for tasks like those that were tried, and its fees", () => {
    const { likely, fees, each } = estimateOf({ parallel: 3 }, ground());
    const totals = { payable: 100, cancelled: 0, fuel: fuel(100_000_000_000n), bytes: 300_000n };
    const fee = DEFAULT_AUDIT_POLICY.leaseFee * 3n;
    expect(fees).toBe(fee);
    expect(likely).toBe(priceOf(tariff, totals, microCredits(0)) + fee);
    expect(each).toBe(
      priceOf(
        tariff,
        { payable: 1, cancelled: 0, fuel: fuel(1_000_000_000n), bytes: 3_000n },
        microCredits(0),
      ),
    );
  });

  it("is as many times as much as tabs compute each input", () => {
    const once = estimateOf({ parallel: 5 }, ground());
    const thrice = estimateOf({ parallel: 5, replicas: 3 }, ground());
    const work = ({ likely, fees }: typeof once): bigint => (likely ?? 0n) - fees;
    expect(Number(work(thrice)) / Number(work(once))).toBeCloseTo(3, 2);
  });

  it("is not known without a dry run; what is set aside is", () => {
    const { likely, cap, mostOfOne } = estimateOf({ fuel: 1_000_000_000n }, ground({ measured: undefined }));
    expect(likely).toBeUndefined();
    expect(cap).toBeGreaterThan(mostOfOne);
  });

  it("what is set aside covers what is likely, and at most half of what there is", () => {
    const { likely, cap } = estimateOf({ fuel: 8_000_000_000n }, ground());
    expect(cap).toBeGreaterThan(likely ?? cap);
    const poor = estimateOf({ fuel: 8_000_000_000n }, ground({ available: microCredits(10_000n) }));
    expect(poor.cap).toBe(5_000n);
  });

  it("a cap below one task at its limits is told before anything is signed", () => {
    expect(estimateOf({ fuel: 8_000_000_000n, cap: 10n }, ground()).isShort).toBe(true);
    expect(estimateOf({ fuel: 8_000_000_000n }, ground()).isShort).toBe(false);
  });
});

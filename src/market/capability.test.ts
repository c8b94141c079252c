import { describe, expect, it } from "vitest";
import { DECLINES } from "../protocol/messages/capability.ts";
import { PROPERTIES, type Property } from "../protocol/property.ts";
import {
  contradicted,
  isClaimRefuted,
  judge,
  type Measurement,
  measuredValue,
  nextAmount,
  nextQuestion,
  NOTHING_KNOWN,
  type PropertyRecord,
  withAudited,
  withClaim,
  withDecline,
  withMeasurement,
} from "./capability.ts";
import {
  ASK_AGAIN_MS,
  CHALLENGES_PER_ROUND,
  CONTRADICTION_MS,
  CROSS_CHECK_MS,
  REMEASURE_MS,
  TELLING_MEASUREMENTS,
} from "./limits.ts";

const NOW = 1_767_225_600_000;

function measurement(changes: Partial<Measurement> = {}): Measurement {
  const value = changes.value ?? 1_000;
  return {
    amount: 4_000_000,
    computingMs: 100,
    value,
    most: value * 1.2,
    conceivable: value * 1.2,
    atMs: NOW,
    isSoftware: false,
    ...changes,
  };
}

function measured(times: number, changes: Partial<Measurement> = {}, from = NOTHING_KNOWN): PropertyRecord {
  return Array.from({ length: times }).reduce<PropertyRecord>(
    (record) => withMeasurement(record, measurement(changes)),
    from,
  );
}

const claiming = (claim: number): PropertyRecord => withClaim(NOTHING_KNOWN, claim);

describe("a property", () => {
  it("is nothing, then self-reported, then measured by the best of its answers, then cross-checked", () => {
    expect(judge(NOTHING_KNOWN, NOW)).toBeUndefined();
    const said = claiming(2_000);
    expect(judge(said, NOW)).toEqual({ value: 2_000, state: "self-reported", isSoftware: false });
    const once = withMeasurement(measured(1, { value: 900 }, said), measurement({ value: 1_100 }));
    expect(judge(once, NOW)).toMatchObject({ value: 1_100, state: "measured", measuredAt: NOW });
    const again = measured(1, { value: 1_000, atMs: NOW + CROSS_CHECK_MS }, once);
    expect(judge(again, NOW)).toMatchObject({ value: 1_100, state: "cross-checked" });
    const later = measured(1, { value: 100, atMs: NOW + CROSS_CHECK_MS }, once);
    expect(judge(later, NOW)).toMatchObject({ state: "measured" });
  });

  it("is cross-checked by audited work that is about as fast, and not refuted by work that is slower", () => {
    const record = measured(3);
    expect(judge(withAudited(record, 900), NOW)?.state).toBe("cross-checked");
    expect(judge(withAudited(record, 1), NOW)?.state).toBe("measured");
    expect(judge(withAudited(withAudited(record, 900), 1), NOW)?.state).toBe("cross-checked");
  });

  it("is contradicted for a day, whatever it claims, and counts for nothing meanwhile", () => {
    const record = contradicted(measured(3, {}, claiming(1_000)), NOW);
    expect(judge(record, NOW)).toMatchObject({ value: 1_000, state: "contradicted" });
    expect(measuredValue(record)).toBeUndefined();
    expect(nextQuestion(new Map([["fuel", record]]), NOW)?.property).not.toBe("fuel");
    expect(judge(record, NOW + CONTRADICTION_MS)?.state).toBe("self-reported");
    const after = measured(1, { atMs: NOW + CONTRADICTION_MS }, record);
    expect(judge(after, NOW + CONTRADICTION_MS)?.state).toBe("measured");
  });

  it("supports matching only where it was measured for a whole round, and then by the best of it", () => {
    expect(measuredValue(claiming(5))).toBeUndefined();
    expect(measuredValue(measured(CHALLENGES_PER_ROUND - 1))).toBeUndefined();
    const slow = measured(CHALLENGES_PER_ROUND - 1, { value: 10 });
    expect(measuredValue(withMeasurement(slow, measurement()))).toBe(1_200);
  });
});

describe("a claim", () => {
  it("is refuted by the clock only where it is far more than the best of many answers, the line's delay forgiven", () => {
    const many = TELLING_MEASUREMENTS;
    expect(isClaimRefuted("fuel", measured(many, {}, claiming(5_000)))).toBe(true);
    expect(isClaimRefuted("fuel", measured(many - 1, {}, claiming(5_000)))).toBe(false);
    expect(isClaimRefuted("fuel", measured(many, {}, claiming(4_800)))).toBe(false);
    expect(isClaimRefuted("fuel", measured(many))).toBe(false);
    const oneGood = measured(1, { value: 5_000 }, measured(many, {}, claiming(5_000)));
    expect(isClaimRefuted("fuel", oneGood)).toBe(false);
    const slowLine = measured(many, { conceivable: 5_000 }, claiming(5_000));
    expect(isClaimRefuted("fuel", slowLine)).toBe(false);
  });

  it("of memory is not the clock's to judge", () => {
    expect(isClaimRefuted("memory", measured(TELLING_MEASUREMENTS, {}, claiming(1e12)))).toBe(false);
  });
});

describe("asking", () => {
  it("goes through all properties, each some times in a row, then again after ten minutes, then every six hours", () => {
    const records = new Map<Property, PropertyRecord>();
    const asked: Property[] = [];
    let now = NOW;
    const answerAll = (): void => {
      for (let next = nextQuestion(records, now); next !== undefined; next = nextQuestion(records, now)) {
        asked.push(next.property);
        const before = records.get(next.property) ?? NOTHING_KNOWN;
        records.set(next.property, withMeasurement(before, measurement({ atMs: now, amount: next.amount })));
      }
    };
    answerAll();
    expect(asked).toEqual(PROPERTIES.flatMap((each) => Array(CHALLENGES_PER_ROUND).fill(each)));
    now += CROSS_CHECK_MS - 1;
    answerAll();
    expect(asked.length).toBe(PROPERTIES.length * CHALLENGES_PER_ROUND);
    now += 1;
    answerAll();
    expect(asked.length).toBe(2 * PROPERTIES.length * CHALLENGES_PER_ROUND);
    now += REMEASURE_MS - 1;
    answerAll();
    expect(asked.length).toBe(2 * PROPERTIES.length * CHALLENGES_PER_ROUND);
    now += 1;
    answerAll();
    expect(asked.length).toBe(3 * PROPERTIES.length * CHALLENGES_PER_ROUND);
  });

  it("asks for as much as takes a tenth of a second, and never for more than took too long", () => {
    expect(nextAmount("fuel", NOTHING_KNOWN)).toBe(4_000_000);
    expect(nextAmount("fuel", measured(1, { computingMs: 10 }))).toBe(32_000_000);
    expect(nextAmount("fuel", measured(1, { amount: 32_000_000, computingMs: 400 }))).toBe(8_000_000);
    expect(nextAmount("fuel", measured(1, { computingMs: 4_000 }))).toBe(4_000_000);
    const refused = withDecline(measured(1, { computingMs: 10 }), "fuel", "too-long", 32_000_000, NOW);
    expect(nextAmount("fuel", refused)).toBe(16_000_000);
    expect(refused.dueAt).toBe(NOW);
  });

  it("asks for no more memory than is claimed", () => {
    const record = withClaim(measured(1, { amount: 32, computingMs: 10 }), 48 * 1024 * 1024);
    expect(nextAmount("memory", record)).toBe(32);
  });

  it("asks later whoever declines, and holds nothing against it", () => {
    for (const reason of [...DECLINES, undefined]) {
      const before = measured(2);
      const record = withDecline(before, "fuel", reason, 4_000_000, NOW);
      expect(judge(record, NOW)).toEqual(judge(before, NOW));
      const later = reason === "busy" || reason === undefined ? ASK_AGAIN_MS : REMEASURE_MS;
      expect(record.dueAt).toBe(NOW + (reason === "too-long" ? CROSS_CHECK_MS : later));
    }
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyPart } from "./arbitrary.contract.ts";
import { auditPolicySchema, DEFAULT_AUDIT_POLICY, PPM } from "./audit-policy.ts";
import { failureKind } from "./failure-code.ts";
import { FailureError } from "./failure.ts";
import { decode, encode } from "./schema.ts";

const HOUR = 3_600_000;

function share(ppm: number): number {
  return ppm / PPM;
}

describe("The numbers that a relay audits by, unless its operator says otherwise", () => {
  test("draw all of the first ten tasks, then 2 / (1 + min(n, 50)), and never less than 5 %", () => {
    const { firstTasks, rateNumerator, rateTasks, floorPpm } = DEFAULT_AUDIT_POLICY;
    expect([firstTasks, rateNumerator, rateTasks, share(floorPpm)]).toEqual([10, 2, 50, 0.05]);
    // The floor is what holds at the end: 2/51 alone would be 3.9 %.
    expect(rateNumerator / (1 + rateTasks)).toBeLessThan(share(floorPpm));
  });

  test("draw a quarter where something failed that is paid", () => {
    expect(share(DEFAULT_AUDIT_POLICY.failedPpm)).toBe(0.25);
  });

  test("make a false outcome cost one and a half times what it earns", () => {
    expect(share(DEFAULT_AUDIT_POLICY.lossPpm)).toBe(1.5);
  });

  test("count at most a fifth of the experience from one payer", () => {
    expect(share(DEFAULT_AUDIT_POLICY.payerPpm)).toBe(0.2);
  });

  test("bond thirty tasks' pay, and hold the last fifty for a day at least", () => {
    const { bondTasks, holdTasks, holdMs } = DEFAULT_AUDIT_POLICY;
    expect([bondTasks, holdTasks, holdMs]).toEqual([30, 50, 24 * HOUR]);
  });

  test("leave half of what is drawn to the relay, a quarter to a second provider, a quarter to known results", () => {
    const { peerPpm, knownPpm } = DEFAULT_AUDIT_POLICY;
    expect([share(peerPpm), share(knownPpm), 1 - share(peerPpm + knownPpm)]).toEqual([0.25, 0.25, 0.5]);
  });

  test("feed an auditor one outcome in fifty that is known to be false", () => {
    expect(DEFAULT_AUDIT_POLICY.auditorCheckTasks).toBe(50);
  });

  test("accept a replicated result when fewer than one in a thousand such are wrong, with five replicas at most", () => {
    const { acceptPpm, maxReplicas } = DEFAULT_AUDIT_POLICY;
    expect([share(acceptPpm), maxReplicas]).toEqual([0.001, 5]);
  });

  test("draw once more by the requester's secret, end an epoch within the hour, and burn something of each lease", () => {
    const { requesterPpm, epochMs, epochEntries, verdictMs, leaseFee } = DEFAULT_AUDIT_POLICY;
    expect(requesterPpm).toBeGreaterThan(0);
    expect(epochMs).toBeLessThanOrEqual(HOUR);
    expect(epochEntries).toBeGreaterThan(0);
    expect(verdictMs).toBeGreaterThan(0);
    expect(leaseFee).toBeGreaterThan(0n);
  });
});

describe("The numbers of a policy on the wire", () => {
  test("are read as they were written, whatever they are", () => {
    fc.assert(
      fc.property(anyPart["audit-policy"]!, (policy) => {
        expect(decode(auditPolicySchema, encode(auditPolicySchema, policy as never))).toEqual(policy);
      }),
    );
    const bytes = encode(auditPolicySchema, DEFAULT_AUDIT_POLICY);
    expect(decode(auditPolicySchema, bytes)).toEqual(DEFAULT_AUDIT_POLICY);
  });

  test("name every number: none can be left out", () => {
    for (const name of Object.keys(DEFAULT_AUDIT_POLICY)) {
      const rest = Object.fromEntries(Object.entries(DEFAULT_AUDIT_POLICY).filter(([key]) => key !== name));
      expect(() => encode(auditPolicySchema, rest as never), name).toThrow(RangeError);
    }
  });

  test.each([
    "floorPpm",
    "failedPpm",
    "requesterPpm",
    "payerPpm",
    "peerPpm",
    "knownPpm",
    "faultPpm",
    "acceptPpm",
  ] as const)("have no %s above one", (name) => {
    const bytes = encode(auditPolicySchema, { ...DEFAULT_AUDIT_POLICY, [name]: PPM });
    expect(decode(auditPolicySchema, bytes)[name]).toBe(PPM);
    expect(() => encode(auditPolicySchema, { ...DEFAULT_AUDIT_POLICY, [name]: PPM + 1 })).toThrow(RangeError);
  });

  test("are refused with a number above its bound, by the reader as well", () => {
    const bytes = encode(auditPolicySchema, { ...DEFAULT_AUDIT_POLICY, maxReplicas: 64 });
    const at = Buffer.from(bytes).indexOf("maxReplicas") + "maxReplicas".length;
    // 64 takes a head and one byte.
    expect([...bytes.subarray(at, at + 2)]).toEqual([0x18, 64]);
    bytes[at + 1] = 65;
    let refused: unknown;
    try {
      decode(auditPolicySchema, bytes);
    } catch (error) {
      refused = error;
    }
    expect(refused).toBeInstanceOf(FailureError);
    if (refused instanceof FailureError) expect(failureKind(refused.code).name).toBe("malformed");
  });
});

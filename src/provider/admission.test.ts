import { describe, expect, test } from "vitest";
import { cidOf, RAW } from "../protocol/cid.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import { leasePair } from "../sdk/lease-pair.contract.ts";
import { decideAdmission, type Load } from "./admission.ts";
import type { WorkOrder } from "./check-open.ts";

const MIB = 1024 * 1024;

async function order(): Promise<WorkOrder> {
  const pair = await leasePair({ module: new Uint8Array() });
  pair.stop();
  return pair.order;
}

function codeOf(run: () => void): number {
  try {
    run();
    return 0;
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    return error.code;
  }
}

const FREE: Load = { memoryBytes: 64 * MIB, hasModels: false, atWork: 0, accepted: new Set() };

describe("admission", () => {
  test("takes an order that fits", async () => {
    const fits = await order();
    expect(codeOf(() => decideAdmission(fits, FREE))).toBe(0);
  });

  test("a lease that was begun once is never begun again: two histories of one lease would convict the provider", async () => {
    const again = await order();
    expect(codeOf(() => decideAdmission(again, { ...FREE, accepted: new Set([again.lease.id]) }))).toBe(
      failureCode("declined"),
    );
    expect(
      codeOf(() => decideAdmission(again, { ...FREE, accepted: new Set([cidOf(RAW, Uint8Array.of(1))]) })),
    ).toBe(0);
  });

  test("takes a model where models run, and nowhere else", async () => {
    const { job, ...rest } = await order();
    const work = { ...job.body.work, kind: "model", entry: "generate", abi: "model-1" } as const;
    const asked = { ...rest, job: { ...job, body: { ...job.body, work } } };
    expect(codeOf(() => decideAdmission(asked, FREE))).toBe(failureCode("declined"));
    expect(codeOf(() => decideAdmission(asked, { ...FREE, hasModels: true }))).toBe(0);
  });

  test("declines more memory than it gives, and more leases than it can follow", async () => {
    const asked = await order();
    expect(codeOf(() => decideAdmission(asked, { ...FREE, memoryBytes: MIB }))).toBe(
      failureCode("no-memory"),
    );
    expect(codeOf(() => decideAdmission(asked, { ...FREE, atWork: 16 }))).toBe(failureCode("declined"));
  });
});

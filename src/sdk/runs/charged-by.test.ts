import { expect, test } from "vitest";
import { cidOf, RAW } from "../../protocol/cid.ts";
import { FailureError } from "../../protocol/failure.ts";
import { microCredits } from "../../protocol/units.ts";
import { chargedBy } from "./charged-by.ts";

const JOB = cidOf(RAW, Uint8Array.of(1));

function failing(name: "not-found" | "unreachable"): () => Promise<never> {
  return () => Promise.reject(new FailureError(name, "no relay"));
}

test("a job that the relay never took has nothing of its run's budget", async () => {
  expect(await chargedBy({ job: failing("not-found") }, JOB)).toBe(0n);
});

test("a job that broke off has what did not come back of its cap", async () => {
  const view = {
    job: JOB,
    state: "closed",
    cap: microCredits(100),
    spent: microCredits(30),
    refunded: microCredits(65),
    leases: [],
  } as const;
  expect(await chargedBy({ job: () => Promise.resolve(view) }, JOB)).toBe(35n);
});

test("where the relay does not say, it is not taken for nothing", async () => {
  await expect(chargedBy({ job: failing("unreachable") }, JOB)).rejects.toThrow("no relay");
});

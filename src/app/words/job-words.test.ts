import { describe, expect, it } from "vitest";
import { cidOf, RAW } from "../../protocol/cid.ts";
import { FAILURE_KINDS, failureCode, type FailureName } from "../../protocol/failure-code.ts";
import { microCredits } from "../../protocol/units.ts";
import type { RecentJob } from "../../provider/tab-memory.ts";
import type { JobSummary } from "../../sdk/index.ts";
import {
  auditWords,
  eventWords,
  jobFailureWords,
  jobStateWords,
  jobViewWords,
  paceWords,
  recentWords,
  summaryWords,
  taskFailureWords,
} from "./job-words.ts";

function failure(name: FailureName): { code: ReturnType<typeof failureCode>; detail: string } {
  return { code: failureCode(name), detail: "detail" };
}

const SUMMARY: JobSummary = {
  job: cidOf(RAW, Uint8Array.of(1)),
  tasks: 12,
  done: 10,
  failed: 2,
  reassigned: 1,
  copied: 0,
  voided: 0,
  spent: microCredits(5),
  cancelled: false,
  leases: [],
};

const RECENT: RecentJob = {
  job: SUMMARY.job,
  relayUrl: "http://localhost",
  name: "f.wasm",
  workCid: SUMMARY.job,
  startedAt: 1,
  state: "done",
  tasks: 3,
  done: 3,
  failed: 0,
  spent: microCredits(0),
  leases: [],
};

function at(state: "running" | "settling", providers: number): string {
  const counts = { done: 0, failed: 0, reassigned: 0, spent: microCredits(0) };
  return jobStateWords({ state, providers, ...counts });
}

describe("words for a job", () => {
  it("say what it is at, also before anything is known", () => {
    expect(jobStateWords(undefined)).toBe("Joining the mesh");
    expect(at("running", 2)).toBe("2 tabs at work");
    expect(at("running", 0)).toBe("Waiting for a tab");
    expect(at("settling", 2)).toMatch(/receipts/u);
  });

  it("say what is left only once there is a pace", () => {
    expect(paceWords(2, 100, 60_000)).toBeUndefined();
    expect(paceWords(50, 100, 1_000)).toBeUndefined();
    expect(paceWords(50, 100, 60_000)).toBe("About 1 min left at the pace so far.");
    expect(paceWords(99, 100, 9_900)).toBe("About 1 s left at the pace so far.");
    expect(paceWords(100, 100, 60_000)).toBeUndefined();
  });

  it("say how it stands at the relay, and how far its audits are", () => {
    const lease = { lease: SUMMARY.job, provider: "" as never, state: "settled", count: 9 } as const;
    const of = (drawn: number, judged: number, forfeited: bigint): string =>
      auditWords({
        leases: [
          { ...lease, amount: microCredits(5), drawn, judged, forfeited: microCredits(forfeited) },
          { ...lease, amount: microCredits(5), drawn: 1, judged: 0, forfeited: microCredits(0) },
        ],
      });
    expect(of(2, 1, 0n)).toBe("3 results were drawn to be recomputed, 1 of them is judged.");
    expect(of(0, 0, 7n)).toMatch(/^1 result was drawn .* found false/u);
    expect(auditWords({ leases: [] })).toMatch(/^None/u);
    expect(jobViewWords({ state: "open" })).toContain("keeps money aside");
  });

  it("every failure of a task says what happened, who pays and what to do", () => {
    for (const { code, means, advice } of FAILURE_KINDS) {
      const words = taskFailureWords({ code: failureCode(nameOf(code)), detail: "" });
      expect(words).toContain(means);
      expect(words).toContain(advice);
      expect(words).toMatch(/paid/u);
    }
    expect(taskFailureWords(failure("out-of-fuel"))).toContain("Its fuel is paid");
    expect(taskFailureWords(failure("deadline"))).toContain("Nothing is paid");
  });

  it("a failed job gets advice for who asked, not for who writes clients", () => {
    expect(jobFailureWords(failure("no-provider")).advice).toContain("Open Contribute");
    expect(jobFailureWords(failure("insufficient-funds")).advice).toContain("Lower what is set aside");
    expect(jobFailureWords(failure("disconnected")).cause).toBe("The relay cannot be reached.");
  });

  it("the end is told in one sentence", () => {
    expect(summaryWords(SUMMARY)).toBe("10 tasks done, 2 failed, 1 given to another tab.");
    expect(
      summaryWords({ ...SUMMARY, failed: 0, reassigned: 0, copied: 2, agreed: 9, disputed: 1, voided: 1 }),
    ).toBe(
      "10 tasks done, 9 agreed on by all tabs that computed them, 1 settled by the relay, 2 late ones given to two tabs, 1 found false and computed again.",
    );
    expect(summaryWords({ ...SUMMARY, cancelled: true })).toMatch(/^Cancelled before any tab took it/u);
  });

  it("what happened is a sentence about tabs", () => {
    expect(eventWords("a provider left: gone")).toBe("A tab left: gone.");
    expect(eventWords("You cancelled the job.")).toBe("You cancelled the job.");
  });

  it("a job of the list says how it ended, and one that was cut off says so", () => {
    expect(recentWords(RECENT)).toBe("3 tasks done");
    expect(recentWords({ ...RECENT, failed: 1 })).toBe("3 tasks done, 1 failed");
    expect(recentWords({ ...RECENT, state: "cancelled", done: 1 })).toBe("Cancelled, 1 of 3 tasks served");
    expect(recentWords({ ...RECENT, state: "running" })).toContain("take back what is left");
    expect(recentWords({ ...RECENT, state: "failed", failure: failure("no-provider") })).toBe(
      "No provider fits the job right now.",
    );
  });
});

function nameOf(code: number): FailureName {
  const found = FAILURE_KINDS.find((kind) => kind.code === code);
  return found?.name as FailureName;
}

import type { Value } from "../../plan/json-value.ts";
import type { RunEvent } from "../../plan/runner-ports.ts";
import { type PlanRun, PlanRunError, type PlanRunSummary, type Tabmesh } from "../../sdk/index.ts";
import type { Work } from "./find-work.ts";
import { Computing } from "./local/compute-here.ts";
import type { ReadPlan } from "./read-plan.ts";
import type { FinishedRun } from "./run-report.ts";

export interface MeshRunOptions {
  readonly params: Readonly<Record<string, Value>>;
  /** Functions are given to whoever carries a step out; what the plan has computed here uses models as well. */
  readonly work: Work;
  /** By name; each is sealed to the peer that carries out a step which asks for it. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Micro-credits. */
  readonly budget?: bigint;
  readonly timeoutMs?: number;
  readonly waitMs?: number;
  readonly onEvent: (event: RunEvent) => void;
  readonly signal: AbortSignal;
}

/** Carries a plan out at the providers of a relay. */
export async function runOverMesh(
  tabmesh: Tabmesh,
  { plan }: Pick<ReadPlan, "plan">,
  options: MeshRunOptions,
): Promise<FinishedRun> {
  const { params, work, secrets, budget, timeoutMs, waitMs, onEvent, signal } = options;
  const computing = new Computing(work);
  try {
    const run = await tabmesh.startRun(plan, params, {
      modules: [...work.modules.values()],
      compute: (callee, task, stop) => computing.compute(callee, task, stop),
      ...(Object.keys(secrets).length === 0 ? {} : { secrets }),
      ...(budget === undefined ? {} : { budget }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(waitMs === undefined ? {} : { noProviderTimeoutMs: waitMs }),
      signal,
      onEvent,
    });
    return await finish(run, tabmesh.relay.testMoney, signal);
  } finally {
    await computing.stop();
  }
}

/** Waits for a run's result and for its jobs to be settled. */
export async function finish(run: PlanRun, testMoney: boolean, signal: AbortSignal): Promise<FinishedRun> {
  const result = await resultOf(run);
  const summary = await run.summary;
  return {
    run: run.id,
    plan: run.plan,
    ...(result === undefined ? {} : { result }),
    ...(summary.failure === undefined ? {} : { failure: summary.failure }),
    record: run.record(),
    elapsedMs: summary.elapsedMs,
    isCancelled: signal.aborted,
    money: moneyOf(summary, testMoney),
  };
}

function moneyOf({ spent, budget }: PlanRunSummary, testMoney: boolean): NonNullable<FinishedRun["money"]> {
  return { spent, budget, testMoney };
}

/** The failure of a run is told by its summary. */
async function resultOf(run: PlanRun): Promise<FinishedRun["result"]> {
  try {
    const { cid, bytes } = await run.result();
    return { cid, bytes };
  } catch (error) {
    if (error instanceof PlanRunError) return undefined;
    throw error;
  }
}

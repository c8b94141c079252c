import type { Value } from "../../plan/json-value.ts";
import type { RunEvent } from "../../plan/runner-ports.ts";
import { type PlanRun, PlanRunError, type PlanRunSummary, type Tabmesh } from "../../sdk/index.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { EXIT, PlainError } from "../plain-error.ts";
import { creditsText } from "../quantities.ts";
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
  /** Who may go on: with any, the signal leaves the run to them instead of cancelling it. */
  readonly holders: readonly PeerId[];
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
  const { params, work, secrets, holders, budget, timeoutMs, waitMs, onEvent, signal } = options;
  const computing = new Computing(work);
  try {
    const run = await tabmesh.startRun(plan, params, {
      modules: [...work.modules.values()],
      compute: (callee, task, stop) => computing.compute(callee, task, stop),
      ...(Object.keys(secrets).length === 0 ? {} : { secrets }),
      ...(budget === undefined ? {} : { budget }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(waitMs === undefined ? {} : { noProviderTimeoutMs: waitMs }),
      ...(holders.length === 0 ? { signal } : { holders }),
      onEvent,
    });
    if (holders.length > 0) leaveAt(run, signal);
    return await finish(run, tabmesh.relay.testMoney, signal);
  } finally {
    await computing.stop();
  }
}

function leaveAt(run: PlanRun, signal: AbortSignal): void {
  signal.addEventListener("abort", () => void run.leave(), { once: true });
  if (signal.aborted) void run.leave();
}

/** Waits for a run's result and for its jobs to be settled. */
export async function finish(run: PlanRun, testMoney: boolean, signal: AbortSignal): Promise<FinishedRun> {
  const result = await resultOf(run, signal);
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

/** The failure of a run is told by its summary. @throws PlainError where the run was left to its holders */
async function resultOf(run: PlanRun, signal: AbortSignal): Promise<FinishedRun["result"]> {
  try {
    const { cid, bytes } = await run.result();
    return { cid, bytes };
  } catch (error) {
    if (error instanceof PlanRunError) return undefined;
    if (!signal.aborted) throw error;
    const { spent } = await run.summary;
    throw new PlainError({
      what: `The run is left to its holders: ${run.id}`,
      why: `Ctrl-C. Until here it has cost ${creditsText(spent)}; nothing that is done is done again.`,
      advice: `\`npx tabmesh plan continue ${run.id}\` fetches what it comes to, or goes on with it here.`,
      exit: EXIT.interrupted,
      cause: error,
    });
  }
}

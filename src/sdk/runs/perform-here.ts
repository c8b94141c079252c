import { capabilityCid } from "../../protocol/messages/effect.ts";
import type { StepEnd, StepOrder } from "../../plan/runner-ports.ts";
import type { Cid } from "../../protocol/cid.ts";
import { seal } from "../../protocol/envelope.ts";
import { failureKind } from "../../protocol/failure-code.ts";
import { FailureError } from "../../protocol/failure.ts";
import { SANDBOX_PROFILE } from "../../protocol/limits.ts";
import { type Step, stepMessage } from "../../protocol/messages/run.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { clipText } from "../../protocol/text.ts";
import { fuel, microCredits } from "../../protocol/units.ts";
import type { ComputeHere } from "../plan-run.ts";
import type { RunGround } from "./run-ground.ts";
import { stepSeed } from "./run-performer.ts";
import type { RunValues } from "./run-values.ts";

/** Longest detail of a failed step, bytes. */
const MAX_STEP_DETAIL = 512;

export interface HereParts {
  readonly run: Cid;
  /** Root identity of the run's initiator. */
  readonly initiator: PeerId;
  readonly ground: Pick<RunGround, "root" | "signer" | "info">;
  readonly values: RunValues;
  readonly compute: ComputeHere | undefined;
}

/** Whether a plan wants a step done by its coordinator, or its initiator, and not by a provider. */
export function isHere({ place }: Pick<StepOrder, "place">): boolean {
  return place.at === "coordinator" || place.at === "initiator";
}

/**
 * Carries a step out in this program, which signs for it. Nobody is paid.
 * @throws FailureError `unsupported` where it cannot compute; `no-provider` where only the initiator may, and this is another;
 *   what it failed by, where that is not the function's own
 */
export async function performHere(order: StepOrder, parts: HereParts, signal: AbortSignal): Promise<StepEnd> {
  const { what, limits, place, node, iteration } = order;
  const { run, initiator, ground, values, compute } = parts;
  if (place.at === "initiator" && ground.root !== initiator)
    throw new FailureError("no-provider", "only the run's initiator may carry this step out, and it is gone");
  if (what.kind !== "call" || compute === undefined)
    throw new FailureError(
      "unsupported",
      "whoever coordinates this run has nothing to carry this step out with",
    );
  const input = await values.fetch(order.input, signal);
  const task = { input, seed: stepSeed(run, node, iteration), limits };
  const made = await compute(what.callee, task, signal);
  const common = commonOf(order, parts, made.fuel);
  const sign = (step: Step): Promise<Uint8Array> => seal(stepMessage, step, [ground.signer]);
  const cost = microCredits(0);
  if (made.kind === "failed") {
    if (failureKind(made.code).pay !== "fuel") throw new FailureError(made.code, made.detail);
    const detail = clipText(made.detail, MAX_STEP_DETAIL);
    return {
      receipts: [await sign({ ...common, status: "failed", code: made.code, detail, size: 0 })],
      cost,
    };
  }
  const value = values.keep(made.output);
  const step: Step = { ...common, status: "done", result: value.cid, size: value.size };
  return { receipts: [await sign(step)], cost, value };
}

function commonOf(
  { node, iteration, attempt, what, input, parents }: StepOrder,
  { run, ground }: HereParts,
  spent: bigint,
): Omit<Step, "status" | "size"> {
  return {
    run,
    node,
    iteration,
    attempt,
    args: input.cid,
    callee: what.kind === "call" ? what.callee.cid : capabilityCid(what.capability),
    profile: ground.info.profiles[0] ?? SANDBOX_PROFILE,
    fuel: fuel(spent),
    parents,
  };
}

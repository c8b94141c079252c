import type { PlanNode } from "../plan.ts";
import { runAgent } from "./agent.ts";
import { runAttempt, runBranch, runSubplan, runTimeout } from "./choice-kinds.ts";
import type { Core, Place } from "./core.ts";
import type { Ending } from "./known.ts";
import { runDelay, runExpr, runFail, runObserve, runStream } from "./plain-kinds.ts";
import { runLoop, runMap, runReduce, runRetry } from "./repeat-kinds.ts";
import { runCall, runEffect } from "./remote-kinds.ts";
import { runSelect } from "./select-kind.ts";

/** A place whose node is of one kind. */
function narrow<N extends PlanNode>(place: Place, node: N): Place<N> {
  return { ...place, node };
}

/** Does what a node says, its inputs being known. Failures of what is inside come as endings, its own as FailureErrors. */
export async function carryOut(core: Core, place: Place): Promise<Ending> {
  const { node } = place;
  switch (node.kind) {
    case "call":
      return runCall(core, narrow(place, node));
    case "effect":
      return runEffect(core, narrow(place, node));
    case "agent":
      return runAgent(core, narrow(place, node));
    case "expr":
      return runExpr(core, narrow(place, node));
    case "map":
      return runMap(core, narrow(place, node));
    case "reduce":
      return runReduce(core, narrow(place, node));
    case "branch":
      return runBranch(core, narrow(place, node));
    case "select":
      return runSelect(core, narrow(place, node));
    case "attempt":
      return runAttempt(core, narrow(place, node));
    case "retry":
      return runRetry(core, narrow(place, node));
    case "timeout":
      return runTimeout(core, narrow(place, node));
    case "delay":
      return runDelay(core, narrow(place, node));
    case "loop":
      return runLoop(core, narrow(place, node));
    case "subplan":
      return runSubplan(core, narrow(place, node));
    case "observe":
      return runObserve(core, narrow(place, node));
    case "stream":
      return runStream(core, narrow(place, node));
    case "fail":
      return runFail(core, narrow(place, node));
    default:
      return node satisfies never;
  }
}

import type { Cid } from "../../protocol/cid.ts";
import { failureKind } from "../../protocol/failure-code.ts";
import { FailureError } from "../../protocol/failure.ts";
import type { ValueRecord } from "../json-value.ts";
import type { AgentNode } from "../plan.ts";
import { mindInput, mindValue, readDecision, toolInput, toolSaid } from "../runner/agent.ts";
import { causeOf } from "../runner/cause.ts";
import { innerIteration } from "../state/attempts.ts";
import { checkRemote, failedBy, onItsWord, same } from "./check-steps.ts";
import type { CheckState, NodeSeen, SeenPlace } from "./check-state.ts";

const TEXT = { type: "text" } as const;

/** Every decision and every use of a tool again, from their receipts. */
export function checkAgent(check: CheckState, place: SeenPlace<AgentNode>): NodeSeen {
  const { node, key, id } = place;
  const type = check.typeOf(id);
  const given = place.inputs.get("task");
  const task = given === undefined ? undefined : check.read(given);
  if (task === undefined) return onItsWord(check, place, type);
  const history: ValueRecord[] = [];
  const receipts: Cid[] = [];
  let parents = place.parents;
  for (let turn = 0; turn < node.maxSteps; turn += 1) {
    const made = mindValue(node, mindInput(node, task, history));
    const thought = checkRemote(check, place, {
      node: id,
      iteration: innerIteration(key.iteration, 2 * turn),
      what: { kind: "call", callee: node.mind },
      input: check.made(made.type, made.value, parents),
      output: TEXT,
      parents,
    });
    if (thought.kind === "failed") return failedBy(check, place, thought.receipt);
    if (thought.kind === "absent") return stopped(check, place);
    receipts.push(thought.receipt);
    parents = [thought.receipt];
    const said = check.read(thought.value);
    if (said === undefined) return onItsWord(check, place, type);
    const decided = readDecision(typeof said === "string" ? said : "", node.tools);
    if (decided.kind === "answer") return same(check, place, check.made(type, decided.answer, []), receipts);
    const { tool, name } = decided.tool;
    const wanted = toolInput(decided.input);
    const used = checkRemote(check, place, {
      node: id,
      iteration: innerIteration(key.iteration, 2 * turn + 1),
      what:
        tool.kind === "function"
          ? { kind: "call", callee: tool.callee }
          : { kind: "effect", capability: tool.capability },
      input: check.made(wanted.type, wanted.value, parents),
      output: TEXT,
      parents,
    });
    if (used.kind === "absent") return stopped(check, place);
    receipts.push(used.receipt);
    parents = [used.receipt];
    if (used.kind === "failed") {
      const cause = causeOf(check.state, check.isCoordinator, used.receipt);
      if (cause === undefined) return onItsWord(check, place, type);
      const failure = { name: failureKind(cause.code).name, detail: cause.detail };
      history.push({ tool: name, input: decided.input, failure });
      continue;
    }
    const result = check.read(used.value);
    if (result === undefined) return onItsWord(check, place, type);
    history.push({
      tool: name,
      input: decided.input,
      result: typeof result === "string" ? toolSaid(result) : result,
    });
  }
  throw new FailureError("expression-failed", `no answer after ${node.maxSteps} steps`);
}

/** It did not go on: because its money was spent, or because a receipt is missing. */
function stopped(check: CheckState, { settled, key }: SeenPlace): NodeSeen {
  if (settled === undefined) return { kind: "absent" };
  if (settled.step.status === "done")
    check.wrong(key, "it has an answer, and a receipt of its steps is missing");
  return settled.step.status === "failed" ? { kind: "failed", receipt: settled.id } : { kind: "absent" };
}

import { capabilityProblem } from "../../protocol/messages/effect.ts";
import { FUNCTION_ABIS, MODEL_ABI } from "../../protocol/messages/session.ts";
import type { AgentNode, Callee, CallNode, EffectNode, PlanNode, Provenance, StepLimits } from "../plan.ts";
import { NAMES } from "../names.ts";

/** What is wrong with a node by itself, whatever is around it: where in it, and what would be right. */
export type Complaint = readonly [path: string, message: string];

export function complaintsOf(node: PlanNode): readonly Complaint[] {
  switch (node.kind) {
    case "call":
      return [...calleeComplaints(node.callee, "callee"), ...remoteComplaints(node)];
    case "effect":
      return [...capabilityComplaints(node.capability, "capability"), ...remoteComplaints(node)];
    case "agent":
      return [...agentComplaints(node), ...remoteComplaints(node)];
    case "map":
      return [...positive("max", node.max), ...positive("parallel", node.parallel)];
    case "reduce":
    case "loop":
    case "stream":
      return positive("max", node.max);
    case "select":
      return selectComplaints(node.k, node.of.length);
    case "retry":
      return positive("attempts", node.attempts);
    case "timeout":
      return positive("ms", node.ms);
    case "observe":
      return observeComplaints(node.atLeast, node.of.length);
    case "expr":
    case "branch":
    case "attempt":
    case "delay":
    case "subplan":
    case "fail":
      return [];
    default:
      return node satisfies never;
  }
}

function positive(path: string, value: bigint | number): readonly Complaint[] {
  return value >= 1 ? [] : [[path, "has to be at least 1"]];
}

function selectComplaints(k: number, alternatives: number): readonly Complaint[] {
  if (alternatives === 0) return [["of", "has no alternatives to select from"]];
  return k >= 1 && k <= alternatives
    ? []
    : [["k", `has to be from 1 to the number of alternatives, ${alternatives}`]];
}

function observeComplaints(atLeast: number, nodes: number): readonly Complaint[] {
  if (nodes === 0) return [["of", "names no nodes to observe"]];
  return atLeast <= nodes ? [] : [["atLeast", `is more than the ${nodes} nodes that it observes`]];
}

function calleeComplaints({ kind, abi, entry }: Callee, path: string): readonly Complaint[] {
  if (entry === "" && abi !== "component-1")
    return [[`${path}.entry`, "is empty; name the function to call"]];
  if (kind === "model") {
    if (abi !== MODEL_ABI) return [[`${path}.abi`, `of a model has to be ${MODEL_ABI}`]];
    return entry === "generate" || entry === "embed"
      ? []
      : [[`${path}.entry`, "of a model has to be generate or embed"]];
  }
  return FUNCTION_ABIS.some((each) => each === abi)
    ? []
    : [[`${path}.abi`, `of a function has to be one of ${FUNCTION_ABIS.join(", ")}`]];
}

function capabilityComplaints(capability: EffectNode["capability"], path: string): readonly Complaint[] {
  const problem = capabilityProblem(capability);
  return problem === undefined ? [] : [[path, problem]];
}

function isStore({ kind }: EffectNode["capability"]): boolean {
  return kind === "kv-get" || kind === "kv-put" || kind === "kv-list";
}

function remoteComplaints(node: CallNode | EffectNode | AgentNode): readonly Complaint[] {
  const { place, provenance, limits } = node;
  const complaints: Complaint[] = [
    ...limitComplaints(limits, node.kind === "effect"),
    ...provenanceComplaints(provenance),
  ];
  if (place.at === "relay" && node.kind !== "effect")
    complaints.push(["place", "the relay carries out effects only; let a call or agent run at any provider"]);
  if (provenance.check === "quorum" && place.at !== "any" && place.at !== "name")
    complaints.push(["provenance", "a quorum needs several peers, but the place is one; use place any"]);
  if (node.kind === "effect" && isStore(node.capability) && place.at !== "relay")
    complaints.push(["place", "a store is kept by the relay; use place relay"]);
  if (place.at === "name" && place.name === "") complaints.push(["place.name", "is empty"]);
  return complaints;
}

/** An effect computes nothing, and so needs neither fuel nor memory. */
function limitComplaints(
  { fuel, memory, output, deadlineMs }: StepLimits,
  isEffect: boolean,
): readonly Complaint[] {
  return [
    ...(isEffect ? [] : [...positive("limits.fuel", fuel), ...positive("limits.memory", memory)]),
    ...positive("limits.output", output),
    ...positive("limits.deadlineMs", deadlineMs),
  ];
}

function provenanceComplaints(provenance: Provenance): readonly Complaint[] {
  if (provenance.check !== "quorum") return [];
  const { k, n } = provenance;
  return k >= 1 && n >= 2 && k <= n
    ? []
    : [["provenance", `"${k} of ${n}" is no quorum: k is 1 to n, and n at least 2`]];
}

function agentComplaints({ mind, tools, maxSteps, budget }: AgentNode): readonly Complaint[] {
  const complaints: Complaint[] = [
    ...calleeComplaints(mind, "mind"),
    ...positive("maxSteps", maxSteps),
    ...positive("budget", budget),
  ];
  const names = new Set<string>();
  for (const [place, { name, tool }] of tools.entries()) {
    const path = `tools.${place}`;
    if (!NAMES.pattern.test(name)) complaints.push([`${path}.name`, `has to be ${NAMES.what}`]);
    if (names.has(name)) complaints.push([`${path}.name`, `there are two tools "${name}"`]);
    names.add(name);
    if (tool.kind === "effect" && isStore(tool.capability))
      complaints.push([`${path}.tool`, "a store is kept by the relay, where an agent's tools do not run"]);
    complaints.push(
      ...(tool.kind === "function"
        ? calleeComplaints(tool.callee, `${path}.tool.callee`)
        : capabilityComplaints(tool.capability, `${path}.tool.capability`)),
    );
  }
  return complaints;
}

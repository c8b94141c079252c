import { capabilitySchema, EFFECT_KINDS } from "../../protocol/messages/effect.ts";
import { MAX_FUNCTION_MEMORY_BYTES, MAX_TASK_BYTES } from "../../protocol/limits.ts";
import { type Abi, ABIS } from "../../protocol/messages/session.ts";
import { fuel } from "../../protocol/units.ts";
import {
  MAX_AGENT_STEPS,
  MAX_AGENT_TOOLS,
  MAX_ATTEMPTS,
  MAX_CALL_ARGS,
  MAX_CAPABILITY_NAMES,
  MAX_ITERATIONS,
  MAX_NAME_BYTES,
  MAX_NAMES,
  MAX_PARALLEL,
  MAX_PLAN_NODES,
  MAX_TITLE_BYTES,
  MAX_WAIT_MS,
  PLAN_VERSION,
} from "../limits.ts";
import type {
  AgentTool,
  Callee,
  Capability,
  Graph,
  NodeId,
  Place,
  Plan,
  PlanNode,
  Provenance,
  Source,
  StepLimits,
} from "../plan.ts";
import type { ValueType } from "../value-type.ts";
import { type FieldShapes, lazyShape, recordShape, unionShape } from "./compound.ts";
import { expressionShape } from "./expression-shape.ts";
import { orderOfNodes } from "./order-of-nodes.ts";
import { NAMES, NODE_NAMES } from "../names.ts";
import {
  amountShape,
  cidShape,
  fuelShape,
  listShape,
  mapShape,
  textShape,
  uintShape,
  wordShape,
} from "./parts.ts";
import { placeShape, provenanceShape } from "./place-shape.ts";
import { optionalShape, type OptionalShape, refuse, type Shape, withFallback } from "./shape.ts";
import { sourceShape, typeShape } from "./source-shape.ts";

/** Every kind of node, field by field: the one table that both forms of a plan follow. */

type Kind<K extends PlanNode["kind"]> = Omit<Extract<PlanNode, { kind: K }>, "kind">;

/** What a step gets unless it says otherwise: ten seconds of a slow core, as much memory as any phone has, a megabyte out. */
export const DEFAULT_STEP_LIMITS: StepLimits = {
  fuel: fuel(10_000_000_000),
  memory: 64 * 1024 * 1024,
  output: 1024 * 1024,
  deadlineMs: 60_000,
};
/** An effect computes nothing: what it could claim to have used is nothing either. */
export const DEFAULT_EFFECT_LIMITS: StepLimits = { ...DEFAULT_STEP_LIMITS, fuel: fuel(0), memory: 0 };
/** What a map does at a time unless it says otherwise. */
export const DEFAULT_PARALLEL = 16;
const DEFAULT_EFFECT_BYTES: number = 1024 * 1024;
const DEFAULT_EFFECT_MS = 10_000;

const name: Shape<string> = textShape(MAX_NAME_BYTES);
const ms: Shape<number> = uintShape(MAX_WAIT_MS);
const count: Shape<number> = uintShape(MAX_ITERATIONS);
const nodeNames: Shape<readonly NodeId[]> = listShape(name, MAX_PLAN_NODES);
const given: Shape<Readonly<Record<string, Source>>> = withFallback(
  mapShape(sourceShape, NAMES, MAX_NAMES),
  {},
);

function limitsOf(most: StepLimits): Shape<StepLimits> {
  const shape = recordShape<StepLimits>({
    fuel: withFallback(fuelShape, most.fuel),
    memory: withFallback(uintShape(MAX_FUNCTION_MEMORY_BYTES), most.memory),
    output: withFallback(uintShape(MAX_TASK_BYTES), most.output),
    deadlineMs: withFallback(ms, most.deadlineMs),
  });
  return withFallback(shape, most);
}

const callee: Shape<Callee> = recordShape<Callee>({
  kind: withFallback(wordShape(["function", "model"]), "function"),
  cid: cidShape,
  entry: name,
  abi: wordShape<Abi>(ABIS),
  args: withFallback(listShape(textShape(1_024), MAX_CALL_ARGS), []),
});

const words: Shape<readonly string[]> = withFallback(listShape(textShape(256), MAX_CAPABILITY_NAMES), []);
const capability: Shape<Capability> = {
  wire: capabilitySchema,
  text: recordShape<Capability>({
    kind: wordShape(EFFECT_KINDS),
    origins: words,
    methods: words,
    namespace: withFallback(name, ""),
    chains: words,
    secrets: words,
    maxBytes: withFallback(uintShape(), DEFAULT_EFFECT_BYTES),
    timeoutMs: withFallback(uintShape(), DEFAULT_EFFECT_MS),
  }).text,
};

const tool: Shape<AgentTool["tool"]> = unionShape<AgentTool["tool"], "kind">("kind", {
  function: recordShape<{ callee: Callee }>({ callee }),
  effect: recordShape<{ capability: Capability }>({ capability }),
});
const agentTool: Shape<AgentTool> = recordShape<AgentTool>({ name, about: textShape(1_024), tool });

const base: {
  readonly title: OptionalShape<string>;
  readonly after: OptionalShape<readonly NodeId[]>;
} = {
  title: optionalShape(textShape(MAX_TITLE_BYTES)),
  after: optionalShape(nodeNames),
};
const remote: typeof base & FieldShapes<{ place: Place; provenance: Provenance; limits: StepLimits }> = {
  ...base,
  place: withFallback(placeShape, { at: "any" }),
  provenance: withFallback(provenanceShape, { check: "signature" }),
  limits: limitsOf(DEFAULT_STEP_LIMITS),
};
const output: Shape<ValueType> = withFallback(typeShape, { type: "bytes" });

const graphShape: Shape<Graph> = lazyShape(() =>
  recordShape<Graph>({
    params: withFallback(mapShape(typeShape, NAMES, MAX_NAMES), {}),
    nodes: mapShape(nodeShape, NODE_NAMES, MAX_PLAN_NODES, orderOfNodes, "node"),
    result: sourceShape,
  }),
);

const nodeShape: Shape<PlanNode> = lazyShape(() =>
  unionShape<PlanNode, "kind">("kind", {
    call: recordShape<Kind<"call">>({ ...remote, callee, input: sourceShape, output }),
    effect: recordShape<Kind<"effect">>({
      ...remote,
      limits: limitsOf(DEFAULT_EFFECT_LIMITS),
      capability,
      request: sourceShape,
      output,
    }),
    agent: recordShape<Kind<"agent">>({
      ...remote,
      mind: callee,
      task: sourceShape,
      tools: withFallback(listShape(agentTool, MAX_AGENT_TOOLS), []),
      maxSteps: uintShape(MAX_AGENT_STEPS),
      budget: amountShape,
      output,
    }),
    expr: recordShape<Kind<"expr">>({ ...base, with: given, expression: expressionShape }),
    map: recordShape<Kind<"map">>({
      ...base,
      over: sourceShape,
      with: given,
      max: count,
      parallel: withFallback(uintShape(MAX_PARALLEL), DEFAULT_PARALLEL),
      graph: graphShape,
    }),
    reduce: recordShape<Kind<"reduce">>({
      ...base,
      over: sourceShape,
      initial: sourceShape,
      with: given,
      max: count,
      graph: graphShape,
    }),
    branch: recordShape<Kind<"branch">>({
      ...base,
      condition: sourceShape,
      with: given,
      then: graphShape,
      otherwise: graphShape,
    }),
    select: recordShape<Kind<"select">>({
      ...base,
      rule: wordShape(["first", "equal", "quorum"]),
      k: uintShape(MAX_ATTEMPTS),
      with: given,
      of: listShape(graphShape, MAX_ATTEMPTS),
    }),
    attempt: recordShape<Kind<"attempt">>({ ...base, with: given, graph: graphShape, fallback: graphShape }),
    retry: recordShape<Kind<"retry">>({
      ...base,
      attempts: uintShape(MAX_ATTEMPTS),
      backoffMs: withFallback(ms, 1_000),
      with: given,
      graph: graphShape,
    }),
    timeout: recordShape<Kind<"timeout">>({ ...base, ms, with: given, graph: graphShape }),
    delay: recordShape<Kind<"delay">>({ ...base, value: sourceShape, ms }),
    loop: recordShape<Kind<"loop">>({
      ...base,
      initial: sourceShape,
      with: given,
      max: count,
      graph: graphShape,
    }),
    subplan: recordShape<Kind<"subplan">>({ ...base, with: given, graph: graphShape }),
    observe: recordShape<Kind<"observe">>({ ...base, of: nodeNames, atLeast: count, ms }),
    stream: recordShape<Kind<"stream">>({ ...base, of: listShape(sourceShape, MAX_PLAN_NODES), max: count }),
    fail: recordShape<Kind<"fail">>({ ...base, detail: sourceShape }),
  }),
);

const version: Shape<1> = {
  wire: {
    write: (out) => out.head(0, PLAN_VERSION),
    read: (from) =>
      from.uint(65_535) === PLAN_VERSION
        ? PLAN_VERSION
        : from.fail("is a version that is not known here", "unsupported"),
  },
  text: {
    write: () => PLAN_VERSION,
    read: (from) => (from.value === PLAN_VERSION ? PLAN_VERSION : refuse(from, `has to be ${PLAN_VERSION}`)),
  },
};

export const planShape: Shape<Plan> = recordShape<Plan>({
  v: version,
  name: textShape(MAX_NAME_BYTES),
  graph: graphShape,
});

/** A plan's text has the fields of its graph beside its name: one level less to indent. */
export const planTextShape: Shape<FlatPlan> = lazyShape(() =>
  recordShape<FlatPlan>({
    v: withFallback(version, PLAN_VERSION),
    name: textShape(MAX_NAME_BYTES),
    params: withFallback(mapShape(typeShape, NAMES, MAX_NAMES), {}),
    nodes: mapShape(nodeShape, NODE_NAMES, MAX_PLAN_NODES, orderOfNodes, "node"),
    result: sourceShape,
  }),
);

export type FlatPlan = Omit<Plan, "graph"> & Graph;

import fc, { type Arbitrary } from "fast-check";
import { anyCid, anyPeer, anyText } from "../protocol/arbitrary.contract.ts";
import { FUNCTION_ABIS } from "../protocol/messages/session.ts";
import { fuel, microCredits } from "../protocol/units.ts";
import type { Expression } from "./expression.ts";
import { BUILTINS } from "./expression/builtins.ts";
import { BINARY, PREFIX } from "./expression/syntax.ts";
import { canonicalJson, type Value } from "./json-value.ts";
import {
  type Callee,
  EFFECT_KINDS,
  type Graph,
  type Place,
  type Plan,
  type PlanNode,
  type Provenance,
  type Source,
  type StepLimits,
} from "./plan.ts";
import { NAMES } from "./names.ts";
import type { ValueType } from "./value-type.ts";

/** Plans, expressions and values of every form; whether they make sense is another question. */

const word = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,5}$/u).filter((name) => NAMES.pattern.test(name));
const nodeName = fc.stringMatching(/^[A-Za-z0-9_-]{1,6}$/u);
const fieldName = fc.oneof(word, fc.stringMatching(/^[ a-z"\\:.é-]{0,4}$/u));
const count = fc.integer({ min: 0, max: 64 });

export const anyNumber: Arbitrary<number> = fc.oneof(
  fc.integer({ min: -1_000, max: 1_000 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);

function objectOf<T>(
  value: Arbitrary<T>,
  name: Arbitrary<string> = fieldName,
): Arbitrary<Readonly<Record<string, T>>> {
  return fc
    .uniqueArray(fc.tuple(name, value), { maxLength: 3, selector: ([key]) => key })
    .map((rows) => Object.fromEntries(rows));
}

/** JSON as it comes out of JSON.parse: no -0. */
export const anyJson: Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    anyNumber.map((number) => number + 0),
    anyText(12),
    fc.array(tie("value"), { maxLength: 3 }),
    objectOf(tie("value")),
  ),
})).value;

export const anyType: Arbitrary<ValueType> = fc.letrec<{ type: ValueType }>((tie) => ({
  type: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom<ValueType>(
      { type: "text" },
      { type: "bytes" },
      { type: "boolean" },
      { type: "number" },
      { type: "nothing" },
      { type: "json" },
    ),
    tie("type").map((of): ValueType => ({ type: "list", of })),
    tie("type").map((of): ValueType => ({ type: "optional", of })),
    objectOf(tie("type")).map((fields): ValueType => ({ type: "record", fields })),
  ),
})).type;

const functions = [...BUILTINS.keys()].filter((name) => NAMES.pattern.test(name));
const scalar: Arbitrary<Value> = fc.oneof(fc.constant(null), fc.boolean(), anyNumber, anyText(8));

/** Of a form that has a text: whether its functions get what they take is not looked at. */
export const anyExpression: Arbitrary<Expression> = fc.letrec<{ expression: Expression }>((tie) => {
  const inner = tie("expression");
  return {
    expression: fc.oneof(
      { depthSize: "small", withCrossShrink: true, maxDepth: 5 },
      word.map((name): Expression => ({ op: "name", name })),
      scalar.map((value): Expression => ({ op: "constant", json: canonicalJson(value) })),
      fc.tuple(inner, word).map(([of, name]): Expression => ({ op: "field", of, name })),
      fc.tuple(inner, inner).map(([of, index]): Expression => ({ op: "item", of, index })),
      fc.array(inner, { maxLength: 3 }).map((items): Expression => ({ op: "list", items })),
      objectOf(inner).map((fields): Expression => ({ op: "record", fields })),
      fc
        .tuple(inner, inner, inner)
        .map(([condition, then, otherwise]): Expression => ({ op: "if", condition, then, otherwise })),
      fc
        .tuple(fc.constantFrom(...BINARY.keys()), inner, inner)
        .map(([name, a, b]): Expression => ({ op: "call", name, args: [a, b] })),
      fc
        .tuple(fc.constantFrom(...PREFIX.values()), inner)
        .map(([name, a]): Expression => ({ op: "call", name, args: [a] })),
      fc
        .tuple(fc.constantFrom(...functions), fc.array(inner, { maxLength: 3 }))
        .map(([name, args]): Expression => ({ op: "call", name, args })),
    ),
  };
}).expression;

export const anySource: Arbitrary<Source> = fc.oneof(
  nodeName.map((id): Source => ({ from: "node", node: id })),
  word.map((param): Source => ({ from: "param", param })),
  anyJson.map((value): Source => ({ from: "constant", json: canonicalJson(value) })),
);

const anyPlace: Arbitrary<Place> = fc.oneof(
  fc.constantFrom<Place>({ at: "any" }, { at: "coordinator" }, { at: "initiator" }, { at: "relay" }),
  anyPeer.map((peer): Place => ({ at: "peer", peer })),
  nodeName.map((id): Place => ({ at: "with", node: id })),
  anyText(12).map((name): Place => ({ at: "name", name })),
  fc.record(
    {
      at: fc.constant("any" as const),
      prefer: fc.constantFrom("price", "reputation", "distance", "fair"),
      apartFrom: fc.array(nodeName, { maxLength: 2 }),
    },
    { requiredKeys: ["at"] },
  ),
);
const anyProvenance: Arbitrary<Provenance> = fc.oneof(
  fc.constantFrom<Provenance>({ check: "signature" }, { check: "audited" }, { check: "replay" }),
  fc.record({ check: fc.constant("quorum" as const), k: count, n: count }),
);
const anyLimits: Arbitrary<StepLimits> = fc.record({
  fuel: fc.oneof(fc.nat().map(fuel), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map(fuel)),
  memory: fc.nat({ max: 1_000_000 }),
  output: fc.nat({ max: 1_000_000 }),
  deadlineMs: fc.nat({ max: 100_000 }),
});
const anyCallee: Arbitrary<Callee> = fc.record({
  kind: fc.constantFrom("function", "model"),
  cid: anyCid,
  entry: word,
  abi: fc.constantFrom(...FUNCTION_ABIS),
  args: fc.array(anyText(8), { maxLength: 2 }),
});
const anyCapability = fc.record({
  kind: fc.constantFrom(...EFFECT_KINDS),
  origins: fc.array(anyText(12), { maxLength: 2 }),
  methods: fc.array(anyText(8), { maxLength: 2 }),
  namespace: anyText(8),
  chains: fc.array(anyText(8), { maxLength: 2 }),
  secrets: fc.array(anyText(8), { maxLength: 2 }),
  maxBytes: fc.nat({ max: 1_000_000 }),
  timeoutMs: fc.nat({ max: 10_000 }),
});
const anyTool = fc.record({
  name: word,
  about: anyText(12),
  tool: fc.oneof(
    fc.record({ kind: fc.constant("function" as const), callee: anyCallee }),
    fc.record({ kind: fc.constant("effect" as const), capability: anyCapability }),
  ),
});

const base = { title: anyText(12), after: fc.array(nodeName, { maxLength: 2 }) };
const remote = { ...base, place: anyPlace, provenance: anyProvenance, limits: anyLimits };
const given = objectOf(anySource, word);
const ms = fc.nat({ max: 100_000 });

/** A node of one kind, with and without a title and `after`. */
function node(
  kind: PlanNode["kind"],
  fields: Readonly<Record<string, Arbitrary<unknown>>>,
): Arbitrary<PlanNode> {
  const model = { kind: fc.constant(kind), ...base, ...fields };
  const requiredKeys = Object.keys(model).filter((key) => !(key in base));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each row below names exactly the fields of its kind; the round trip fails otherwise
  return fc.record(model, { requiredKeys: requiredKeys as never }) as unknown as Arbitrary<PlanNode>;
}

function nodesWith(graph: Arbitrary<Graph>): readonly Arbitrary<PlanNode>[] {
  return [
    node("map", { over: anySource, with: given, graph, max: count, parallel: count }),
    node("reduce", { over: anySource, initial: anySource, with: given, graph, max: count }),
    node("branch", { condition: anySource, with: given, then: graph, otherwise: graph }),
    node("select", {
      with: given,
      of: fc.array(graph, { maxLength: 2 }),
      rule: fc.constantFrom("first", "equal", "quorum"),
      k: count,
    }),
    node("attempt", { with: given, graph, fallback: graph }),
    node("retry", { with: given, graph, attempts: count, backoffMs: ms }),
    node("timeout", { with: given, graph, ms }),
    node("loop", { initial: anySource, with: given, graph, max: count }),
    node("subplan", { with: given, graph }),
  ];
}

const plainNodes: readonly Arbitrary<PlanNode>[] = [
  node("call", { ...remote, callee: anyCallee, input: anySource, output: anyType }),
  node("effect", { ...remote, capability: anyCapability, request: anySource, output: anyType }),
  node("agent", {
    ...remote,
    mind: anyCallee,
    task: anySource,
    tools: fc.array(anyTool, { maxLength: 2 }),
    maxSteps: count,
    budget: fc.nat().map(microCredits),
    output: anyType,
  }),
  node("expr", { expression: anyExpression, with: given }),
  node("delay", { value: anySource, ms }),
  node("observe", { of: fc.array(nodeName, { maxLength: 2 }), atLeast: count, ms }),
  node("stream", { of: fc.array(anySource, { maxLength: 2 }), max: count }),
  node("fail", { detail: anySource }),
];

const anyGraph: Arbitrary<Graph> = fc.letrec<{ graph: Graph }>((tie) => ({
  graph: fc.record({
    params: objectOf(anyType, word),
    nodes: objectOf<PlanNode>(
      fc.oneof({ depthSize: "small", maxDepth: 3 }, fc.oneof(...plainNodes), ...nodesWith(tie("graph"))),
      nodeName,
    ),
    result: anySource,
  }),
})).graph;

/** A plan of the right form: most of them mean nothing. */
export const anyPlan: Arbitrary<Plan> = fc.record({
  v: fc.constant(1 as const),
  name: anyText(16),
  graph: anyGraph,
});

/** A value of a type. */
export function anyOf(type: ValueType): Arbitrary<Value> {
  switch (type.type) {
    case "bytes":
      return fc.uint8Array({ maxLength: 6 });
    case "text":
      return anyText(12);
    case "boolean":
      return fc.boolean();
    case "number":
      return anyNumber.map((number) => number + 0);
    case "nothing":
      return fc.constant(null);
    case "json":
      return anyJson;
    case "list":
      return fc.array(anyOf(type.of), { maxLength: 4 });
    case "optional":
      return fc.oneof(fc.constant(null), anyOf(type.of));
    case "record": {
      const rows = Object.entries(type.fields).map(([name, of]) =>
        anyOf(of).map((value) => [name, value] as const),
      );
      return fc.tuple(...rows).map((fields) => Object.fromEntries(fields));
    }
    default:
      return type satisfies never;
  }
}

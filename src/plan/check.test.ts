import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cidOf, RAW } from "../protocol/cid.ts";
import { tries } from "../protocol/tries.contract.ts";
import { fuel } from "../protocol/units.ts";
import { anyPlan } from "./any-plan.contract.ts";
import { checkPlan, requireSound, typesOf } from "./check.ts";
import { MAX_GRAPH_DEPTH } from "./limits.ts";
import type { CallNode, EffectNode, Graph, Plan, PlanNode, Source } from "./plan.ts";
import { describeProblem } from "./plan-error.ts";
import { parsePlan } from "./plan-text.ts";
import { DEFAULT_STEP_LIMITS } from "./shape/plan-shape.ts";
import { printType } from "./text/type-text.ts";

const ONE: Source = { from: "constant", json: "1" };
const node = (id: string): Source => ({ from: "node", node: id });

function planOf(
  nodes: Readonly<Record<string, PlanNode>>,
  result: Source = ONE,
  params: Graph["params"] = {},
): Plan {
  return { v: 1, name: "test", graph: { params, nodes, result } };
}

function inner(
  nodes: Readonly<Record<string, PlanNode>>,
  result: Source = ONE,
  params: Graph["params"] = {},
): Graph {
  return { params, nodes, result };
}

function complaints(plan: Plan): readonly string[] {
  return checkPlan(plan).map(describeProblem);
}

const wait = (value: Source): PlanNode => ({ kind: "delay", value, ms: 1 });
const CALL: CallNode = {
  kind: "call",
  callee: { kind: "function", cid: cidOf(RAW, new Uint8Array(1)), entry: "_start", abi: "wasi-p1", args: [] },
  input: ONE,
  output: { type: "text" },
  place: { at: "any" },
  provenance: { check: "signature" },
  limits: DEFAULT_STEP_LIMITS,
};
const FETCH: EffectNode = {
  kind: "effect",
  capability: {
    kind: "fetch",
    origins: ["https://example.org"],
    methods: ["GET"],
    namespace: "",
    chains: [],
    secrets: [],
    maxBytes: 1_000,
    timeoutMs: 1_000,
  },
  request: { from: "constant", json: '{"url":"https://example.org/"}' },
  output: { type: "bytes" },
  place: { at: "any" },
  provenance: { check: "signature" },
  limits: DEFAULT_STEP_LIMITS,
};

describe("a plan is refused", () => {
  const rows: readonly (readonly [why: string, nodes: Readonly<Record<string, PlanNode>>, said: string])[] = [
    [
      "whose nodes wait for each other",
      { a: wait(node("b")), b: wait(node("c")), c: wait(node("a")) },
      'node "a": waits for itself: a needs b needs c needs a',
    ],
    [
      "whose node comes after itself",
      { a: { ...CALL, after: ["a"] } },
      'node "a": waits for itself: a needs a',
    ],
    [
      "that observes what waits for it",
      { a: wait(node("o")), o: { kind: "observe", of: ["a"], atLeast: 1, ms: 1 } },
      "waits for itself",
    ],
    [
      "that places a step inside of what it waits for",
      {
        m: { kind: "subplan", with: {}, graph: inner({ i: { ...CALL, place: { at: "with", node: "z" } } }) },
        z: wait(node("m")),
      },
      "waits for itself: m needs z needs m",
    ],
    [
      "that names a node which is not there",
      { a: wait(node("toString")) },
      'node "a", value: there is no node "toString" in this graph; there are a',
    ],
    [
      "that names a node of another graph",
      { s: { kind: "subplan", with: {}, graph: inner({ i: wait(ONE) }) }, a: wait(node("i")) },
      'node "a", value: there is no node "i" in this graph; there are s, a',
    ],
    [
      "that comes after nothing",
      { a: { ...CALL, after: ["b"] } },
      'node "a", after: there is no node "b" in this graph',
    ],
    [
      "that observes nothing",
      { o: { kind: "observe", of: [], atLeast: 0, ms: 1 } },
      'node "o", of: names no nodes to observe',
    ],
    [
      "that observes more than there is",
      { a: wait(ONE), o: { kind: "observe", of: ["a"], atLeast: 2, ms: 1 } },
      'node "o", atLeast: is more than the 1 nodes',
    ],
    [
      "with two nodes of one name",
      { a: { kind: "subplan", with: {}, graph: inner({ a: wait(ONE) }) } },
      'node "a": there are two nodes of this name in the plan',
    ],
    [
      "that places a step with nobody",
      { a: { ...CALL, place: { at: "with", node: "b" } } },
      'node "a", place: there is no node "b" in this graph or around it',
    ],
    [
      "that has the relay compute",
      { a: { ...CALL, place: { at: "relay" } } },
      'node "a", place: the relay carries out effects only',
    ],
    [
      "that looks for a store at a peer",
      {
        a: {
          ...FETCH,
          capability: { ...FETCH.capability, kind: "kv-get", origins: [], methods: [], namespace: "x" },
        },
      },
      'node "a", place: a store is kept by the relay; use place relay',
    ],
    [
      "whose quorum is at one peer",
      { a: { ...CALL, place: { at: "coordinator" }, provenance: { check: "quorum", k: 2, n: 3 } } },
      'node "a", provenance: a quorum needs several peers',
    ],
    [
      "whose quorum cannot be",
      { a: { ...CALL, provenance: { check: "quorum", k: 4, n: 3 } } },
      '"4 of 3" is no quorum',
    ],
    [
      "without fuel",
      { a: { ...CALL, limits: { ...DEFAULT_STEP_LIMITS, fuel: fuel(0) } } },
      'node "a", limits.fuel: has to be at least 1',
    ],
    [
      "whose model speaks no interface of models",
      { a: { ...CALL, callee: { ...CALL.callee, kind: "model" } } },
      'node "a", callee.abi: of a model has to be model-1',
    ],
    [
      "whose function has no entry",
      { a: { ...CALL, callee: { ...CALL.callee, entry: "" } } },
      'node "a", callee.entry: is empty',
    ],
    [
      "whose fetch goes nowhere",
      { a: { ...FETCH, capability: { ...FETCH.capability, origins: [] } } },
      'node "a", capability: a fetch names no origin',
    ],
    [
      "whose fetch goes to no origin",
      { a: { ...FETCH, capability: { ...FETCH.capability, origins: ["example.org"] } } },
      'node "a", capability: "example.org" is not an origin',
    ],
    [
      "whose effect is asked in plain text",
      { a: { ...FETCH, request: { from: "constant", json: '"url"' } } },
      'node "a", request: is text, but has to be JSON',
    ],
    [
      "that branches on a number",
      { a: { kind: "branch", condition: ONE, with: {}, then: inner({}), otherwise: inner({}) } },
      'node "a", condition: number does not fit boolean',
    ],
    [
      "that maps over a number",
      { a: { kind: "map", over: ONE, with: {}, graph: inner({}), max: 1, parallel: 1 } },
      'node "a", over: is number, but has to be a list',
    ],
    [
      "that maps over at most nothing",
      {
        a: {
          kind: "map",
          over: { from: "constant", json: "[]" },
          with: {},
          graph: inner({}),
          max: 0,
          parallel: 0,
        },
      },
      'node "a", max: has to be at least 1',
    ],
    [
      "that selects of nothing",
      { a: { kind: "select", with: {}, of: [], rule: "first", k: 1 } },
      'node "a", of: has no alternatives',
    ],
    [
      "that selects more than there are",
      { a: { kind: "select", with: {}, of: [inner({})], rule: "equal", k: 2 } },
      'node "a", k: has to be from 1 to the number of alternatives, 1',
    ],
    [
      "whose loop never says whether it is done",
      { a: { kind: "loop", initial: ONE, with: {}, graph: inner({}), max: 3 } },
      'node "a", graph.result: has to be {done, value}: number does not fit',
    ],
    [
      "whose loop changes its type",
      {
        a: {
          kind: "loop",
          initial: ONE,
          with: {},
          graph: inner({}, { from: "constant", json: '{"done":true,"value":"x"}' }),
          max: 3,
        },
      },
      'has to be {done, value}: field "value": text does not fit number',
    ],
    [
      "whose reduce changes its type",
      {
        a: {
          kind: "reduce",
          over: { from: "constant", json: "[1]" },
          initial: ONE,
          with: {},
          graph: inner({}, { from: "constant", json: '"x"' }, { accumulated: { type: "number" } }),
          max: 3,
        },
      },
      'node "a", graph.result: becomes "accumulated" of the next turn: text does not fit number',
    ],
    [
      "that gives what nobody asks for",
      { a: { kind: "subplan", with: { x: ONE }, graph: inner({}) } },
      'node "a", with.x: no graph of the node has a parameter "x"',
    ],
    [
      "that gives what the node gives itself",
      {
        a: {
          kind: "map",
          over: { from: "constant", json: "[]" },
          with: { item: ONE },
          graph: inner({}),
          max: 1,
          parallel: 1,
        },
      },
      'node "a", with.item: is given by the node itself',
    ],
    [
      "that asks for what nobody gives",
      { a: { kind: "subplan", with: {}, graph: inner({}, ONE, { x: { type: "text" } }) } },
      'node "a", graph.params.x: nothing is given for "x"; add it to with',
    ],
    [
      "that asks for a failure where none is told",
      {
        a: {
          kind: "attempt",
          with: {},
          graph: inner({}, ONE, { failure: { type: "json" } }),
          fallback: inner({}),
        },
      },
      'node "a", graph.params.failure: nothing is given for "failure"',
    ],
    [
      "that gives another type",
      { a: { kind: "subplan", with: { x: ONE }, graph: inner({}, ONE, { x: { type: "text" } }) } },
      'node "a", with.x: for "x": number does not fit text',
    ],
    [
      "whose alternatives have no type in common",
      {
        a: {
          kind: "select",
          with: { x: node("c") },
          of: [inner({}, { from: "param", param: "x" }, { x: { type: "bytes" } }), inner({})],
          rule: "first",
          k: 1,
        },
        c: { ...CALL, output: { type: "bytes" } },
      },
      'node "a": bytes and number have no type in common',
    ],
    [
      "whose expression does not fit",
      {
        a: {
          kind: "expr",
          expression: { op: "call", name: "trim", args: [{ op: "name", name: "x" }] },
          with: { x: ONE },
        },
      },
      'node "a", expression: in trim(x): argument 1: number does not fit text',
    ],
    [
      "whose agent has two tools of one name",
      {
        a: {
          kind: "agent",
          mind: CALL.callee,
          task: ONE,
          tools: [1, 2].map(() => ({
            name: "look",
            about: "",
            tool: { kind: "effect", capability: FETCH.capability },
          })),
          maxSteps: 1,
          budget: CALL.limits.fuel as never,
          output: { type: "json" },
          place: CALL.place,
          provenance: CALL.provenance,
          limits: CALL.limits,
        },
      },
      'node "a", tools.1.name: there are two tools "look"',
    ],
  ];
  test.each(rows)("%s", (_, nodes, said) => {
    expect(complaints(planOf(nodes)).join("\n")).toContain(said);
  });

  test("whose graphs stand too deep inside each other", () => {
    let graph = inner({});
    for (let level = 1; level < MAX_GRAPH_DEPTH; level += 1)
      graph = inner({ [`s${level}`]: { kind: "subplan", with: {}, graph } });
    expect(complaints({ v: 1, name: "x", graph })).toEqual([]);
    const deeper = planOf({ top: { kind: "subplan", with: {}, graph } });
    expect(complaints(deeper)).toEqual([
      `node "s1", graph: graphs stand more than ${MAX_GRAPH_DEPTH} deep inside each other`,
    ]);
  });

  test("that a program gave a form which the wire does not take", () => {
    expect(complaints(planOf({ a: { ...CALL, title: "x".repeat(1_000) } }))).toEqual([
      "text is longer than 200 bytes",
    ]);
  });

  test("with everything that is wrong with it at once", () => {
    const plan = planOf({ a: wait(node("x")), b: { ...CALL, after: ["y"] } }, node("z"));
    expect(complaints(plan)).toHaveLength(3);
    expect(() => requireSound(plan)).toThrow(/plan-refused: .*"x".*; .*"y".*; .*"z"/u);
  });
});

describe("a plan is taken", () => {
  test("that uses every kind of node as it should be", async () => {
    const { plan } = await parsePlan(EVERY_KIND);
    expect(complaints(plan)).toEqual([]);
    const kinds = new Set(Object.values(plan.graph.nodes).map(({ kind }) => kind));
    expect(kinds.size).toBe(17);
  });

  test("with the types that its values have", async () => {
    const { plan } = await parsePlan(EVERY_KIND);
    const types = Object.fromEntries([...typesOf(plan)].map(([id, type]) => [id, printType(type)]));
    expect(types).toMatchObject({
      size: "number",
      docs: "list<text>",
      total: "number",
      either: "json",
      fastest: "text",
      "first-two": "list<text>",
      safe: "text",
      again: "text",
      soon: "text",
      counted: "number",
      seen: "list<{done: boolean, node: text, value: json?, iteration: text}>",
      came: "list<text>",
      never: "text",
    });
  });

  test("of a chain of thousands of nodes", () => {
    const nodes: Record<string, PlanNode> = {};
    for (let at = 0; at < 4_000; at += 1) nodes[`n${at}`] = wait(at === 3_999 ? ONE : node(`n${at + 1}`));
    expect(complaints(planOf(nodes, node("n0")))).toEqual([]);
  });

  test("whose step inside of a map stays with a step outside", () => {
    const each: PlanNode = {
      kind: "map",
      over: { from: "constant", json: "[1]" },
      with: {},
      max: 3,
      parallel: 1,
      graph: inner({ i: { ...CALL, place: { at: "any", apartFrom: ["before"] } } }, node("i")),
    };
    expect(complaints(planOf({ each, before: CALL }, node("each")))).toEqual([]);
  });
});

test("whatever a plan is, checking it ends in words, and what passes has a type for every node", () => {
  let sound = 0;
  fc.assert(
    fc.property(anyPlan, (plan) => {
      const problems = checkPlan(plan);
      for (const { message } of problems) expect(message).not.toMatch(/undefined|\[object/u);
      if (problems.length > 0) return;
      sound += 1;
      for (const id of Object.keys(plan.graph.nodes)) expect(typesOf(plan).has(id)).toBe(true);
    }),
    { numRuns: tries(800) },
  );
  expect(sound).toBeGreaterThan(0);
});

const EVERY_KIND = `name: every
params: {urls: list<text>, raw: bytes}
nodes:
  size: {kind: expr, with: {raw: $raw}, expression: length(raw)}
  docs:
    kind: map
    over: $urls
    with: {n: size}
    max: 8
    graph:
      params: {item: text, n: number}
      nodes:
        get:
          kind: effect
          capability: {kind: fetch, origins: ["https://example.org"], methods: [GET]}
          request: ask
          output: text
          provenance: 2 of 3
        ask: {kind: expr, with: {item: $item, n: $n}, expression: '{url: item ++ text(n)}'}
      result: get
  called:
    kind: call
    callee: {cid: bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy, entry: _start, abi: wasi-p1}
    input: docs
    output: text
    place: {at: with, node: fetched}
  fetched:
    kind: effect
    capability: {kind: time}
    request: {constant: {}}
    output: json
    place: relay
  thought:
    kind: agent
    mind: {cid: bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy, entry: _start, abi: wasi-p1}
    task: called
    tools: [{name: clock, about: The time., tool: {kind: effect, capability: {kind: time}}}]
    maxSteps: 3
    budget: 100
    output: json
  total:
    kind: reduce
    over: docs
    initial: {constant: 0}
    max: 8
    graph:
      params: {accumulated: number, item: text}
      nodes: {add: {kind: expr, with: {a: $accumulated, t: $item}, expression: a + length(t)}}
      result: add
  big: {kind: expr, with: {total: total}, expression: total > 10}
  either:
    kind: branch
    condition: big
    with: {total: total}
    then: {params: {total: number}, nodes: {}, result: $total}
    otherwise: {nodes: {}, result: {constant: small}}
  fastest:
    kind: select
    rule: first
    k: 1
    with: {called: called}
    of:
      - {params: {called: text}, nodes: {}, result: $called}
      - {nodes: {}, result: {constant: b}}
  first-two:
    kind: select
    rule: first
    k: 2
    of: [{nodes: {}, result: {constant: a}}, {nodes: {}, result: {constant: b}}]
  safe:
    kind: attempt
    graph: {nodes: {}, result: {constant: a}}
    fallback:
      params: {failure: '{code: number, name: text, detail: text, node: text}'}
      nodes: {say: {kind: expr, with: {f: $failure}, expression: f.detail}}
      result: say
  again: {kind: retry, attempts: 3, graph: {nodes: {}, result: {constant: a}}}
  soon: {kind: timeout, ms: 100, graph: {nodes: {}, result: {constant: a}}}
  later: {kind: delay, value: soon, ms: 5, after: [again]}
  counted:
    kind: loop
    initial: {constant: 1}
    max: 9
    graph:
      params: {value: number, turn: number}
      nodes: {next: {kind: expr, with: {v: $value, t: $turn}, expression: '{done: v > 10, value: v * 2 + t}'}}
      result: next
  whole: {kind: subplan, with: {x: later}, graph: {params: {x: text}, nodes: {}, result: $x}}
  seen: {kind: observe, of: [called, docs], atLeast: 1, ms: 100}
  came: {kind: stream, of: [whole, soon], max: 2}
  stop: {kind: fail, detail: soon, after: [seen]}
  never:
    kind: attempt
    graph: {nodes: {wrong: {kind: fail, detail: {constant: on purpose}}}, result: wrong}
    fallback: {nodes: {}, result: {constant: a}}
result: came
`;

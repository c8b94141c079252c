import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkPlan, typesOf } from "../../plan/check.ts";
import { inputsOf } from "../../plan/node-parts.ts";
import type { Callee, Plan, PlanNode } from "../../plan/plan.ts";
import { printType } from "../../plan/text/type-text.ts";
import { cidOf, RAW } from "../../protocol/cid.ts";
import type { KindName } from "../runs/kinds.ts";
import { KINDS } from "../runs/kinds.ts";
import { blankNode } from "./blank-nodes.ts";
import { connectNodes, giveTo } from "./connections.ts";
import { wiredExpression } from "./expression-names.ts";
import { findNode, idsOf } from "./find-node.ts";
import {
  addNode,
  emptyPlan,
  freeId,
  removeNode,
  removeParam,
  renameNode,
  renameParam,
  setInput,
  setParam,
  whyNotId,
  withName,
  withoutName,
  changeNode,
} from "./plan-edits.ts";
import { withSettledParams } from "./plan-lore.ts";
import { parseExpression } from "../../plan/expression/parse-expression.ts";
import { PlanDraft } from "./plan-draft.ts";

const CALLEE: Callee = {
  kind: "function",
  cid: cidOf(RAW, Uint8Array.of(1)),
  entry: "run",
  abi: "bytes-1",
  args: [],
};
const KIND_NAMES = Object.keys(KINDS).filter((kind): kind is KindName => kind in KINDS);

function blank(kind: KindName): PlanNode {
  return blankNode(kind, CALLEE);
}

function expr(text: string, names: Readonly<Record<string, string>> = {}): PlanNode {
  return {
    kind: "expr",
    expression: parseExpression(text),
    with: Object.fromEntries(
      Object.entries(names).map(([name, node]) => [name, { from: "node", node } as const]),
    ),
  };
}

/** A list, a map over it with one step inside, and a step behind. */
function sample(): Plan {
  let plan = setParam(emptyPlan("sample"), "words", { type: "list", of: { type: "text" } });
  plan = addNode(plan, undefined, "each", blank("map"));
  plan = setInput(plan, "each", "over", { from: "param", param: "words" });
  plan = addNode(plan, { owner: "each", role: "graph" }, "call", blank("call"));
  plan = setInput(plan, "call", "input", { from: "param", param: "item" });
  plan = addNode(plan, undefined, "last", expr("length(each)", { each: "each" }));
  return withSettledParams({ ...plan, graph: { ...plan.graph, result: { from: "node", node: "last" } } });
}

function textOf(plan: Plan): string {
  return JSON.stringify(plan, (_, value: unknown) => (typeof value === "bigint" ? value.toString() : value));
}

describe("edits of a plan", () => {
  test("a plan put together by edits alone is sound, and parameters of inner graphs follow from what is given", () => {
    const plan = sample();
    expect(checkPlan(plan)).toEqual([]);
    const inner = findNode(plan, "call")?.graph;
    expect(inner?.params["item"]).toEqual({ type: "text" });
    const changed = withSettledParams(setParam(plan, "words", { type: "list", of: { type: "number" } }));
    expect(findNode(changed, "call")?.graph.params["item"]).toEqual({ type: "number" });
  });

  test("a step is called otherwise wherever it is named, and not by a name that is taken", () => {
    const plan = { ...sample() };
    const renamed = renameNode(plan, "each", "every");
    expect(idsOf(renamed.graph)).toEqual(["every", "call", "last"]);
    expect(checkPlan(renamed)).toEqual([]);
    expect(renameNode(plan, "each", "call")).toBe(plan);
    expect(whyNotId(plan, "each", "call")).toContain("Another step");
    expect(whyNotId(plan, "each", "a b")).toContain("letters");
    expect(whyNotId(plan, "each", "each")).toBeUndefined();
  });

  test("a step that is taken out is used nowhere any more", () => {
    const plan = changeNode(sample(), "last", (node) => ({ ...node, after: ["each"] }));
    const left = removeNode(plan, "each");
    expect(idsOf(left.graph)).toEqual(["last"]);
    expect(textOf(left)).not.toContain('"node":"each"');
    expect(findNode(left, "last")?.node.after).toBeUndefined();
  });

  test("parameters and names come and go with everything that used them", () => {
    const renamed = renameParam(sample(), "words", "texts");
    expect(checkPlan(renamed)).toEqual([]);
    expect(textOf(removeParam(renamed, "texts"))).not.toContain('"texts"');
    const named = changeNode(sample(), "each", (node) =>
      withName(node, "extra", { from: "param", param: "words" }, { type: "json" }),
    );
    expect(checkPlan(withSettledParams(named))).toEqual([]);
    expect(changeNode(named, "each", (node) => withoutName(node, "extra"))).toEqual(sample());
  });

  test("an edit touches only what is around it", () => {
    const plan = sample();
    const changed = changeNode(plan, "call", (node) => ({ ...node, title: "Call" }));
    expect(changed.graph.nodes["last"]).toBe(plan.graph.nodes["last"]);
    expect(changeNode(plan, "nobody", (node) => ({ ...node }))).toEqual(plan);
    expect(freeId(plan, "call")).toBe("call-2");
  });
});

describe("connections", () => {
  test("a value goes where nothing is given yet, or in under a new name", () => {
    const plan = addNode(sample(), undefined, "wait", blank("delay"));
    const given = connectNodes(plan, "last", "wait");
    expect(given).toMatchObject({ kind: "connected", slot: "value" });
    const named = connectNodes(addNode(plan, undefined, "sum-up", expr("1")), "last", "sum-up");
    expect(named).toMatchObject({ kind: "connected", slot: "with.last" });
    const blankOne = connectNodes(addNode(plan, undefined, "same", blank("expr")), "last", "same");
    const same = blankOne.kind === "connected" ? findNode(blankOne.plan, "same")?.node : undefined;
    expect(same).toMatchObject({ expression: { op: "name", name: "last" } });
  });

  test("what does not fit is refused, and it says why", () => {
    const plan = addNode(sample(), undefined, "more", blank("map"));
    const refused = connectNodes(plan, "last", "more");
    expect(refused).toMatchObject({ kind: "refused" });
    expect(refused.kind === "refused" && refused.why).toMatch(/list/u);
    const branch = addNode(plan, undefined, "if", blank("branch"));
    const condition = giveTo(branch, "if", "condition", { from: "node", node: "last" });
    expect(condition.kind === "refused" && condition.why).toMatch(/boolean/u);
  });

  test("no circle, no step of another graph, nothing to itself", () => {
    const plan = addNode(sample(), undefined, "then", expr("last", { last: "last" }));
    expect(connectNodes(plan, "then", "last").kind).toBe("refused");
    expect(connectNodes(plan, "call", "last").kind).toBe("refused");
    expect(connectNodes(plan, "last", "last").kind).toBe("refused");
  });

  test("an expression is given every name that it uses and somebody has", () => {
    const plan = addNode(sample(), undefined, "next", expr("null"));
    const node = wiredExpression(plan, "next", {
      kind: "expr",
      expression: parseExpression("last + length(words) + length(each)"),
      with: {},
    });
    expect(node.with).toEqual({
      last: { from: "node", node: "last" },
      words: { from: "param", param: "words" },
      each: { from: "node", node: "each" },
    });
  });
});

describe("a draft", () => {
  test("takes every edit back and does it again, letters of a word together", () => {
    let now = 0;
    const draft = new PlanDraft(() => now);
    draft.open(sample(), "opened");
    const opened = draft.plan;
    for (const title of ["N", "Ne", "Neu"]) {
      now += 100;
      draft.editNode("last", "title", (node) => ({ ...node, title }));
    }
    now += 5_000;
    draft.remove("call");
    draft.undo();
    expect(findNode(draft.plan, "last")?.node.title).toBe("Neu");
    draft.undo();
    expect(draft.plan).toEqual(opened);
    draft.redo();
    draft.redo();
    expect(findNode(draft.plan, "call")).toBeUndefined();
    expect(draft.canRedo).toBe(false);
  });

  test("puts a step behind the chosen one, and into one that is empty inside", () => {
    const draft = new PlanDraft(() => 0);
    draft.edit("a parameter", (plan) => setParam(plan, "words", { type: "list", of: { type: "text" } }));
    draft.add("map", blank("map"));
    draft.add("call", blank("call"));
    draft.select("each");
    draft.into.value = undefined;
    draft.add("expr", blank("expr"));
    expect(draft.problems).toEqual([]);
    expect(findNode(draft.plan, "function")?.place).toEqual({ owner: "each", role: "graph" });
    const [input] = inputsOf(findNode(draft.plan, "function")?.node ?? blank("call"));
    expect(input?.source).toEqual({ from: "param", param: "item" });
    expect(draft.plan.graph.result).toEqual({ from: "node", node: "value" });
    expect(printType(typesOf(draft.plan).get("each") ?? { type: "nothing" })).toBe("list<text>");
  });

  test("whatever is clicked, the plan can be checked, every step back leads to where it was", () => {
    const click = fc.record({
      kind: fc.constantFrom(...KIND_NAMES),
      at: fc.nat(20),
      to: fc.nat(20),
      what: fc.nat(5),
    });
    fc.assert(
      fc.property(fc.array(click, { maxLength: 14 }), (clicks) => {
        const draft = new PlanDraft(() => 0);
        const seen = [draft.plan];
        for (const { kind, at, to, what } of clicks) {
          const ids = idsOf(draft.plan.graph);
          const [one, other] = [ids[at % ids.length], ids[to % ids.length]];
          if (what < 3 || one === undefined || other === undefined) draft.add(kind, blank(kind));
          else if (what === 3) draft.connect(one, other);
          else if (what === 4) draft.remove(one);
          else draft.select(one);
          if (draft.plan !== seen.at(-1)) seen.push(draft.plan);
          for (const { message } of draft.problems) expect(message).not.toBe("");
        }
        for (const before of seen.slice(0, -1).toReversed()) {
          draft.undo();
          expect(draft.plan).toEqual(before);
        }
      }),
      { numRuns: 60 },
    );
  });
});

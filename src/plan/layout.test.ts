import { expect, test } from "vitest";
import { type Box, type DrawnNode, layoutPlan, type LayoutOptions } from "./layout.ts";
import type { Graph, Plan, PlanNode, Source } from "./plan.ts";

const SIZES: LayoutOptions = {
  node: { width: 200, height: 60 },
  head: 40,
  end: { width: 80, height: 28 },
  gap: { across: 30, down: 40 },
  padding: 12,
  label: 18,
};

const node = (id: string): Source => ({ from: "node", node: id });
const param = (name: string): Source => ({ from: "param", param: name });

function wait(value: Source, after: readonly string[] = []): PlanNode {
  return { kind: "delay", value, ms: 1, after };
}

function graph(nodes: Readonly<Record<string, PlanNode>>, result: Source): Graph {
  return { params: {}, nodes, result };
}

const PLAN: Plan = {
  v: 1,
  name: "drawn",
  graph: graph(
    {
      first: wait(param("text")),
      each: {
        kind: "map",
        over: node("first"),
        with: { text: param("text") },
        max: 8,
        parallel: 2,
        graph: graph({ inside: wait(param("item")), next: wait(node("inside")) }, node("next")),
      },
      either: {
        kind: "branch",
        condition: node("first"),
        with: {},
        then: graph({ yes: wait(param("text")) }, node("yes")),
        otherwise: graph({}, { from: "constant", json: "1" }),
      },
      last: wait(node("each"), ["either"]),
    },
    node("last"),
  ),
};

function isInside(inner: Box, outer: Box): boolean {
  return (
    inner.x >= outer.x &&
    inner.y >= outer.y &&
    inner.x + inner.width <= outer.x + outer.width &&
    inner.y + inner.height <= outer.y + outer.height
  );
}

function isApart(one: Box, other: Box): boolean {
  return (
    one.x + one.width <= other.x ||
    other.x + other.width <= one.x ||
    one.y + one.height <= other.y ||
    other.y + other.height <= one.y
  );
}

const drawing = layoutPlan(PLAN, SIZES);

function drawn(id: string): DrawnNode {
  const found = drawing.nodes.find((each) => each.id === id);
  if (found === undefined) throw new Error(`${id} is not drawn`);
  return found;
}

test("every node is drawn once, inside of the sheet, and what is inside of a node inside of its frame", () => {
  expect(drawing.nodes.map(({ id }) => id).toSorted()).toEqual(
    ["each", "either", "first", "inside", "last", "next", "yes"].toSorted(),
  );
  for (const each of drawing.nodes) expect(isInside(each, { x: 0, y: 0, ...drawing })).toBe(true);
  const frame = drawing.frames.find(({ owner }) => owner === "each");
  expect(frame !== undefined && isInside(drawn("inside"), frame) && isInside(frame, drawn("each"))).toBe(
    true,
  );
  expect(drawing.frames.filter(({ owner }) => owner === "either").map(({ role }) => role)).toEqual([
    "then",
    "otherwise",
  ]);
});

test("nodes of one graph do not lie on each other, and a value goes down", () => {
  const outer = drawing.nodes.filter(({ depth }) => depth === 0);
  for (const [index, one] of outer.entries())
    for (const other of outer.slice(index + 1)) expect(isApart(one, other)).toBe(true);
  for (const { points } of drawing.edges) {
    const heights = points.map(({ y }) => y);
    expect(heights).toEqual(heights.toSorted((a, b) => a - b));
  }
});

test("an edge says which value goes in where, and what only waits", () => {
  const told = drawing.edges.map(({ from, param: name, to, slots, isOrder }) => [
    from ?? name,
    to,
    slots.join(),
    isOrder,
  ]);
  expect(told).toContainEqual(["first", "each", "over", false]);
  expect(told).toContainEqual(["text", "each", "with.text", false]);
  expect(told).toContainEqual(["item", "inside", "value", false]);
  expect(told).toContainEqual(["either", "last", "", true]);
  expect(told).toContainEqual(["last", undefined, "result", false]);
});

test("the same plan is drawn the same, and one in a circle or with names that lead nowhere is drawn too", () => {
  expect(layoutPlan(PLAN, SIZES)).toEqual(drawing);
  const circle = graph({ a: wait(node("b")), b: wait(node("a")), c: wait(node("nobody")) }, node("c"));
  expect(layoutPlan({ ...PLAN, graph: circle }, SIZES).nodes).toHaveLength(3);
});

import { expect, test } from "vitest";
import type { DrawnNode } from "../../plan/layout.ts";
import { nodeInDirection } from "./graph-steps.ts";

function box(id: string, x: number, y: number): DrawnNode {
  return {
    id,
    x,
    y,
    width: 100,
    height: 50,
    depth: 0,
    node: { kind: "delay", value: { from: "constant", json: "1" }, ms: 1 },
  };
}

const NODES = [box("top", 100, 0), box("left", 0, 100), box("right", 200, 110), box("low", 100, 400)];

test("an arrow key leads to the nearest step that way, and nowhere at the edge", () => {
  expect(nodeInDirection(NODES, "left", "right")).toBe("right");
  expect(nodeInDirection(NODES, "right", "left")).toBe("left");
  expect(nodeInDirection(NODES, "top", "up")).toBeUndefined();
  expect(nodeInDirection(NODES, "left", "left")).toBeUndefined();
  expect(nodeInDirection(NODES, "top", "down")).toBe("left");
  expect(nodeInDirection(NODES, "low", "up")).toBe("right");
});

test("every step can be reached from every other", () => {
  for (const start of NODES) {
    const reached = new Set([start.id]);
    for (let round = 0; round < NODES.length; round += 1)
      for (const id of reached)
        for (const direction of ["up", "down", "left", "right"] as const) {
          const next = nodeInDirection(NODES, id, direction);
          if (next !== undefined) reached.add(next);
        }
    expect(reached.size).toBe(NODES.length);
  }
});

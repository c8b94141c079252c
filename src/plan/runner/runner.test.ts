import { describe, expect, it } from "vitest";
import { decodeUtf8, encodeUtf8 } from "../../protocol/text.ts";
import { call, coordinator, MemoryMesh, memoryRun, type MemoryFunction } from "../memory-peers.contract.ts";
import type { Expression } from "../expression.ts";
import type { Graph, Plan, PlanNode, Source } from "../plan.ts";

export const node = (id: string): Source => ({ from: "node", node: id });
export const param = (name: string): Source => ({ from: "param", param: name });
const named = (name: string): Expression => ({ op: "name", name });

const text =
  (change: (text: string) => string): MemoryFunction =>
  (input) =>
    encodeUtf8(change(decodeUtf8(input)));

const FUNCTIONS: Readonly<Record<string, MemoryFunction>> = {
  upper: text((given) => given.toUpperCase()),
  twice: text((given) => given + given),
};

function plan(nodes: Readonly<Record<string, PlanNode>>, result: Source, params: Graph["params"] = {}): Plan {
  return { v: 1, name: "test", graph: { params, nodes, result } };
}

describe("a run", () => {
  it("carries out what follows from each other in order", async () => {
    const mesh = await MemoryMesh.of(3, FUNCTIONS);
    const run = await memoryRun(mesh, {
      plan: plan(
        { a: call("upper", { input: param("word") }), b: call("twice", { input: node("a") }) },
        node("b"),
        { word: { type: "text" } },
      ),
      params: { word: encodeUtf8("hello") },
    });
    const { runner } = coordinator(mesh, run);
    const end = await runner.start();
    expect(end.failure).toBeUndefined();
    expect(decodeUtf8(end.result?.bytes ?? new Uint8Array())).toBe("HELLOHELLO");
    expect(runner.state.size).toBe(3);
  });

  it("maps over a list at several peers and joins what comes", async () => {
    const mesh = await MemoryMesh.of(3, FUNCTIONS);
    const each: Graph = {
      params: { item: { type: "text" } },
      nodes: { up: call("upper", { input: param("item") }) },
      result: node("up"),
    };
    const run = await memoryRun(mesh, {
      plan: plan(
        {
          all: { kind: "map", over: param("words"), with: {}, graph: each, max: 10, parallel: 2 },
          joined: {
            kind: "expr",
            expression: { op: "call", name: "join", args: [named("all"), { op: "constant", json: '"-"' }] },
            with: { all: node("all") },
          },
        },
        node("joined"),
        { words: { type: "list", of: { type: "text" } } },
      ),
      params: { words: encodeUtf8('["a","b","c","d"]') },
    });
    const { runner } = coordinator(mesh, run);
    const end = await runner.start();
    expect(end.failure).toBeUndefined();
    expect(decodeUtf8(end.result?.bytes ?? new Uint8Array())).toBe("A-B-C-D");
    expect(mesh.mostActive).toBe(2);
  });
});

import { encodeUtf8 } from "../../protocol/text.ts";
import { call, coordinator, MemoryMesh, memoryPeer, memoryRun } from "../memory-peers.contract.ts";
import type { RunRecord } from "../run-record.ts";
import { constant, expr, FUNCTIONS, node, param, planOf, TEXT } from "../runner/scene.contract.ts";

/** A run with a holder, a map, a failure that a fallback takes, a quorum and an expression. */
export async function recordOf(): Promise<RunRecord> {
  const mesh = await MemoryMesh.of(3, FUNCTIONS);
  const plan = planOf(
    {
      words: expr('split(text, " ")', { text: param("text") }),
      all: {
        kind: "map",
        over: node("words"),
        with: {},
        max: 4,
        parallel: 2,
        graph: {
          params: { item: TEXT },
          nodes: { up: call("upper", { input: param("item") }) },
          result: node("up"),
        },
      },
      tried: {
        kind: "attempt",
        with: {},
        graph: { params: {}, nodes: { no: call("none", { input: constant("x") }) }, result: node("no") },
        fallback: {
          params: { failure: { type: "json" } },
          nodes: { why: expr("text(failure.name)", { failure: param("failure") }) },
          result: node("why"),
        },
      },
      both: call("twice", {
        input: node("tried"),
        provenance: { check: "quorum", k: 2, n: 2 },
      }),
      said: expr('join(all, "+") ++ both', { all: node("all"), both: node("both") }),
    },
    node("said"),
    { text: TEXT },
  );
  for (const peer of mesh.peers)
    peer.conduct = (order) => (order.node === "no" ? { fail: "trap-unreachable" } : {});
  const run = await memoryRun(mesh, {
    plan,
    params: { text: encodeUtf8("a b c") },
    holders: [await memoryPeer(50)],
  });
  const { runner } = coordinator(mesh, run);
  await runner.start();
  return runner.record();
}

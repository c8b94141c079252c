/**
 * An agent: a mind that decides what to do next, and two tools. Here the mind is a function that follows three rules
 * (mind.as.ts); a model takes its place by `writerOf(cid)`. It may use three steps, and spend no more than its budget; every
 * decision and every use of a tool is a receipt.
 *
 *   npx tabmesh plan run --local examples/pipeline/agent.ts --allow-origin http://127.0.0.1:9400 \
 *     -p url=http://127.0.0.1:9400/repairs.html -p word=battery
 */
import { readFileSync } from "node:fs";
import { capabilityOf, functionOf, plan as planOf, t, type TypedPlan } from "../../src/plan/build.ts";
import { type Cid, cidOf, RAW } from "../../src/protocol/cid.ts";

function moduleCid(name: string): Cid {
  return cidOf(RAW, readFileSync(new URL(name, import.meta.url)));
}

const mind = functionOf({
  cid: moduleCid("mind.wasm"),
  input: t.text,
  output: t.text,
  abi: "bytes-1",
  entry: "tabmesh_run",
});
const cut = functionOf({ cid: moduleCid("split.wasm"), input: t.text, output: t.list(t.text) });

/** @param origins where the agent may read */
export function agent(
  origins: readonly string[],
): TypedPlan<{ readonly url: string; readonly word: string }, readonly string[]> {
  return planOf("agent", { url: t.text, word: t.text }, (g, { url, word }) => {
    const task = g.expr("task", t.json, "{url: url, word: word}", { url, word }, { title: "What is wanted" });
    return g.agent("reader", mind, task, {
      title: "Read and find",
      tools: [
        {
          name: "read",
          about: 'Gives the text of a page: {"url": address, "as": "text"}.',
          tool: { kind: "effect", capability: capabilityOf("fetch", { origins, maxBytes: 128 * 1024 }) },
        },
        {
          name: "cut",
          about: "Cuts a text or a page into passages.",
          tool: { kind: "function", callee: cut.callee },
        },
      ],
      maxSteps: 3,
      budget: 100_000,
      output: t.list(t.text),
    });
  });
}

export const plan: ReturnType<typeof agent> = agent(["http://127.0.0.1:9400"]);

import { describe, expect, it } from "vitest";
import { FailureError } from "../../protocol/failure.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { microCredits } from "../../protocol/units.ts";
import { call, code, LIMITS, MemoryMesh, rawCid, STEP_COST } from "../memory-peers.contract.ts";
import type { Capability, Graph, Plan, PlanNode, Provenance } from "../plan.ts";
import { capabilityCid } from "../../protocol/messages/effect.ts";
import {
  expr,
  FUNCTIONS,
  JSON_TYPE,
  node,
  NUMBER,
  param,
  planOf,
  ran,
  TEXT,
  constant,
} from "./scene.contract.ts";

const LIMITS_BUDGET = microCredits(1_000);
const clean = { problems: [], unchecked: [], ok: true };

const upperOf: Graph = {
  params: { item: TEXT },
  nodes: { up: call("upper", { input: param("item") }) },
  result: node("up"),
};

const again = (name: string): Plan =>
  planOf(
    {
      r: {
        kind: "retry",
        with: {},
        attempts: 4,
        backoffMs: 1,
        graph: { params: {}, nodes: { up: call(name, { input: constant("x") }) }, result: node("up") },
      },
    },
    node("r"),
  );

const loop = (max: number): Plan =>
  planOf(
    {
      l: {
        kind: "loop",
        initial: constant("a"),
        with: {},
        max,
        graph: {
          params: { value: TEXT, turn: NUMBER },
          nodes: {
            two: call("twice", { input: param("value") }),
            said: expr("{done: turn >= 2, value: two}", { turn: param("turn"), two: node("two") }),
          },
          result: node("said"),
        },
      },
    },
    node("l"),
  );

const alternatives = (inputs: readonly string[], rule: "first" | "equal" | "quorum", k: number): Plan =>
  planOf(
    {
      s: {
        kind: "select",
        with: {},
        rule,
        k,
        of: inputs.map((input, place): Graph => ({
          params: {},
          nodes: { [`n${place}`]: call("upper", { input: constant(input) }) },
          result: node(`n${place}`),
        })),
      },
    },
    node("s"),
  );

const mind = (input: Uint8Array): Uint8Array => {
  const told: { steps: readonly { result?: unknown; failure?: unknown }[]; task: string } = JSON.parse(
    new TextDecoder().decode(input),
  );
  const last = told.steps.at(-1);
  if (last === undefined) return encodeUtf8(JSON.stringify({ tool: "shout", input: told.task }));
  if (told.steps.length === 1) return encodeUtf8(JSON.stringify({ tool: "broken", input: { a: 1 } }));
  return encodeUtf8(
    JSON.stringify({ answer: [told.steps[0]?.result, last.failure === undefined ? "fine" : "failed"] }),
  );
};

const agentPlan = (maxSteps: number): Plan =>
  planOf(
    {
      a: {
        kind: "agent",
        mind: call("mind", { input: constant("") }).callee,
        task: param("task"),
        tools: [
          {
            name: "shout",
            about: "says it loudly",
            tool: { kind: "function", callee: call("upper", { input: constant("") }).callee },
          },
          {
            name: "broken",
            about: "never works",
            tool: { kind: "function", callee: call("broken", { input: constant("") }).callee },
          },
        ],
        maxSteps,
        budget: LIMITS_BUDGET,
        output: JSON_TYPE,
        place: { at: "any" },
        provenance: { check: "signature" },
        limits: LIMITS,
      },
    },
    node("a"),
    { task: TEXT },
  );

describe("a run", () => {
  it("carries out what follows from each other in order, and its record proves it", async () => {
    const mesh = await MemoryMesh.of(3, FUNCTIONS);
    const plan = planOf(
      { a: call("upper", { input: param("word") }), b: call("twice", { input: node("a") }) },
      node("b"),
      { word: TEXT },
    );
    const { said, runner, check } = await ran(mesh, { plan, params: { word: encodeUtf8("hello") } });
    expect(said).toBe("HELLOHELLO");
    expect(runner.state.size).toBe(3);
    expect(runner.spent).toBe(BigInt(2 * STEP_COST));
    expect(check).toMatchObject({ ...clean, status: "done", steps: 2 });
  });

  it("hands a value that only peers need from peer to peer, and never to its coordinator", async () => {
    const mesh = await MemoryMesh.of(3, FUNCTIONS);
    const plan = planOf(
      { a: call("upper", { input: param("word") }), b: call("twice", { input: node("a") }) },
      node("b"),
      { word: TEXT },
    );
    const { runner } = await ran(mesh, { plan, params: { word: encodeUtf8("hello") } });
    const orders = mesh.peers.flatMap(({ orders: each }) => each);
    expect(
      orders.map(({ node: id, hold, input }) => `${id} ${hold} ${input.bytes !== undefined}`).toSorted(),
    ).toEqual(["a true true", "b false false"]);
    expect(runner.record().values).toHaveLength(1);
  });

  it("maps over a list, no more at a time than the plan says, and joins what comes", async () => {
    const mesh = await MemoryMesh.of(3, FUNCTIONS);
    const plan = planOf(
      {
        all: { kind: "map", over: param("words"), with: {}, graph: upperOf, max: 10, parallel: 2 },
        joined: expr('join(all, "-")', { all: node("all") }),
      },
      node("joined"),
      { words: { type: "list", of: TEXT } },
    );
    const { said, check } = await ran(mesh, { plan, params: { words: encodeUtf8('["a","b","c","d"]') } });
    expect(said).toBe("A-B-C-D");
    expect(mesh.mostActive).toBe(2);
    expect(check).toMatchObject({ ...clean, steps: 4 });
  });

  it("refuses a list that is longer than a map may take, before anything of it runs", async () => {
    const mesh = await MemoryMesh.of(1, FUNCTIONS);
    const plan = planOf(
      { all: { kind: "map", over: param("words"), with: {}, graph: upperOf, max: 2, parallel: 2 } },
      node("all"),
      { words: { type: "list", of: TEXT } },
    );
    const { said, check } = await ran(mesh, { plan, params: { words: encodeUtf8('["a","b","c"]') } });
    expect(said).toBe(`all  ${code("too-large")} 3 elements, at most 2`);
    expect(mesh.peers[0]?.orders).toEqual([]);
    expect(check).toMatchObject({ ...clean, status: "failed" });
  });

  it("maps over nothing", async () => {
    const mesh = await MemoryMesh.of(1, FUNCTIONS);
    const plan = planOf(
      { all: { kind: "map", over: param("words"), with: {}, graph: upperOf, max: 2, parallel: 2 } },
      node("all"),
      { words: { type: "list", of: TEXT } },
    );
    const { said, check } = await ran(mesh, { plan, params: { words: encodeUtf8("[]") } });
    expect(said).toBe("[]");
    expect(check).toMatchObject(clean);
  });

  it("reduces from left to right", async () => {
    const mesh = await MemoryMesh.of(2, FUNCTIONS);
    const graph: Graph = {
      params: { accumulated: TEXT, item: TEXT, index: NUMBER, sign: TEXT },
      nodes: {
        up: call("upper", { input: param("item") }),
        next: expr("accumulated ++ sign ++ text(index) ++ up", {
          accumulated: param("accumulated"),
          sign: param("sign"),
          index: param("index"),
          up: node("up"),
        }),
      },
      result: node("next"),
    };
    const plan = planOf(
      {
        all: {
          kind: "reduce",
          over: constant(["a", "b", "c"]),
          initial: constant("0"),
          with: { sign: constant("+") },
          graph,
          max: 5,
        },
      },
      node("all"),
    );
    const { said, check } = await ran(mesh, { plan });
    expect(said).toBe("0+0A+1B+2C");
    expect(check).toMatchObject({ ...clean, steps: 3 });
  });

  it.each([
    [true, "YES"],
    [false, "nono"],
  ])("takes the branch that the condition says: %s", async (condition, wanted) => {
    const mesh = await MemoryMesh.of(2, FUNCTIONS);
    const plan = planOf(
      {
        b: {
          kind: "branch",
          condition: param("is"),
          with: { word: constant("no") },
          then: { params: {}, nodes: { up: call("upper", { input: constant("yes") }) }, result: node("up") },
          otherwise: {
            params: { word: TEXT },
            nodes: { two: call("twice", { input: param("word") }) },
            result: node("two"),
          },
        },
      },
      node("b"),
      { is: { type: "boolean" } },
    );
    const { said, check } = await ran(mesh, { plan, params: { is: encodeUtf8(String(condition)) } });
    expect(said).toBe(wanted);
    expect(check).toMatchObject({ ...clean, steps: 1 });
  });

  it("falls back with the failure at hand", async () => {
    const mesh = await MemoryMesh.of(1, FUNCTIONS);
    for (const peer of mesh.peers) peer.conduct = () => ({ fail: "trap-unreachable" });
    const plan = planOf(
      {
        tried: {
          kind: "attempt",
          with: {},
          graph: { params: {}, nodes: { up: call("upper", { input: constant("x") }) }, result: node("up") },
          fallback: {
            params: { failure: JSON_TYPE },
            nodes: {
              say: expr('text(failure.name) ++ " at " ++ text(failure.node)', { failure: param("failure") }),
            },
            result: node("say"),
          },
        },
      },
      node("tried"),
    );
    const { said, check, end } = await ran(mesh, { plan });
    expect(end.failure).toBeUndefined();
    expect(said).toBe("trap-unreachable at up");
    expect(check).toMatchObject({ ...clean, status: "done" });
  });

  it("tries a graph again whose failure may pass, and no other", async () => {
    const mesh = await MemoryMesh.of(1, FUNCTIONS);
    let turn = 0;
    for (const peer of mesh.peers) peer.conduct = () => ((turn += 1) <= 2 ? { lose: "closed" } : {});
    const { said, check } = await ran(mesh, { plan: again("upper") }, { attempts: 1 });
    expect(said).toBe("X");
    expect(check).toMatchObject({ ...clean, steps: 1 });
    for (const peer of mesh.peers) {
      peer.orders.length = 0;
      peer.conduct = () => ({ fail: "trap-divide-by-zero" });
    }
    const failed = await ran(mesh, { plan: again("upper") }, { attempts: 1 });
    expect(failed.end.failure).toMatchObject({ node: "up", code: code("trap-divide-by-zero") });
    expect(mesh.peers[0]?.orders).toHaveLength(1);
    expect(failed.check).toMatchObject({ ...clean, status: "failed" });
  });

  it("gives up what takes longer than its timeout, and says which node", async () => {
    const mesh = await MemoryMesh.of(1, FUNCTIONS);
    for (const peer of mesh.peers) peer.conduct = () => ({ hang: true });
    const plan = planOf(
      {
        t: {
          kind: "timeout",
          with: {},
          ms: 20,
          graph: { params: {}, nodes: { up: call("upper", { input: constant("x") }) }, result: node("up") },
        },
      },
      node("t"),
    );
    const { said, check, events } = await ran(mesh, { plan });
    expect(said).toBe(`t  ${code("timed-out")} not done within 20 ms`);
    expect(events.find((event) => event.kind === "ended" && event.node === "up")).toMatchObject({
      status: "skipped",
    });
    expect(check).toMatchObject({ ...clean, status: "failed", code: code("timed-out") });
  });

  it("waits where the plan says so", async () => {
    const mesh = await MemoryMesh.of(1, FUNCTIONS);
    const plan = planOf({ d: { kind: "delay", value: constant("later"), ms: 1 } }, node("d"));
    const { said, check } = await ran(mesh, { plan });
    expect(said).toBe("later");
    expect(check).toMatchObject(clean);
  });

  it("loops until it is done, and no longer than it may", async () => {
    const mesh = await MemoryMesh.of(1, FUNCTIONS);
    const { said, check } = await ran(mesh, { plan: loop(5) });
    expect(said).toBe("aaaaaaaa");
    expect(check).toMatchObject({ ...clean, steps: 3 });
    const endless = await ran(mesh, { plan: loop(2) });
    expect(endless.said).toBe(`l  ${code("expression-failed")} not done after 2 turns`);
    expect(endless.check).toMatchObject({ ...clean, status: "failed" });
  });

  it("carries a plan inside of a plan out", async () => {
    const mesh = await MemoryMesh.of(1, FUNCTIONS);
    const plan = planOf(
      { s: { kind: "subplan", with: { item: param("word") }, graph: upperOf } },
      node("s"),
      { word: TEXT },
    );
    const { said, check } = await ran(mesh, { plan, params: { word: encodeUtf8("inner") } });
    expect(said).toBe("INNER");
    expect(check).toMatchObject(clean);
  });

  it("fails on purpose, and skips what comes after", async () => {
    const mesh = await MemoryMesh.of(1, FUNCTIONS);
    const plan = planOf(
      {
        no: { kind: "fail", detail: constant("the list is empty") },
        late: call("upper", { input: constant("x"), after: ["no"] }),
      },
      node("late"),
    );
    const { said, check, events } = await ran(mesh, { plan });
    expect(said).toBe(`no  ${code("expression-failed")} the list is empty`);
    expect(events.find((event) => event.kind === "ended" && event.node === "late")).toMatchObject({
      status: "skipped",
    });
    expect(mesh.peers[0]?.orders).toEqual([]);
    expect(check).toMatchObject({ ...clean, status: "failed" });
  });

  it("carries out a node that nothing needs but its effect, after those that it names", async () => {
    const mesh = await MemoryMesh.of(1, FUNCTIONS);
    const plan = planOf(
      {
        a: call("upper", { input: constant("a") }),
        b: call("upper", { input: constant("b"), after: ["a"] }),
        r: expr('"done"'),
      },
      node("r"),
    );
    const { said, check } = await ran(mesh, { plan });
    expect(said).toBe("done");
    expect(mesh.peers[0]?.orders.map(({ node: id }) => id)).toEqual(["a", "b"]);
    expect(check).toMatchObject({ ...clean, steps: 2 });
  });
});

describe("a select", () => {
  it("takes the first, and cancels the others", async () => {
    const mesh = await MemoryMesh.of(3, FUNCTIONS);
    for (const peer of mesh.peers) peer.conduct = (order) => (order.node === "n1" ? {} : { hang: true });
    const { said, check } = await ran(mesh, { plan: alternatives(["a", "b", "c"], "first", 1) });
    expect(said).toBe("B");
    expect(mesh.active).toBe(0);
    expect(check).toMatchObject({ ...clean, steps: 1 });
  });

  it("takes the first two, in the plan's order", async () => {
    const mesh = await MemoryMesh.of(3, FUNCTIONS);
    for (const peer of mesh.peers) peer.conduct = (order) => (order.node === "n1" ? { hang: true } : {});
    const { said, check } = await ran(mesh, { plan: alternatives(["a", "b", "c"], "first", 2) });
    expect(said).toBe('["A","C"]');
    expect(check).toMatchObject(clean);
  });

  it("takes what two of three agree on, and does not wait for the third", async () => {
    const mesh = await MemoryMesh.of(3, FUNCTIONS);
    for (const peer of mesh.peers)
      peer.conduct = (order) =>
        order.node === "n0" ? { hang: true } : order.node === "n3" ? { hang: true } : {};
    const { said, check } = await ran(mesh, { plan: alternatives(["a", "b", "b", "c"], "equal", 2) });
    expect(said).toBe("B");
    expect(check).toMatchObject(clean);
  });

  it("waits for all where a quorum of all is asked for", async () => {
    const mesh = await MemoryMesh.of(3, FUNCTIONS);
    const plan = alternatives(["a", "b", "b", "a", "a"], "quorum", 2);
    const { said, check } = await ran(mesh, { plan });
    expect(said).toBe("A");
    expect(check).toMatchObject({ ...clean, steps: 5 });
  });

  it("fails when no two agree any more", async () => {
    const mesh = await MemoryMesh.of(3, FUNCTIONS);
    const { said, check } = await ran(mesh, { plan: alternatives(["a", "b", "c"], "equal", 2) });
    expect(said).toBe(`s  ${code("verification-failed")} 3 of 3 came to something, and not 2 to the same`);
    expect(check).toMatchObject({ ...clean, status: "failed" });
  });

  it("goes on with the others when one fails", async () => {
    const mesh = await MemoryMesh.of(3, FUNCTIONS);
    for (const peer of mesh.peers)
      peer.conduct = (order) => (order.node === "n0" ? { fail: "trap-unreachable" } : { waitMs: 5 });
    const { said, check } = await ran(mesh, { plan: alternatives(["a", "b"], "first", 1) });
    expect(said).toBe("B");
    expect(check).toMatchObject(clean);
  });

  it("fails with the first failure when all fail", async () => {
    const mesh = await MemoryMesh.of(3, FUNCTIONS);
    for (const peer of mesh.peers) peer.conduct = () => ({ fail: "trap-unreachable" });
    const { end, check } = await ran(mesh, { plan: alternatives(["a", "b"], "first", 1) });
    expect(end.failure).toMatchObject({ code: code("trap-unreachable") });
    expect(check).toMatchObject({ ...clean, status: "failed" });
  });
});

describe("what is watched", () => {
  it("is seen as it ended, failures included, and what is not waited for is cancelled", async () => {
    const mesh = await MemoryMesh.of(3, FUNCTIONS);
    for (const peer of mesh.peers)
      peer.conduct = ({ node: id }) =>
        id === "a" ? {} : id === "b" ? { waitMs: 5, fail: "trap-unreachable" } : { hang: true };
    const plan = planOf(
      {
        a: call("upper", { input: constant("a") }),
        b: call("upper", { input: constant("b") }),
        c: call("upper", { input: constant("c") }),
        o: { kind: "observe", of: ["a", "b", "c"], atLeast: 2, ms: 10_000 },
      },
      node("o"),
    );
    const { said, check } = await ran(mesh, { plan });
    expect(JSON.parse(said)).toEqual([
      { node: "a", iteration: "", done: true, value: "A" },
      { node: "b", iteration: "", done: false },
    ]);
    expect(mesh.active).toBe(0);
    expect(check).toMatchObject(clean);
  });

  it("is what there is when time is up", async () => {
    const mesh = await MemoryMesh.of(3, FUNCTIONS);
    for (const peer of mesh.peers) peer.conduct = () => ({ hang: true });
    const plan = planOf(
      {
        a: call("upper", { input: constant("a") }),
        o: { kind: "observe", of: ["a"], atLeast: 1, ms: 5 },
      },
      node("o"),
    );
    const { said, check } = await ran(mesh, { plan });
    expect(said).toBe("[]");
    expect(check).toMatchObject(clean);
  });

  it("streams in the order in which it comes, without what failed", async () => {
    const mesh = await MemoryMesh.of(3, FUNCTIONS);
    for (const peer of mesh.peers)
      peer.conduct = ({ node: id }) =>
        id === "a" ? { waitMs: 10 } : id === "b" ? { fail: "trap-unreachable" } : {};
    const plan = planOf(
      {
        a: call("upper", { input: constant("a") }),
        b: call("upper", { input: constant("b") }),
        c: call("upper", { input: constant("c") }),
        s: { kind: "stream", of: [node("a"), node("b"), node("c")], max: 3 },
      },
      node("s"),
    );
    const { said, check } = await ran(mesh, { plan });
    expect(said).toBe('["C","A"]');
    expect(check).toMatchObject(clean);
  });
});

const FETCH: Capability = {
  kind: "fetch",
  origins: ["https://example.org"],
  methods: ["GET"],
  namespace: "",
  chains: [],
  secrets: [],
  maxBytes: 1_000,
  timeoutMs: 1_000,
};

function fetching(provenance: Provenance): Plan {
  return planOf(
    {
      f: {
        kind: "effect",
        capability: FETCH,
        request: constant({ url: "https://example.org/", method: "GET" }),
        output: JSON_TYPE,
        place: { at: "any" },
        provenance,
        limits: LIMITS,
      },
      status: expr("f.status", { f: node("f") }),
    },
    node("status"),
  );
}

async function effectMesh(): Promise<MemoryMesh> {
  const mesh = await MemoryMesh.of(2, FUNCTIONS);
  mesh.effects.set(capabilityCid(FETCH), () => encodeUtf8('{"status":200}'));
  return mesh;
}

describe("what cannot be computed again", () => {
  it("is an effect, and its receipt names a record, which is kept with the run", async () => {
    const { said, check, events, runner } = await ran(await effectMesh(), {
      plan: fetching({ check: "signature" }),
    });
    expect(said).toBe("200");
    expect(events.find((event) => event.kind === "ended" && event.node === "f")).toMatchObject({
      effect: true,
    });
    expect(check).toMatchObject({ ...clean, steps: 1 });
    const receipt = runner.state.since(0).find(({ step }) => step.node === "f");
    expect(runner.record().values.map(({ cid }) => cid)).toContain(receipt?.step.record);
  });

  it("counts only with its record where the plan asks for a replay", async () => {
    const mesh = await effectMesh();
    // A peer that says nothing of what it saw, and one that shows another's record.
    let asked = 0;
    for (const peer of mesh.peers)
      peer.conduct = () => ({
        forge: (step) =>
          (asked += 1) === 1 ? { ...step, record: rawCid(encodeUtf8("nobody has this")) } : step,
      });
    const { said, check, events } = await ran(mesh, { plan: fetching({ check: "replay" }) });
    expect(said).toBe("200");
    expect(asked).toBe(2);
    expect(events.filter(({ kind }) => kind === "lost")).toMatchObject([
      { node: "f", code: code("bad-receipt") },
    ]);
    expect(check.problems).toEqual([]);
  });
});

describe("an agent", () => {
  it("thinks and uses tools until it has an answer, and each is a receipt", async () => {
    const mesh = await MemoryMesh.of(2, {
      ...FUNCTIONS,
      mind,
      broken: () => {
        throw new FailureError("trap-unreachable", "broken for ever");
      },
    });
    const { said, check, runner } = await ran(mesh, {
      plan: agentPlan(5),
      params: { task: encodeUtf8("hello") },
    });
    expect(said).toBe('["HELLO","failed"]');
    const own = runner.state.since(0).filter(({ step }) => step.node === "a" && step.attempt < 1_000);
    expect(own.map(({ step }) => `${step.iteration} ${step.status}`).toSorted()).toEqual([
      "0 done",
      "1 done",
      "2 done",
      "3 failed",
      "4 done",
    ]);
    expect(check).toMatchObject({ ...clean, steps: 5 });
  });

  it("stops when it has no answer after as many steps as it may take", async () => {
    const mesh = await MemoryMesh.of(2, { ...FUNCTIONS, mind });
    const { said, check } = await ran(mesh, { plan: agentPlan(1), params: { task: encodeUtf8("hello") } });
    expect(said).toBe(`a  ${code("expression-failed")} no answer after 1 steps`);
    expect(check).toMatchObject({ ...clean, status: "failed" });
  });
});

describe("a large run", () => {
  it("names more receipts than one step has room for through gathering steps", async () => {
    const mesh = await MemoryMesh.of(1, FUNCTIONS);
    const graph: Graph = {
      params: { item: NUMBER },
      nodes: { more: expr("item + 1", { item: param("item") }) },
      result: node("more"),
    };
    const count = 1_200;
    const plan = planOf(
      {
        all: { kind: "map", over: param("numbers"), with: {}, graph, max: count, parallel: 64 },
        total: expr("sum(all)", { all: node("all") }),
      },
      node("total"),
      { numbers: { type: "list", of: NUMBER } },
    );
    const numbers = encodeUtf8(JSON.stringify(Array.from({ length: count }, (_, place) => place)));
    const { said, check, runner } = await ran(mesh, { plan, params: { numbers } });
    expect(said).toBe(String((count * (count + 1)) / 2));
    expect(
      runner.state.since(0).filter(({ step }) => step.attempt >= 50_000 && step.attempt < 60_000),
    ).toHaveLength(2);
    expect(check).toMatchObject(clean);
  });

  it("is a chain of fifteen hundred nodes like any other", async () => {
    const mesh = await MemoryMesh.of(1, FUNCTIONS);
    const nodes: Record<string, PlanNode> = { n0: expr("0") };
    for (let i = 1; i < 1_500; i += 1) nodes[`n${i}`] = expr("x + 1", { x: node(`n${i - 1}`) });
    const { said, check } = await ran(mesh, { plan: planOf(nodes, node("n1499")) });
    expect(said).toBe("1499");
    expect(check).toMatchObject(clean);
  });
});

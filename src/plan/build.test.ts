import { describe, expect, expectTypeOf, test } from "vitest";
import { cidOf, RAW } from "../protocol/cid.ts";
import { FUNCTION_ABIS, type FunctionAbi } from "../protocol/messages/session.ts";
import {
  apartFrom,
  besides,
  capabilityOf,
  embedderOf,
  functionOf,
  type GraphBuilder,
  plan,
  t,
  type TypedPlan,
  type Value,
  writerOf,
} from "./build.ts";
import { checkPlan } from "./check.ts";
import { decodePlan, encodePlan } from "./plan-codec.ts";
import { parsePlan, printPlan } from "./plan-text.ts";

const CID = cidOf(RAW, new Uint8Array(1));
const page = t.record({ title: t.text, score: t.number });
const clean = functionOf({ cid: CID, input: t.bytes, output: t.text });
const rate = functionOf({ cid: CID, input: t.text, output: page, abi: "bytes-1", limits: { fuel: 5n } });

function pipeline(): TypedPlan<
  { readonly urls: readonly string[] },
  readonly { readonly title: string; readonly score: number }[]
> {
  return plan("pipeline", { urls: t.list(t.text) }, (g, { urls }) => {
    const suffix = g.expr("suffix", t.text, 'repeat("!", 2)');
    const pages = g.map("pages", urls, { max: 10 }, (each, url, index) => {
      const request = each.expr("request", t.record({ url: t.text }), "{url: url ++ suffix}", {
        url,
        suffix,
      });
      const raw = each.effect(
        "fetch",
        capabilityOf("fetch", { origins: ["https://example.org"] }),
        request,
        t.bytes,
      );
      const text = each.call("clean", clean, raw, { place: besides(raw) });
      const rated = each.call("rate", rate, text, { place: apartFrom(raw, text), limits: { memory: 1_000 } });
      return each.branch(
        "first",
        each.expr("is-first", t.boolean, "index == 0", { index }),
        () => rated,
        (rest) => rest.expr("worse", page, "merge(rated, {score: rated.score / 2})", { rated }),
      );
    });
    return g.expr("best", t.list(page), 'take(sort_by(pages, "score", true), 3)', { pages });
  });
}

function entryOf(abi: FunctionAbi, entry?: string): string {
  const own = entry === undefined ? {} : { entry };
  return functionOf({ cid: CID, input: t.text, output: t.text, abi, ...own }).callee.entry;
}

/** A program whose types were lost on the way gives a number where text is asked for. */
function misfit(): unknown {
  return plan("misfit", { n: t.number }, (g, { n }) => {
    const wide: Value<unknown> = n;
    return g.call("rated", { ...rate, input: { valueType: rate.input.valueType } }, wide);
  });
}

describe("a plan as a program", () => {
  test("is a sound plan that goes over the wire and comes as text", async () => {
    const made = pipeline();
    expect(checkPlan(made)).toEqual([]);
    expect(decodePlan(encodePlan(made))).toEqual(made);
    expect((await parsePlan(await printPlan(made, "yaml"))).plan).toEqual(made);
  });

  test("brings values from around into inner graphs through every level, and only those that are used", () => {
    const { nodes } = pipeline().graph;
    expect(nodes["pages"]).toMatchObject({
      with: { suffix: { from: "node", node: "suffix" } },
      graph: {
        params: { item: { type: "text" }, suffix: { type: "text" }, index: { type: "number" } },
        nodes: {
          clean: { place: { at: "with", node: "fetch" } },
          rate: { place: { at: "any", apartFrom: ["fetch", "clean"] }, limits: { fuel: 5n, memory: 1_000 } },
          first: { with: { rate: { from: "node", node: "rate" } } },
        },
      },
    });
    const plain = plan("plain", { l: t.list(t.number) }, (g, { l }) =>
      g.map("m", l, { max: 3 }, (each) => each.constant(1)),
    );
    expect(plain.graph.nodes["m"]).toMatchObject({ graph: { params: {} }, with: {} });
  });

  test("gives values of the same name from different graphs names of their own", () => {
    const made = plan("names", { item: t.text, list: t.list(t.text) }, (g, { item, list }) =>
      g.map("m", list, { max: 3 }, (each, own) => each.expr("both", t.text, "a ++ b", { a: own, b: item })),
    );
    expect(made.graph.nodes["m"]).toMatchObject({ with: { item_2: { from: "param", param: "item" } } });
  });

  test("calls each interface under its usual entry unless told otherwise", () => {
    expect(FUNCTION_ABIS.map((abi) => entryOf(abi))).toEqual(["_start", "tabmesh_run", ""]);
    expect(entryOf("bytes-1", "own")).toBe("own");
  });

  test("does not give a callee what it does not take", () => {
    expect(misfit).toThrow("number does not fit text");
  });

  test("has every kind of node", () => {
    const made = plan("kinds", { n: t.number, words: t.list(t.text) }, (g, { n, words }) => {
      const sum = g.reduce("sum", words, n, { max: 9 }, (each, so, word) =>
        each.expr("add", t.number, "so + length(word)", { so, word }),
      );
      const twice = g.loop("twice", sum, { max: 3 }, (each, value) =>
        each.expr(
          "step",
          t.record({ done: t.boolean, value: t.number }),
          "{done: value > 9, value: value * 2}",
          { value },
        ),
      );
      const text = g.call("write", writerOf(CID), g.expr("prompt", t.bytes, 'generate_input("Hi", 8)'), {
        title: "Writes",
      });
      const vectors = g.call(
        "embed",
        embedderOf(CID),
        g.expr("texts", t.bytes, "embed_input([text])", { text }),
      );
      const safe = g.attempt(
        "safe",
        (each) => each.fail("no", text),
        (each, failure) => each.expr("why", t.text, "failure.name", { failure }),
      );
      const again = g.retry("again", { attempts: 2 }, (each) => each.timeout("soon", 50, () => safe));
      const first = g.select("either", [() => again, (each) => each.constant("b")]);
      const two = g.firstOf("two", 2, [() => again, () => first, (each) => each.constant("c")]);
      const seen = g.observe("seen", [text, vectors], { atLeast: 1, ms: 10 });
      const late = g.delay(
        "late",
        g.subplan("sub", () => twice),
        5,
        { after: [seen] },
      );
      const all = g.list("all", [text, safe]);
      const came = g.stream("came", [text, safe], { max: 1 });
      const cut = g.mapChunks("cut", words, { max: 100, size: 10 }, (each, chunk) =>
        each.expr("sorted", t.list(t.text), "sort(chunk)", { chunk }),
      );
      const mind = functionOf({ cid: CID, input: t.json, output: t.json });
      const tool = {
        name: "clock",
        about: "The time.",
        tool: { kind: "effect", capability: capabilityOf("time") },
      } as const;
      const thought = g.agent("agent", mind, text, { tools: [tool], maxSteps: 3, budget: 9, output: t.text });
      return g.expr("end", t.json, "any([late, all, came, cut, two, seen, thought])", {
        late,
        all,
        came,
        cut,
        two,
        seen,
        thought,
      });
    });
    expect(checkPlan(made)).toEqual([]);
    expect(made.graph.nodes["cut-cut"]).toMatchObject({ kind: "expr" });
    expect(made.graph.nodes["cut"]).toMatchObject({ max: 10 });
  });

  test("may hold another plan, twice, under names of their own", async () => {
    const inner = plan("inner", { word: t.text, times: t.number }, (g, { word, times }) => {
      const list = g.expr("list", t.list(t.text), 'split(word, "")', { word });
      const called = g.map("each", list, { max: 9 }, (each, item) =>
        each.call("call", rate, item, { place: apartFrom(list) }),
      );
      return g.expr(
        "long",
        t.list(t.text),
        'take(pluck(called, "title"), times)',
        { called, times },
        { after: [list] },
      );
    });
    const outer = plan("outer", { word: t.text }, (g, { word }) => {
      const first = g.include("first", inner, { word, times: g.constant(2) });
      expectTypeOf(first).toEqualTypeOf<Value<readonly string[]>>();
      // @ts-expect-error -- word is a text
      const wrong = (): unknown => g.include("wrong", inner, { word: first, times: g.constant(2) });
      expect(wrong).toBeTypeOf("function");
      return g.list("both", [first, g.include("second", inner, { word, times: g.constant(1) })]);
    });
    expect(outer.graph.nodes["second"]).toMatchObject({
      with: { word: { from: "param", param: "word" }, times: { from: "constant", json: "1" } },
      graph: {
        nodes: {
          "second-each": {
            over: { node: "second-list" },
            graph: { nodes: { "second-call": { place: { apartFrom: ["second-list"] } } } },
          },
          "second-long": { with: { called: { node: "second-each" } }, after: ["second-list"] },
        },
        result: { node: "second-long" },
      },
    });
    expect((await parsePlan(await printPlan(outer, "yaml"))).plan).toEqual(outer);
  });

  test("is refused where a name, an expression or a graph is wrong, and says where", () => {
    expect(() => plan("x", {}, (g) => g.list("a", [g.delay("a", g.constant(1), 1)]))).toThrow(
      'node "a": there are two nodes',
    );
    expect(() => plan("x", {}, (g) => g.expr("a", t.text, "1 +"))).toThrow(
      'node "a", expression: a value is missing',
    );
    expect(() => plan("x", {}, (g) => g.expr("a", t.text, "1 + 1"))).toThrow("number does not fit text");
    expect(() => plan("x", {}, (g) => g.select("a", [(each) => each.constant(1)], { k: 2 }))).toThrow(
      "use firstOf",
    );
    expect(() =>
      plan("x", { l: t.list(t.text) }, (g, { l }) => {
        let inside: Value<string> | undefined;
        g.map("m", l, { max: 3 }, (each, item) => (inside = each.delay("d", item, 1)));
        return g.delay("out", inside ?? g.constant(""), 1);
      }),
    ).toThrow("the value d belongs to another graph");
  });
});

function one(graph: GraphBuilder): Value<number> {
  return graph.constant(1);
}

describe("the compiler lets a result feed only where its type fits", () => {
  test("through calls, maps and branches", () => {
    plan("types", { urls: t.list(t.text), raw: t.bytes }, (g, { urls, raw }) => {
      expectTypeOf(urls).toEqualTypeOf<Value<readonly string[]>>();
      const text = g.call("clean", clean, raw);
      expectTypeOf(text).toEqualTypeOf<Value<string>>();
      // @ts-expect-error -- clean takes bytes, and this is text
      g.call("clean-2", clean, text);
      // @ts-expect-error -- rate takes text, and these are several
      const several = (): unknown => g.call("rate-2", rate, urls);
      expect(several).toThrow("list<text> does not fit text");
      // @ts-expect-error -- bytes are not a list
      const wrong = (): unknown => g.map("m", raw, { max: 3 }, (each) => each.constant(1));
      expect(wrong).toBeTypeOf("function");
      const rated = g.map("rated", urls, { max: 3 }, (each, url) => {
        expectTypeOf(url).toEqualTypeOf<Value<string>>();
        return each.call("rate", rate, url);
      });
      expectTypeOf(rated).toEqualTypeOf<
        Value<readonly { readonly title: string; readonly score: number }[]>
      >();
      // @ts-expect-error -- a branch asks for true or false
      const asks = (): unknown => g.branch("b", text, one, one);
      expect(asks).toBeTypeOf("function");
      const either = g.branch(
        "c",
        g.expr("yes", t.boolean, "true"),
        () => text,
        (each) => each.constant(2),
      );
      expectTypeOf(either).toEqualTypeOf<Value<string | 2>>();
      return text;
    });
  });

  test("and a plan tells what it takes and gives", () => {
    expectTypeOf(pipeline).returns.toMatchTypeOf<
      TypedPlan<{ readonly urls: readonly string[] }, readonly { readonly title: string }[]>
    >();
    const made = plan("x", {}, (g) => g.expr("a", t.text, '"a"'));
    // @ts-expect-error -- the result is a text
    const wrong: TypedPlan<object, number> = made;
    expect(wrong.name).toBe("x");
  });
});

import { cidOf, RAW } from "../../protocol/cid.ts";
import { apartFrom, besides, capabilityOf, embedderOf, functionOf, plan, t } from "../build.ts";
import type { Plan } from "../plan.ts";
import { parsePlan } from "../plan-text.ts";
import type { Value } from "../json-value.ts";
import type { ValueType } from "../value-type.ts";

/** What the golden vectors are made of. */

const MODULE = cidOf(RAW, new TextEncoder().encode("module"));
const MODEL = cidOf(RAW, new TextEncoder().encode("model"));

function pipeline(): Plan {
  const clean = functionOf({
    cid: MODULE,
    input: t.text,
    output: t.list(t.text),
    args: ["--split", "{input}"],
  });
  return plan("pipeline", { urls: t.list(t.text), query: t.text }, (g, { urls, query }) => {
    const passages = g.map("collect", urls, { max: 50, parallel: 8 }, (each, url) => {
      const request = each.expr("request", t.record({ url: t.text }), "{url: url}", { url });
      const page = each.retry("page", { attempts: 3, backoffMs: 500 }, (inner) =>
        inner.effect("fetch", capabilityOf("fetch", { origins: ["https://example.org"] }), request, t.text),
      );
      return each.call("clean", clean, page, { place: besides(page), title: "Clean and split" });
    });
    const all = g.expr("passages", t.list(t.text), "flatten(passages)", { passages });
    const vectors = g.mapChunks("embed", all, { max: 1_000, size: 64 }, (each, chunk) => {
      const input = each.expr("input", t.bytes, "embed_input(texts)", { texts: chunk });
      const output = each.call("model", embedderOf(MODEL), input, {
        provenance: { check: "quorum", k: 2, n: 3 },
        limits: { fuel: 1n << 60n, deadlineMs: 120_000 },
      });
      return each.expr("vectors", t.list(t.list(t.number)), "embed_vectors(output)", { output });
    });
    const asked = g.call(
      "ask",
      embedderOf(MODEL),
      g.expr("ask-input", t.bytes, "embed_input([query])", { query }),
      { place: apartFrom(vectors) },
    );
    return g.expr(
      "rank",
      t.list(t.text),
      "take(pick(passages, order(cosines(embed_vectors(asked)[0], vectors), true)), 3)",
      { passages: all, vectors, asked },
    );
  });
}

const SMALLEST = `{"name": "one", "nodes": {}, "result": {"constant": 1}}`;

const EVERYTHING = `name: everything
params: {words: list<text>, raw: bytes, record: '{a: number, "b c": text?}'}
nodes:
  sum:
    kind: reduce
    over: $words
    initial: {constant: 0}
    max: 10
    graph:
      params: {accumulated: number, item: text}
      nodes: {add: {kind: expr, with: {a: $accumulated, w: $item}, expression: a + length(w)}}
      result: add
  long: {kind: expr, with: {sum: sum, r: $record}, expression: 'sum > r.a * 2 - -1 && !(get(r, "b c") == null)'}
  either:
    kind: branch
    condition: long
    with: {raw: $raw}
    then: {params: {raw: bytes}, nodes: {}, result: $raw}
    otherwise: {nodes: {nothing: {kind: fail, detail: {constant: too short}}}, result: nothing}
  fastest:
    kind: select
    rule: equal
    k: 2
    of:
      - {nodes: {}, result: {constant: {b: [1, null], a: é}}}
      - {nodes: {}, result: {constant: {b: [1, null], a: é}}}
  safe:
    kind: attempt
    graph: {nodes: {soon: {kind: timeout, ms: 50, graph: {nodes: {late: {kind: delay, value: {constant: a}, ms: 60}}, result: late}}}, result: soon}
    fallback:
      params: {failure: '{code: number, name: text, detail: text, node: text}'}
      nodes: {why: {kind: expr, with: {f: $failure}, expression: f.name}}
      result: why
  twice:
    kind: loop
    initial: sum
    max: 5
    graph:
      params: {value: number, turn: number}
      nodes: {next: {kind: expr, with: {v: $value, t: $turn}, expression: '{done: v > 100 || t == 3, value: v * 2}'}}
      result: next
  framed: {kind: subplan, title: In a frame, after: [safe], with: {x: twice}, graph: {params: {x: number}, nodes: {}, result: $x}}
  seen: {kind: observe, of: [framed, fastest], atLeast: 1, ms: 1000}
  came: {kind: stream, of: [safe, {constant: z}], max: 2}
  dice: {kind: effect, capability: {kind: random, maxBytes: 32}, request: {constant: {bytes: 32}}, place: relay}
  thought:
    kind: agent
    mind: {kind: model, cid: ${MODEL}, entry: generate, abi: model-1}
    task: came
    tools:
      - {name: clock, about: The time., tool: {kind: effect, capability: {kind: time}}}
      - {name: count, about: Counts words., tool: {kind: function, callee: {cid: ${MODULE}, entry: run, abi: bytes-1}}}
    maxSteps: 4
    budget: "18446744073709551615"
    output: text
    place: {at: name, name: minds/best}
result: {constant: [done]}
`;

export interface PlanSample {
  readonly name: string;
  readonly plan: Plan;
}

export async function planSamples(): Promise<readonly PlanSample[]> {
  return [
    { name: "the smallest", plan: (await parsePlan(SMALLEST)).plan },
    { name: "collect, clean, embed, rank", plan: pipeline() },
    { name: "every other kind of node", plan: (await parsePlan(EVERYTHING)).plan },
  ];
}

export interface ExpressionSample {
  readonly text: string;
  readonly types: Readonly<Record<string, ValueType>>;
  readonly names: Readonly<Record<string, Value>>;
}

const row = (text: string): ExpressionSample => ({ text, types: {}, names: {} });
const PAGES: ValueType = {
  type: "list",
  of: { type: "record", fields: { title: { type: "text" }, score: { type: "number" } } },
};
const pages = [
  { title: "b", score: 1 },
  { title: "a", score: 2.5 },
  { title: "c", score: 1 },
];
const withPages = (text: string): ExpressionSample => ({ text, types: { pages: PAGES }, names: { pages } });

export const EXPRESSION_SAMPLES: readonly ExpressionSample[] = [
  ...[
    "1 + 2 * 3 - -4 / 8 % 3",
    "0.1 + 0.2",
    "1e21 - 1",
    "-(1) * -1",
    '"a" ++ "\\u00e9" ++ "\\n"',
    "[1, 2] ++ [3]",
    "{b: 1, a: [true, null]}",
    '[1, "a", null]',
    "[1, null][-1] ?? 7",
    '{a: {"b c": 2}}.a["b c"]',
    "true ? 1 : 1 / 0",
    '"a" < "b" && !(2 <= 1)',
    'split("a, b,c", ",")',
    'join(reverse(words(" x  y ")), "-")',
    'length("añ😀")',
    'slice("añ😀b", 1, -1)',
    'lower("ÀB") ++ upper("àb")',
    'replace("a.b.c", ".", "$1")',
    "format(2.5, 0) ++ format(-1.005, 2)",
    "round(-2.5)",
    "sqrt(2)",
    "cosine([1, 2, 3], [3, 2, 1])",
    "sum([0.1, 0.2, 0.3])",
    "sort([10, 9, 1])",
    'sort(["b", "B", "é", "a"])',
    "chunk(range(0, 5), 2)",
    'zip([1, 2], ["a", "b"])',
    "unique([1, [1], 1, [1]])",
    'base64(utf8("é")) ++ hex(utf8("é"))',
    'print_json(parse_json("{\\"b\\": 1.50, \\"a\\": -0}"))',
    'any("text")',
    'embed_input(["one"])',
    "1 / 0",
    "[1][1]",
    "mean([])",
    'number("0x10")',
    "trim(1)",
    "nothing_of_that_name",
    "1 +",
  ].map(row),
  ...[
    'pluck(sort_by(pages, "score", true), "title")',
    'order(pluck(pages, "score"))',
    'filter_by(pages, "score", 1)[0].title',
    "pages[5].title",
    "pages[0].name",
  ].map(withPages),
];

/** Plans that have the right form, and that no run may begin with. */
export const UNSOUND: readonly string[] = [
  '{"name":"x","nodes":{"a":{"kind":"delay","value":"a","ms":1}},"result":"a"}',
  '{"name":"x","nodes":{},"result":"a"}',
  '{"name":"x","nodes":{"a":{"kind":"branch","condition":{"constant":1},"then":{"nodes":{},"result":{"constant":1}},"otherwise":{"nodes":{},"result":{"constant":1}}}},"result":"a"}',
  '{"name":"x","nodes":{"a":{"kind":"map","over":{"constant":[]},"max":0,"graph":{"nodes":{},"result":{"constant":1}}}},"result":"a"}',
  '{"name":"x","nodes":{"a":{"kind":"effect","capability":{"kind":"fetch"},"request":{"constant":{}}}},"result":"a"}',
  '{"name":"x","nodes":{"a":{"kind":"subplan","graph":{"params":{"p":"text"},"nodes":{},"result":"$p"}}},"result":"a"}',
];

/** Texts that are no plan. */
export const NO_PLANS: readonly string[] = [
  "",
  "{}",
  '{"name":"x","nodes":{},"result":{"constant":1},"more":1}',
  '{"name":"x","name":"y"}',
  "name: x\nnodes: {a: {kind: nap}}\nresult: a\n",
  'name: x\nnodes: {a: {kind: expr, expression: "1 +"}}\nresult: a\n',
  "name: x\nparams: {p: lists}\nnodes: {}\nresult: $p\n",
  "name: x\nnodes: {a b: {kind: fail, detail: $p}}\nresult: $p\n",
];

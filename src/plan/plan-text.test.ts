import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tries } from "../protocol/tries.contract.ts";
import { anyPlan, anyType } from "./any-plan.contract.ts";
import { checkPlan } from "./check.ts";
import { encodePlan } from "./plan-codec.ts";
import { describeProblem, PlanError } from "./plan-error.ts";
import { parsePlan, printPlan } from "./plan-text.ts";
import { parseType, printType } from "./text/type-text.ts";

/** What people are told of a text. */
async function complaint(text: string): Promise<string> {
  try {
    const { plan, positionOf } = await parsePlan(text);
    return checkPlan(plan)
      .map((problem) => describeProblem({ ...problem, at: positionOf(problem) }))
      .join("\n");
  } catch (error) {
    if (!(error instanceof PlanError)) throw error;
    return error.problems.map(describeProblem).join("\n");
  }
}

function callWith(fuel: string): string {
  return `{"name":"x","nodes":{"a":{"kind":"call","limits":{"fuel":${fuel}},"input":"b",
      "callee":{"cid":"bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy","entry":"_start","abi":"wasi-p1"}}},"result":"a"}`;
}

const GOOD = `name: pages
params:
  urls: list<text>
nodes:
  titles:
    kind: map
    over: $urls
    max: 20
    graph:
      params: {item: text}
      nodes:
        title:
          kind: expr
          with: {url: $item}
          expression: upper(trim(url)) ++ "!"
      result: title
  all:
    kind: expr
    with: {titles: titles}
    expression: join(titles, ", ")
result: all
`;

describe("a plan as text", () => {
  test.each(["json", "yaml"] as const)(
    "comes out of %s as it went in, and printing it again gives the same bytes",
    async (format) => {
      await fc.assert(
        fc.asyncProperty(anyPlan, async (plan) => {
          const text = await printPlan(plan, format);
          const { plan: parsed } = await parsePlan(text, format);
          expect(parsed).toEqual(plan);
          expect(encodePlan(parsed)).toEqual(encodePlan(plan));
          expect(await printPlan(parsed, format)).toBe(text);
        }),
        { numRuns: tries(200) },
      );
    },
  );

  test("is the same plan in both forms", async () => {
    const { plan, format } = await parsePlan(GOOD);
    const json = await printPlan(plan, "json");
    const again = await parsePlan(json);
    expect([format, again.format]).toEqual(["yaml", "json"]);
    expect(encodePlan(again.plan)).toEqual(encodePlan(plan));
    expect(await printPlan(again.plan, "yaml")).toBe(await printPlan(plan, "yaml"));
  });

  test("tells its nodes from those that need none to those that need others", async () => {
    const { plan } = await parsePlan(GOOD);
    const { titles, all } = plan.graph.nodes;
    const turned = { ...plan, graph: { ...plan.graph, nodes: { all, titles } } };
    expect(await printPlan(turned as typeof plan, "yaml")).toBe(await printPlan(plan, "yaml"));
    expect(await complaint(GOOD)).toBe("");
  });

  test("may use anchors, but not to stand for more than a machine holds", async () => {
    const shared = GOOD.replace("max: 20", "max: &n 20\n    parallel: *n");
    expect((await parsePlan(shared)).plan.graph.nodes["titles"]).toMatchObject({ max: 20, parallel: 20 });
    expect(await complaint(GOOD.replace("max: 20", "max: *n"))).toContain(
      'line 8, column 10: there is no anchor "n" before',
    );
    const bomb = ["name: x", "a0: &a0 [1,1,1,1,1,1,1,1,1,1]"];
    for (let level = 1; level < 9; level += 1)
      bomb.push(`a${level}: &a${level} [${Array.from({ length: 10 }, () => `*a${level - 1}`).join(",")}]`);
    expect(await complaint(bomb.join("\n"))).toContain("more than 200000 parts");
  });
});

describe("people are told where a text is wrong", () => {
  test.each([
    [
      "kind: map",
      "kind: mapp",
      'line 6, column 11, node "titles": "kind" has to be one of call, effect, agent',
    ],
    ["max: 20", "max: -1", 'line 8, column 10, node "titles", max: has to be a whole number from 0 to 65536'],
    ["    max: 20\n", "", 'line 6, column 5, node "titles": the field "max" is missing'],
    [
      "max: 20",
      "max: 20\n    mx: 3",
      'line 9, column 5, node "titles": there is no field "mx" here; there are title',
    ],
    ["list<text>", "list<txt>", 'line 3, column 9, params.urls: "list<txt>" is not a type'],
    [
      "trim(url)",
      "trim(url",
      'line 15, column 23, node "title", expression: "," or ")" is expected where the expression ends (at character 23',
    ],
    [
      "over: $urls",
      "over: $links",
      'line 7, column 11, node "titles", over: there is no parameter "links" here; there are urls',
    ],
    [
      "over: $urls",
      "over: [1]",
      'line 7, column 11, node "titles", over: is a list, but has to be a node\'s name',
    ],
    [
      "result: all",
      "result: al",
      'line 21, column 9, result: there is no node "al" in this graph; there are titles, all',
    ],
    ["trim(url)", "trim(url.path)", 'line 15, column 23, node "title", expression: text has no field "path"'],
    [
      "trim(url)",
      "trim(7)",
      'line 15, column 23, node "title", expression: in trim(7): argument 1: number does not fit text',
    ],
    [
      "item: text",
      "item: number",
      'line 10, column 22, node "titles", graph.params.item: for "item": text does not fit number',
    ],
    [
      "result: title\n",
      "result: title\n   bad",
      "line 17, column 1: All mapping items must start at the same column",
    ],
    ["kind: map", "kind: map\n    kind: map", "line 7, column 5: Map keys must be unique"],
  ])("for %j that became %j", async (good, bad, message) => {
    expect(GOOD).toContain(good);
    expect(await complaint(GOOD.replace(good, bad))).toContain(message);
  });

  test.each([
    ['{\n  "name": 3\n}', "line 2, column 11, name: is a number, but has to be text"],
    ['{"name": "x",}', "line 1, column 14: a name in quotes is expected where there is }"],
    ['{"name": "x" "nodes": {}}', 'line 1, column 14: "," or "}" is expected where there is "nodes": {}'],
    ['{"name": "x", "name": "y"}', 'line 1, column 15: the name "name" is there twice'],
    ['{"name": "a\\qb"}', "line 1, column 10: a text in quotes holds a control character or an escape"],
    ['{"name": "a', "line 1, column 10: a text in quotes does not end on its line"],
    ['{"name": 01}', 'line 1, column 11: "," or "}" is expected where there is 1}'],
    ["{} {}", "line 1, column 4: the text should end where there is {}"],
    ["{", "line 1, column 2: a name in quotes is expected where the text ends"],
    ["", "line 1, column 1: is nothing, but has to be a record"],
  ])("for the text %j", async (text, message) => {
    expect(await complaint(text)).toContain(message);
  });

  test("whatever was done to a text, it is a plan or people are told where it is wrong", async () => {
    const texts = [GOOD, await printPlan((await parsePlan(GOOD)).plan, "json"), callWith("7")];
    const change = fc.record({
      text: fc.constantFrom(...texts),
      at: fc.nat(),
      length: fc.integer({ min: 0, max: 6 }),
      by: fc.oneof(
        fc.string({ maxLength: 4 }),
        fc.constantFrom(
          "[",
          "}",
          '"',
          "\n",
          ": ",
          "&a ",
          "*a",
          "!!set ",
          "? ",
          "- ",
          "|\n",
          "%",
          "\t",
          "---\n",
        ),
      ),
    });
    await fc.assert(
      fc.asyncProperty(change, async ({ text, at, length, by }) => {
        const place = at % text.length;
        const changed = text.slice(0, place) + by + text.slice(place + length);
        expect(typeof (await complaint(changed))).toBe("string");
      }),
      { numRuns: tries(1_200) },
    );
  });

  test("numbers that lose digits have to stand in quotes", async () => {
    expect(await complaint(callWith("9007199254740993"))).toContain("above 9007199254740991 in quotes");
    const { plan } = await parsePlan(callWith('"9007199254740993"'));
    expect(plan.graph.nodes["a"]).toMatchObject({ limits: { fuel: 9007199254740993n } });
    expect((await parsePlan(await printPlan(plan, "yaml"))).plan).toEqual(plan);
  });
});

describe("a type as text", () => {
  test("comes out as it went in", () => {
    fc.assert(
      fc.property(anyType, (type) => {
        expect(parseType(printType(type))).toEqual(type);
      }),
      { numRuns: tries(400) },
    );
  });

  test("may be written with blanks and a comma at the end", () => {
    expect(parseType(' { title : text , "a b":list < number? > , } ')).toEqual({
      type: "record",
      fields: {
        title: { type: "text" },
        "a b": { type: "list", of: { type: "optional", of: { type: "number" } } },
      },
    });
  });

  test.each([
    "",
    "lst",
    "list<text",
    "{a text}",
    "text text",
    "{a: text, a: number}",
    "list",
    "{__proto__: text}",
    `${"list<".repeat(13)}text${">".repeat(13)}`,
  ])("is refused as %j", (text) => {
    expect(() => parseType(text)).toThrow(/type/u);
  });
});

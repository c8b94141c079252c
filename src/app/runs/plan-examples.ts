import { parseExpression } from "../../plan/expression/parse-expression.ts";
import type { CallNode, Callee, ExprNode, Plan, Source } from "../../plan/plan.ts";
import type { ValueType } from "../../plan/value-type.ts";
import { FIRST_LIMITS } from "../editor/blank-nodes.ts";
import type { ParamDrafts } from "./plan-params.ts";

/** A plan that comes with the app, with something to run it on. */
export interface PlanExample {
  readonly title: string;
  readonly sentence: string;
  /** @param calleeFor gives a function that comes with the app, by its file's name */
  make(calleeFor: (name: string) => Callee): { readonly plan: Plan; readonly params: ParamDrafts };
}

const TEXT: ValueType = { type: "text" };
const NUMBER: ValueType = { type: "number" };

const POEM: readonly string[] = [
  "Each tab a lantern in the evening town, and none of them too small to share its light.",
  "The sums go out, the signatures come down, and what was promised is the same by night.",
  "No tower keeps the keys, no gate, no crown;",
  "a thousand windows do the work, and all of them in sight.",
];

function node(id: string): Source {
  return { from: "node", node: id };
}

function param(name: string): Source {
  return { from: "param", param: name };
}

/** An expression and where its names come from. */
function value(title: string, text: string, sources: Readonly<Record<string, Source>>): ExprNode {
  return { kind: "expr", title, expression: parseExpression(text), with: sources };
}

function call(title: string, callee: Callee, input: Source): CallNode {
  return {
    kind: "call",
    title,
    callee,
    input,
    output: TEXT,
    place: { at: "any" },
    provenance: { check: "signature" },
    limits: FIRST_LIMITS,
  };
}

const COUNT: PlanExample = {
  title: "Count words on many tabs",
  sentence: "Cuts a text into lines, counts each in some tab, and adds up.",
  make: (calleeFor) => ({
    params: { text: { kind: "typed", text: POEM.join("\n") } },
    plan: {
      v: 1,
      name: "count-words",
      graph: {
        params: { text: TEXT },
        nodes: {
          cut: value("Cut into lines", 'split(trim(text), "\\n")', { text: param("text") }),
          each: {
            kind: "map",
            title: "Each line",
            over: node("cut"),
            with: {},
            max: 32,
            parallel: 8,
            graph: {
              params: { item: TEXT },
              nodes: {
                count: call("Count", calleeFor("wordcount.wasm"), param("item")),
                number: value("Read the number", "number(words(count)[1])", { count: node("count") }),
              },
              result: node("number"),
            },
          },
          total: value("Add up", "sum(counts)", { counts: node("each") }),
          longest: value("Find the longest", "max(counts)", { counts: node("each") }),
          report: value("Tell", "{lines: length(counts), words: total, longest: longest}", {
            counts: node("each"),
            total: node("total"),
            longest: node("longest"),
          }),
        },
        result: node("report"),
      },
    },
  }),
};

const DESCRIBE: PlanExample = {
  title: "Long texts one way, short ones another",
  sentence: "A branch, and a fallback where a tab fails.",
  make: (calleeFor) => ({
    params: { text: { kind: "typed", text: POEM.join(" ") } },
    plan: {
      v: 1,
      name: "describe-text",
      graph: {
        params: { text: TEXT },
        nodes: {
          "is-long": value("Is it long?", "length(text) > 80", { text: param("text") }),
          choose: {
            kind: "branch",
            title: "By its length",
            condition: node("is-long"),
            with: { text: param("text") },
            then: {
              params: { text: TEXT },
              nodes: {
                describe: {
                  kind: "attempt",
                  title: "Describe it",
                  with: { text: param("text") },
                  graph: {
                    params: { text: TEXT },
                    nodes: {
                      ask: value("As JSON", "print_json([text])", { text: param("text") }),
                      summary: call("Summarise", calleeFor("summarise.wasm"), node("ask")),
                    },
                    result: node("summary"),
                  },
                  fallback: {
                    params: { failure: FAILURE },
                    nodes: { sorry: value("Say why not", "failure.detail", { failure: param("failure") }) },
                    result: node("sorry"),
                  },
                },
              },
              result: node("describe"),
            },
            otherwise: {
              params: { text: TEXT },
              nodes: { shout: value("Write it large", "upper(text)", { text: param("text") }) },
              result: node("shout"),
            },
          },
        },
        result: node("choose"),
      },
    },
  }),
};

/** What a failed graph tells its fallback. */
const FAILURE: ValueType = {
  type: "record",
  fields: { code: NUMBER, name: TEXT, detail: TEXT, node: TEXT },
};

const COMPARE: PlanExample = {
  title: "Believe it when two owners agree",
  sentence: "The same step at three tabs of different owners; two have to come to the same.",
  make: (calleeFor) => ({
    params: { text: { kind: "typed", text: POEM[0] ?? "" } },
    plan: {
      v: 1,
      name: "two-of-three",
      graph: {
        params: { text: TEXT },
        nodes: {
          count: {
            ...call("Count three times", calleeFor("wordcount.wasm"), param("text")),
            provenance: { check: "quorum", k: 2, n: 3 },
          },
          number: value("Read the number", "number(words(count)[1])", { count: node("count") }),
        },
        result: node("number"),
      },
    },
  }),
};

export const PLAN_EXAMPLES: readonly PlanExample[] = [COUNT, DESCRIBE, COMPARE];

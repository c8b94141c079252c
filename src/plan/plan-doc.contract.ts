import { readFileSync, writeFileSync } from "node:fs";
import { BUILTINS } from "./expression/builtins.ts";
import { BINARY, PREFIX } from "./expression/syntax.ts";
import * as limits from "./limits.ts";
import type { PlanNode } from "./plan.ts";

/**
 * The parts of docs/plan.md that are written by program, so that they stay true. Run this file with Node to write them:
 * `node src/plan/plan-doc.contract.ts`, then oxfmt for its tables.
 */
export const PLAN_DOC: URL = new URL("../../docs/plan.md", import.meta.url);

const LIMIT_WORDS: Readonly<Record<keyof typeof limits, string>> = {
  PLAN_VERSION: "version of this format",
  MAX_PLAN_BYTES: "bytes of an encoded plan",
  MAX_PLAN_TEXT_BYTES: "characters of a plan's text",
  MAX_PLAN_NODES: "nodes of a plan, inner graphs included",
  MAX_GRAPH_DEPTH: "graphs inside each other, the plan's own included",
  MAX_EXPRESSION_DEPTH: "parts of an expression inside each other",
  MAX_TYPE_DEPTH: "lists, records and optionals inside each other in a type",
  MAX_PLAN_DEPTH: "names and places inside each other in an encoded plan",
  MAX_JSON_DEPTH: "lists and records inside each other in JSON that is read",
  MAX_NAMES: "parameters of a graph, entries of a `with`, fields of a record",
  MAX_NAME_BYTES: "bytes of a name",
  MAX_TITLE_BYTES: "bytes of a node's title",
  MAX_CONSTANT_BYTES: "bytes of a constant, as JSON",
  MAX_ITERATIONS: "elements of a map or reduce, turns of a loop, values of a stream",
  MAX_PARALLEL: "steps under way at a time in a map",
  MAX_ATTEMPTS: "attempts of a retry, alternatives of a select, peers of a quorum",
  MAX_AGENT_TOOLS: "tools of an agent",
  MAX_AGENT_STEPS: "steps of an agent",
  MAX_WAIT_MS: "ms of a timeout, delay, wait or deadline",
  MAX_CAPABILITY_NAMES: "origins, methods, chains or secrets of a capability",
  MAX_CALL_ARGS: "program arguments of a function",
  MAX_EXPRESSION_WORK: "units of work of one evaluation",
};

type Fields<K extends PlanNode["kind"]> = Exclude<
  keyof Extract<PlanNode, { kind: K }>,
  "kind" | "title" | "after" | "place" | "provenance" | "limits"
>;
/** Form and meaning of a field; the compiler sees to it that no field lacks them. */
type NodeWords = {
  readonly [K in PlanNode["kind"]]: { readonly [F in Fields<K>]: readonly [form: string, words: string] };
};

const WITH = ["{name: source}", "what the inner graphs are given as parameters; `{}` if left out"] as const;
const GRAPH = ["graph", "what is done"] as const;
const OUTPUT = ["type", "of the value; `bytes` if left out"] as const;

export const NODE_WORDS: NodeWords = {
  call: {
    callee: ["callee", "function or model"],
    input: ["source", "given to it as it is, byte for byte"],
    output: OUTPUT,
  },
  effect: {
    capability: ["capability", "what it may touch; docs/effects.md"],
    request: ["source", "JSON, as docs/effects.md says for each kind"],
    output: OUTPUT,
  },
  agent: {
    mind: ["callee", "decides: a model, or a function that speaks as one"],
    task: ["source", "what it is told to do"],
    tools: [
      "[{name, about, tool}]",
      "what it may use: `tool` is `{kind: function, callee}` or `{kind: effect, capability}`",
    ],
    maxSteps: ["uint ≤ 256", "decisions at most"],
    budget: ["credits", "no further decision once its steps have cost more"],
    output: OUTPUT,
  },
  expr: {
    expression: ["expression", "evaluated by whoever coordinates; anybody can evaluate it again"],
    with: ["{name: source}", "the names in it; `{}` if left out"],
  },
  map: {
    over: ["source", "a list"],
    with: WITH,
    graph: ["graph", "for each element; may ask for `item` and `index`"],
    max: ["uint ≤ 65536", "elements; a longer list fails with `too-large` before anything runs"],
    parallel: ["uint ≤ 1024", "elements under way at a time; 16 if left out"],
  },
  reduce: {
    over: ["source", "a list"],
    initial: ["source", "`accumulated` of the first turn, and the value for an empty list"],
    with: WITH,
    graph: [
      "graph",
      "from left to right; may ask for `accumulated`, `item` and `index`; its result is `accumulated` of the next turn",
    ],
    max: ["uint ≤ 65536", "elements, as of a map"],
  },
  branch: {
    condition: ["source", "true or false"],
    with: WITH,
    then: ["graph", "done if it is true"],
    otherwise: ["graph", "done if it is false"],
  },
  select: {
    with: WITH,
    of: ["[graph] ≤ 64", "alternatives, all begun at once"],
    rule: [
      "first \\| equal \\| quorum",
      "`first`: those `k` that end first; `equal`: as soon as `k` results have the same CID; `quorum`: all are waited for, then the largest group with the same CID, if it has `k`",
    ],
    k: ["uint ≤ 64", "how many"],
  },
  attempt: {
    with: WITH,
    graph: GRAPH,
    fallback: [
      "graph",
      "done when `graph` fails; may ask for `failure`, `{code: number, name: text, detail: text, node: text}`",
    ],
  },
  retry: {
    with: WITH,
    graph: GRAPH,
    attempts: ["uint ≤ 64", "in all"],
    backoffMs: ["ms", "wait after the first failure, doubled after each further one; 1,000 if left out"],
  },
  timeout: {
    with: WITH,
    graph: GRAPH,
    ms: ["ms", "after which what is under way is cancelled and the node fails with `timed-out`"],
  },
  delay: {
    value: ["source", "given on as it is"],
    ms: ["ms", "so much later"],
  },
  loop: {
    initial: ["source", "`value` of the first turn"],
    with: WITH,
    graph: [
      "graph",
      "may ask for `value` and `turn`; its result is `{done, value}`: `value` of the next turn, or of the node when `done` is true",
    ],
    max: [
      "uint ≤ 65536",
      "turns; when none of them says that it is done the node fails with `expression-failed`",
    ],
  },
  subplan: {
    with: WITH,
    graph: ["graph", "a graph with a frame of its own"],
  },
  observe: {
    of: ["[node]", "nodes of the same graph"],
    atLeast: ["uint", "ends as soon as so many of them have"],
    ms: ["ms", "or after so long"],
  },
  stream: {
    of: ["[source]", "whose values come in the order in which they are there; what fails does not come"],
    max: ["uint ≤ 65536", "ends after so many"],
  },
  fail: {
    detail: ["source", "why, for people"],
  },
};

/** Type of the value of each kind. */
const VALUE_WORDS: Readonly<Record<PlanNode["kind"], string>> = {
  call: "`output`",
  effect: "`output`",
  agent: "`output`",
  expr: "the type of the expression",
  map: "`list<T>` for a graph of type `T`, in the order of the list",
  reduce:
    "the type of the parameter `accumulated`; where there is none, the join of `initial` and the graph's result",
  branch: "the join of both results",
  select: "the join of all results; a list of it for `first` with `k` above 1, in the plan's order",
  attempt: "the join of both results",
  retry: "the graph's result",
  timeout: "the graph's result",
  delay: "that of `value`",
  loop: "that of the field `value` of the graph's result; where that is not known, of the parameter `value`",
  subplan: "the graph's result",
  observe:
    "`list<{node: text, iteration: text, done: boolean, value: json?}>`, in the order in which they were seen",
  stream: "`list<T>` for the join `T` of its sources",
  fail: "none: it never has one",
};

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function limitTable(): string {
  const values: Readonly<Record<string, unknown>> = limits;
  return table(
    ["limit", "value", "of what"],
    Object.entries(LIMIT_WORDS).map(([name, words]) => [`\`${name}\``, String(values[name]), words]),
  );
}

function nodeTable(): string {
  const rows = Object.entries<Readonly<Record<string, readonly [string, string]>>>(NODE_WORDS).flatMap(
    ([kind, fields]) =>
      Object.entries(fields).map(([field, [form, words]], place) => [
        place === 0 ? `\`${kind}\`` : "",
        `\`${field}\``,
        form,
        words,
      ]),
  );
  return table(["kind", "field", "form", "meaning"], rows);
}

function valueTable(): string {
  return table(
    ["kind", "type of its value"],
    Object.entries(VALUE_WORDS).map(([kind, words]) => [`\`${kind}\``, words]),
  );
}

/** A bar inside of code would end a cell of a table. */
function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

function operatorTable(): string {
  const signs = new Map([...PREFIX].map(([sign, name]) => [name, sign]));
  const rows = [...BUILTINS.values()]
    .filter(({ name }) => BINARY.has(name) || signs.has(name))
    .map(({ name, signature, about }) => [
      `\`${cell(signs.get(name) ?? name)}\``,
      String(BINARY.get(name) ?? 9),
      `\`${cell(signature)}\``,
      about,
    ]);
  return table(["operator", "binds", "types", "what"], rows);
}

function functionTable(): string {
  const signs = new Set(PREFIX.values());
  const rows = [...BUILTINS.values()]
    .filter(({ name }) => !BINARY.has(name) && !signs.has(name))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, signature, about }) => [`\`${name}\``, `\`${cell(signature)}\``, about]);
  return table(["function", "types", "what"], rows);
}

const SECTIONS: Readonly<Record<string, () => string>> = {
  limits: limitTable,
  nodes: nodeTable,
  values: valueTable,
  operators: operatorTable,
  functions: functionTable,
};

/** The document with its generated parts as they have to be. */
export function withGeneratedParts(document: string): string {
  return document.replace(/<!-- generated: (\w+) -->\n[^]*?<!-- end -->/gu, (whole, name: string) =>
    SECTIONS[name] === undefined ? whole : `<!-- generated: ${name} -->\n${SECTIONS[name]()}\n<!-- end -->`,
  );
}

if (import.meta.main) writeFileSync(PLAN_DOC, withGeneratedParts(readFileSync(PLAN_DOC, "utf8")));

import { fuel } from "../../protocol/units.ts";
import type { Expression } from "../expression.ts";
import type { Callee, NodeId, Provenance, Source, StepLimits } from "../plan.ts";
import { AirError, type AirInstruction, type AirPosition, type AirValue } from "./air-tree.ts";
import {
  exportsOf,
  failedBranch,
  finishTried,
  finishWith,
  isStream,
  listOfPushes,
  takeExports,
} from "./exports.ts";
import { isErrorHandler, PARAMETERS, RESULT } from "./client-services.ts";
import { ANY, CALL, CONSTANT, failNode, NAME } from "./expressions.ts";
import { turnOf } from "./fold-turn.ts";
import { type GraphDraft, JSON_TYPE } from "./graph-draft.ts";
import { listOf, type Names, placeOf, textOf, valueOf } from "./lower-values.ts";

/** Which function a service's function is; its input is the list of arguments, its output JSON. */
export type BindService = (service: string, name: string) => Callee | undefined;

type Of<K extends AirInstruction["kind"]> = Extract<AirInstruction, { readonly kind: K }>;

/** Nodes that must have ended before what comes next. */
type Done = readonly NodeId[];

const SIGNED: Provenance = { check: "signature" };

/** Limits of one call: AIR names none. */
const CALL_LIMITS: StepLimits = {
  fuel: fuel(1_000_000_000),
  memory: 64 * 1024 * 1024,
  output: 1024 * 1024,
  deadlineMs: 30_000,
};

/** Elements of one fold at most, and how many a parallel one has under way. */
const MAX_FOLD = 1_024;
const PARALLEL_FOLD = 16;

/** Turns instructions into nodes of a graph. */
export class AirLowering {
  readonly #bind: BindService;
  #renamed = 0;
  /** Parameters that the program asks for, in order. */
  readonly parameters: Set<string> = new Set<string>();
  result: Source | undefined;

  constructor(bind: BindService) {
    this.#bind = bind;
  }

  /** @param after nodes that have to end before @returns those that have to end before what follows */
  lower(instruction: AirInstruction, draft: GraphDraft, names: Names, after: Done): Done {
    switch (instruction.kind) {
      case "null":
        return after;
      case "call":
        return this.#call(instruction, draft, names, after);
      case "seq":
        return this.lower(instruction.right, draft, names, this.lower(instruction.left, draft, names, after));
      case "par":
        return this.#par(instruction, draft, names, after);
      case "xor":
        return this.#xor(instruction, draft, names, after);
      case "match":
      case "mismatch":
        return this.#match(instruction, draft, names, after);
      case "ap":
        return this.#ap(instruction, draft, names, after);
      case "new":
        return this.#new(instruction, draft, names, after);
      case "fail":
        return [draft.add("fail", failNode(`fail ${instruction.code}: ${instruction.message}`, after))];
      case "canon":
        return this.#canon(instruction, draft, names, after);
      case "fold":
        return this.#fold(instruction, draft, names, after);
      case "next":
        throw new AirError(instruction, `(next ${instruction.iterator}) stands where no fold can go on`);
      case "never":
        throw new AirError(instruction, "(never) outside of a par would wait for ever; a run always ends");
      case "rethrow":
        throw new AirError(instruction, "(fail :error:) can only stand alone on the right of an xor");
      default:
        return instruction satisfies never;
    }
  }

  #new({ name, body }: Of<"new">, draft: GraphDraft, names: Names, after: Done): Done {
    this.#renamed += 1;
    const renamed = `${name}'${this.#renamed}`;
    draft.declare(renamed);
    const done = this.lower(body, draft, new Map([...names, [name, renamed]]), after);
    draft.forget(renamed);
    return done;
  }

  #call(call: Of<"call">, draft: GraphDraft, names: Names, after: Done): Done {
    const service = textOf(call.service, "a service");
    const name = textOf(call.name, "a function");
    const callee = this.#bind(service, name);
    if (callee === undefined) return this.#clientCall(call, service, name, draft, names, after);
    const list = listOf(call.args, draft, names);
    const input: Source = draft.addExpression(list.expression, list.with);
    const node = draft.add("call", {
      kind: "call",
      title: `${service}.${name}`,
      callee,
      input,
      output: JSON_TYPE,
      place: placeOf(call.peer),
      provenance: SIGNED,
      limits: CALL_LIMITS,
      ...(after.length === 0 ? {} : { after }),
    });
    if (call.out !== undefined) this.#setOut(call.out, { from: "node", node }, draft, names, call);
    return [node];
  }

  /** What Aqua's clients do themselves. */
  #clientCall(
    call: Of<"call">,
    service: string,
    name: string,
    draft: GraphDraft,
    names: Names,
    after: Done,
  ): Done {
    // The relay of Aqua's client; a run has none that its program could name.
    if (service === PARAMETERS && name === "-relay-") return after;
    if (service === PARAMETERS && call.out !== undefined && draft.isOutermost) {
      this.parameters.add(name);
      this.#setOut(call.out, { from: "param", param: name }, draft, names, call);
      return after;
    }
    if (service === RESULT && draft.isOutermost) {
      const list = listOf(call.args, draft, names);
      this.result = draft.addExpression(list.expression, list.with, after);
      return after;
    }
    throw new AirError(call, `no function is bound to ("${service}" "${name}")`);
  }

  #setOut(out: string, source: Source, draft: GraphDraft, names: Names, at: AirPosition): void {
    const variable = names.get(out) ?? out;
    if (out.startsWith("$")) draft.push(variable, { source, isList: false });
    else draft.set(variable, source, at);
  }

  #par(par: Of<"par">, draft: GraphDraft, names: Names, after: Done): Done {
    const sides = [par.left, par.right].filter(({ kind }) => kind !== "null" && kind !== "never");
    const [only, second] = sides;
    if (only === undefined) return after;
    const isAlone = second === undefined;
    if (isAlone && par.left.kind !== "null" && par.right.kind !== "null")
      return this.lower(only, draft, names, after);
    const ended = sides.map((side) => this.#tried(side, draft, names, after));
    // One side that is empty has succeeded already.
    if (isAlone) return ended;
    const either = CALL(
      "||",
      ...ended.map((_, i): Expression => ({ op: "field", of: NAME(`b${i}`), name: "ok" })),
    );
    const sources = Object.fromEntries(
      ended.map((node, i): [string, Source] => [`b${i}`, { from: "node", node }]),
    );
    return [this.#require(either, sources, "both branches of a par failed", draft)];
  }

  /** A branch that may fail without harm: its value is {ok, vars} or {ok: false}. */
  #tried(side: AirInstruction, draft: GraphDraft, names: Names, after: Done): NodeId {
    const graph = draft.inner();
    this.lower(side, graph, names, []);
    const exported = exportsOf(graph);
    const fallback = draft.inner();
    fallback.bind("failure", "failure");
    const node = draft.add("try", {
      kind: "attempt",
      with: graph.with,
      graph: finishTried(graph, exported),
      fallback: fallback.finish(failedBranch(exported), {}),
      ...(after.length === 0 ? {} : { after }),
    });
    const value: Source = { from: "node", node };
    if (exported.length > 0)
      takeExports(
        draft,
        exported,
        draft.addExpression({ op: "field", of: NAME("of"), name: "vars" }, { of: value }),
        side,
      );
    return node;
  }

  /** A node that fails unless the condition holds. */
  #require(
    condition: Expression,
    names: Readonly<Record<string, Source>>,
    otherwise: string,
    draft: GraphDraft,
  ): NodeId {
    const holds = draft.addExpression(condition, names);
    const right = draft.inner();
    const wrong = draft.inner();
    wrong.add("fail", failNode(otherwise, []));
    return draft.add("check", {
      kind: "branch",
      condition: holds,
      with: {},
      then: right.finish(CONSTANT(null), {}),
      otherwise: wrong.finish(CONSTANT(null), {}),
    });
  }

  #xor(xor: Of<"xor">, draft: GraphDraft, names: Names, after: Done): Done {
    const { left, right } = xor;
    if (right.kind === "rethrow" || isErrorHandler(right)) return this.lower(left, draft, names, after);
    const tried = draft.inner();
    this.lower(left, tried, names, []);
    const fallback = draft.inner();
    fallback.bind("failure", "failure");
    this.lower(right, fallback, names, []);
    const [triedNames, fallbackNames] = [exportsOf(tried), exportsOf(fallback)];
    const both = new Set([...triedNames, ...fallbackNames]);
    const certain = [...both].filter(
      (name) => isStream(name) || (triedNames.includes(name) && fallbackNames.includes(name)),
    );
    const node = draft.add("xor", {
      kind: "attempt",
      with: { ...tried.with, ...fallback.with },
      graph: finishWith(tried, certain),
      fallback: finishWith(fallback, certain),
      ...(after.length === 0 ? {} : { after }),
    });
    takeExports(draft, certain, { from: "node", node }, xor);
    for (const name of both) if (!certain.includes(name)) draft.doubt(name);
    return [node];
  }

  #match(match: Of<"match" | "mismatch">, draft: GraphDraft, names: Names, after: Done): Done {
    const sources: Record<string, Source> = {};
    const sides = [match.left, match.right].map((value, i) => valueOf(value, `m${i}`, sources, draft, names));
    const condition = draft.addExpression(CALL(match.kind === "match" ? "==" : "!=", ...sides), sources);
    const then = draft.inner();
    this.lower(match.body, then, names, []);
    const exported = exportsOf(then);
    const otherwise = draft.inner();
    otherwise.add(
      "fail",
      failNode(`${match.kind}: the values are ${match.kind === "match" ? "not " : ""}equal`, []),
    );
    const node = draft.add("match", {
      kind: "branch",
      condition,
      with: then.with,
      then: finishWith(then, exported),
      otherwise: otherwise.finish(ANY(CONSTANT(null)), {}),
      ...(after.length === 0 ? {} : { after }),
    });
    takeExports(draft, exported, { from: "node", node }, match);
    return [node];
  }

  #ap(ap: Of<"ap">, draft: GraphDraft, names: Names, after: Done): Done {
    const sources: Record<string, Source> = {};
    const expression = valueOf(ap.value, "a", sources, draft, names);
    const source = draft.addExpression(expression, sources, after);
    this.#setOut(ap.out, source, draft, names, ap);
    return source.from === "node" ? [source.node] : after;
  }

  #canon(canon: Of<"canon">, draft: GraphDraft, names: Names, after: Done): Done {
    const stream = names.get(canon.stream) ?? canon.stream;
    if (!draft.holdsWhole(stream))
      throw new AirError(
        canon,
        `${canon.stream} is also added to outside, so what it holds here is not fixed`,
      );
    const list = listOfPushes(draft, stream, after);
    draft.set(names.get(canon.out) ?? canon.out, list, canon);
    return list.from === "node" ? [list.node] : after;
  }

  #fold(fold: Of<"fold">, draft: GraphDraft, names: Names, after: Done): Done {
    const { over, iterator, last } = fold;
    const { isParallel, isBackwards, goesOn, body } = turnOf(fold.body, iterator);
    if (last?.kind === "never" && !isParallel)
      throw new AirError(last, "a fold that ends in (never) would wait for ever; a run always ends");
    const list = this.#elements(over, draft, names, after);
    const graph = draft.inner(true);
    const inside = new Map([...names, [iterator, iterator]]);
    graph.bind(iterator, "item");
    const stray = body === undefined ? [] : [body];
    for (const instruction of stray)
      if (isParallel) this.#tried(instruction, graph, inside, []);
      else this.lower(instruction, graph, inside, []);
    const streams = [...graph.pushes.keys()];
    if (streams.length > 1)
      throw new AirError(fold, `a fold that adds to ${streams.length} streams; one is possible`);
    const [stream] = streams;
    const picked = goesOn
      ? isBackwards
        ? CALL("reverse", NAME("list"))
        : NAME("list")
      : CALL("take", NAME("list"), CONSTANT(1));
    const ordered = draft.addExpression(picked, { list }, after);
    const result: Source =
      stream === undefined ? { from: "constant", json: "null" } : listOfPushes(graph, stream, []);
    const node = draft.add("fold", {
      kind: "map",
      over: ordered,
      with: graph.with,
      graph: graph.finish(NAME("it"), { it: result }),
      max: MAX_FOLD,
      parallel: isParallel ? PARALLEL_FOLD : 1,
    });
    if (stream !== undefined) {
      const all = draft.addExpression(CALL("flatten", NAME("lists")), { lists: { from: "node", node } });
      draft.push(stream, { source: all, isList: true });
    }
    return last === undefined || last.kind === "never" ? [node] : this.lower(last, draft, names, [node]);
  }

  #elements(over: AirValue, draft: GraphDraft, names: Names, after: Done): Source {
    if (over.kind === "variable" && isStream(over.name))
      return listOfPushes(draft, names.get(over.name) ?? over.name, after);
    const sources: Record<string, Source> = {};
    const expression = valueOf(over, "over", sources, draft, names);
    return draft.addExpression(expression, sources);
  }
}

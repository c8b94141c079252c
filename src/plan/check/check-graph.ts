import { BOOLEAN, JSON_TYPE, listOf, NUMBER, TypeMismatch } from "../expression/builtin.ts";
import { typeOfExpression } from "../expression/type-of-expression.ts";
import { MAX_GRAPH_DEPTH } from "../limits.ts";
import { graphsOf, inputsOf, waitsFor } from "../node-parts.ts";
import type { Graph, NodeId, PlanNode, Source } from "../plan.ts";
import { NAMES, NODE_NAMES } from "../names.ts";
import { printType } from "../text/type-text.ts";
import { isAlone, whyNotAssignable } from "../type-relations.ts";
import type { ValueType } from "../value-type.ts";
import type { Findings } from "./findings.ts";
import { constantType, FAILURE_TYPE, join, type Known, listed, SEEN } from "./known-types.ts";
import { nodesOfPlace, orderOf } from "./order.ts";
import { complaintsOf } from "./rules.ts";

/** Where a graph stands in its plan. */
export interface GraphPlace {
  /** The node that it is inside of; absent for the plan's own graph. */
  readonly owner?: NodeId;
  /** The part that it plays there: "graph", "then", "of.0"; "" for the plan's own. */
  readonly role: string;
  /** Graphs around it and itself. */
  readonly depth: number;
  /** Nodes outside of it that its places may name. */
  readonly outer: ReadonlySet<NodeId>;
}

/** Checks one graph with all that is inside. @returns the type of its result */
export function checkGraph(findings: Findings, graph: Graph, place: GraphPlace): Known {
  return new GraphCheck(findings, graph, place).run();
}

class GraphCheck {
  readonly #findings: Findings;
  readonly #graph: Graph;
  readonly #place: GraphPlace;

  constructor(findings: Findings, graph: Graph, place: GraphPlace) {
    this.#findings = findings;
    this.#graph = graph;
    this.#place = place;
  }

  /** Said of the graph as a whole. */
  #say(path: string, message: string): void {
    const { owner, role } = this.#place;
    this.#findings.say(owner, [role, path].filter((part) => part !== "").join("."), message);
  }

  run(): Known {
    const { nodes, params, result } = this.#graph;
    if (this.#place.depth > MAX_GRAPH_DEPTH) {
      this.#say("", `graphs stand more than ${MAX_GRAPH_DEPTH} deep inside each other`);
      return undefined;
    }
    for (const name of Object.keys(params))
      if (!NAMES.pattern.test(name))
        this.#say(`params.${name}`, `a parameter's name has to be ${NAMES.what}`);
    for (const id of Object.keys(nodes)) this.#meet(id);
    const { order, circle } = orderOf(this.#graph);
    if (circle !== undefined)
      this.#findings.say(circle[0], "", `waits for itself: ${circle.join(" needs ")}`);
    for (const id of order) {
      const node = nodes[id];
      if (node !== undefined) this.#checkNode(id, node);
    }
    const type = this.#sourceType(result, (message) => this.#say("result", message));
    return result.from === "node" && nodes[result.node]?.kind === "fail" ? undefined : type;
  }

  #meet(id: NodeId): void {
    const { ids } = this.#findings;
    if (!NODE_NAMES.pattern.test(id))
      this.#findings.say(id, "", `a node's name has to be ${NODE_NAMES.what}`);
    if (ids.has(id))
      this.#findings.say(id, "", "there are two nodes of this name in the plan; give one another");
    ids.add(id);
  }

  #checkNode(id: NodeId, node: PlanNode): void {
    for (const [path, message] of complaintsOf(node)) this.#findings.say(id, path, message);
    this.#checkNames(id, node);
    const given = new Map<string, Known>();
    for (const { slot, source } of inputsOf(node))
      given.set(
        slot,
        this.#sourceType(source, (message) => this.#findings.say(id, slot, message)),
      );
    const type = this.#typeOf(id, node, given);
    if (type !== undefined) this.#findings.types.set(id, type);
  }

  #checkNames(id: NodeId, node: PlanNode): void {
    const { nodes } = this.#graph;
    for (const other of waitsFor(node)) {
      const path = node.kind === "observe" && node.of.includes(other) ? "of" : "after";
      if (!Object.hasOwn(nodes, other))
        this.#findings.say(id, path, `there is no node "${other}" in this graph`);
    }
    if (!("place" in node)) return;
    for (const other of nodesOfPlace(node.place))
      if (!Object.hasOwn(nodes, other) && !this.#place.outer.has(other))
        this.#findings.say(id, "place", `there is no node "${other}" in this graph or around it`);
  }

  #sourceType(source: Source, say: (message: string) => void): Known {
    switch (source.from) {
      case "constant":
        return constantType(source.json, say);
      case "param": {
        const { params } = this.#graph;
        if (Object.hasOwn(params, source.param)) return params[source.param];
        say(`there is no parameter "${source.param}" here${listed(Object.keys(params))}`);
        return undefined;
      }
      case "node": {
        const { nodes } = this.#graph;
        if (Object.hasOwn(nodes, source.node)) return this.#findings.types.get(source.node);
        say(`there is no node "${source.node}" in this graph${listed(Object.keys(nodes))}`);
        return undefined;
      }
      default:
        return source satisfies never;
    }
  }

  #typeOf(id: NodeId, node: PlanNode, given: ReadonlyMap<string, Known>): Known {
    const expect = (slot: string, asked: ValueType): void => {
      const type = given.get(slot);
      const problem = type === undefined || type.type === "json" ? undefined : whyNotAssignable(type, asked);
      if (problem !== undefined) this.#findings.say(id, slot, problem);
    };
    switch (node.kind) {
      case "call":
      case "agent":
        return node.output;
      case "effect":
        this.#checkRequest(id, given.get("request"));
        return node.output;
      case "expr":
        return this.#expressionType(id, node, given);
      case "delay":
        return given.get("value");
      case "observe":
        return SEEN;
      case "fail":
        return { type: "nothing" };
      case "stream":
        return listOf(this.#join(id, "of", [...given.values()]) ?? JSON_TYPE);
      case "branch":
        expect("condition", BOOLEAN);
        return this.#graphTypes(id, node, given, {}, node.with);
      case "map":
      case "reduce":
      case "loop":
        return this.#repeatedType(id, node, given);
      case "select": {
        const type = this.#graphTypes(id, node, given, {}, node.with);
        return type !== undefined && node.rule === "first" && node.k > 1 ? listOf(type) : type;
      }
      case "attempt":
        return this.#graphTypes(id, node, given, { failure: FAILURE_TYPE }, node.with);
      case "retry":
      case "timeout":
      case "subplan":
        return this.#graphTypes(id, node, given, {}, node.with);
      default:
        return node satisfies never;
    }
  }

  #checkRequest(id: NodeId, type: Known): void {
    if (type !== undefined && isAlone(type))
      this.#findings.say(
        id,
        "request",
        `is ${printType(type)}, but has to be JSON: a record as docs/plan.md says`,
      );
  }

  #expressionType(
    id: NodeId,
    { expression, with: sources }: Extract<PlanNode, { kind: "expr" }>,
    given: ReadonlyMap<string, Known>,
  ): Known {
    const names: [string, ValueType][] = Object.keys(sources).map((name) => [
      name,
      given.get(`with.${name}`) ?? JSON_TYPE,
    ]);
    try {
      return typeOfExpression(expression, Object.fromEntries(names));
    } catch (error) {
      if (!(error instanceof TypeMismatch)) throw error;
      this.#findings.say(id, "expression", error.message);
      return undefined;
    }
  }

  #repeatedType(
    id: NodeId,
    node: Extract<PlanNode, { kind: "map" | "reduce" | "loop" }>,
    given: ReadonlyMap<string, Known>,
  ): Known {
    if (node.kind === "loop") {
      const value = node.graph.params["value"] ?? given.get("initial");
      const result = this.#graphTypes(
        id,
        node,
        given,
        { value: given.get("initial"), turn: NUMBER },
        node.with,
      );
      return this.#turnType(id, result, value);
    }
    const item = this.#elementType(id, given.get("over"));
    if (node.kind === "map") {
      const result = this.#graphTypes(id, node, given, { item, index: NUMBER }, node.with);
      return result === undefined ? undefined : listOf(result);
    }
    const initial = given.get("initial");
    const result = this.#graphTypes(
      id,
      node,
      given,
      { accumulated: initial, item, index: NUMBER },
      node.with,
    );
    const accumulated = node.graph.params["accumulated"];
    if (accumulated === undefined) return this.#join(id, "graph.result", [initial, result]);
    const problem = result === undefined ? undefined : whyNotAssignable(result, accumulated);
    if (problem !== undefined)
      this.#findings.say(id, "graph.result", `becomes "accumulated" of the next turn: ${problem}`);
    return accumulated;
  }

  #elementType(id: NodeId, over: Known): Known {
    if (over === undefined || over.type === "json") return over;
    if (over.type === "list") return over.of;
    this.#findings.say(id, "over", `is ${printType(over)}, but has to be a list`);
    return undefined;
  }

  /** @param result of one turn @param value the parameter that the next turn is given it as */
  #turnType(id: NodeId, result: Known, value: Known): Known {
    if (result === undefined || result.type === "json") return value ?? JSON_TYPE;
    const problem = whyNotAssignable(result, {
      type: "record",
      fields: { done: BOOLEAN, ...(value === undefined ? {} : { value }) },
    });
    if (problem !== undefined) this.#findings.say(id, "graph.result", `has to be {done, value}: ${problem}`);
    return (result.type === "record" ? result.fields["value"] : undefined) ?? value ?? JSON_TYPE;
  }

  /** Checks the graphs inside of a node. @param added parameters besides `with` that a graph may ask for @returns what their results have in common */
  #graphTypes(
    id: NodeId,
    node: PlanNode,
    given: ReadonlyMap<string, Known>,
    added: Readonly<Record<string, Known>>,
    sources: Readonly<Record<string, Source>>,
  ): Known {
    const graphs = graphsOf(node);
    for (const name of Object.keys(sources)) {
      const isAsked = graphs.some(({ graph }) => Object.hasOwn(graph.params, name));
      if (Object.hasOwn(added, name))
        this.#findings.say(id, `with.${name}`, "is given by the node itself; use another name");
      else if (!isAsked)
        this.#findings.say(id, `with.${name}`, `no graph of the node has a parameter "${name}"`);
    }
    const outer = new Set([
      ...this.#place.outer,
      ...Object.keys(this.#graph.nodes).filter((other) => other !== id),
    ]);
    const results: Known[] = [];
    for (const { role, graph } of graphs) {
      this.#checkParams(id, role, graph, given, role === "fallback" || node.kind !== "attempt" ? added : {});
      const type = checkGraph(this.#findings, graph, {
        owner: id,
        role,
        depth: this.#place.depth + 1,
        outer,
      });
      results.push(type);
    }
    return this.#join(id, "", results);
  }

  #join(id: NodeId, path: string, types: readonly Known[]): Known {
    return join(types, (message) => this.#findings.say(id, path, message));
  }

  #checkParams(
    id: NodeId,
    role: string,
    graph: Graph,
    given: ReadonlyMap<string, Known>,
    added: Readonly<Record<string, Known>>,
  ): void {
    for (const [name, asked] of Object.entries(graph.params)) {
      const slot = `with.${name}`;
      const isAdded = Object.hasOwn(added, name);
      if (!isAdded && !given.has(slot)) {
        this.#findings.say(id, `${role}.params.${name}`, `nothing is given for "${name}"; add it to with`);
        continue;
      }
      const type = isAdded ? added[name] : given.get(slot);
      const problem = type === undefined ? undefined : whyNotAssignable(type, asked);
      if (problem !== undefined)
        this.#findings.say(id, isAdded ? `${role}.params.${name}` : slot, `for "${name}": ${problem}`);
    }
  }
}

import type { Expression } from "../expression.ts";
import type { Graph, NodeId, PlanNode, Source } from "../plan.ts";
import type { ValueType } from "../value-type.ts";
import { AirError, type AirPosition } from "./air-tree.ts";

/** All values of AIR are JSON. */
export const JSON_TYPE: ValueType = { type: "json" };

/** Something pushed to a stream: one value, or a list of them. */
export interface Push {
  readonly source: Source;
  readonly isList: boolean;
}

/** A field of a value that an inner graph exports: a list of the variable's value, or of nothing where it was not set. */
interface Exported {
  readonly of: Source;
  readonly field: string;
}

export class NodeIds {
  #count = 0;

  next(kind: string): NodeId {
    this.#count += 1;
    return `${kind}${this.#count}`;
  }
}

/** Names of variables may have signs that fields and parameters of a plan have not. */
function parameterName(variable: string): string {
  return `v_${variable.replaceAll(/[^A-Za-z0-9]/g, "_")}`;
}

/** A graph that grows while AIR is read, the variables it has set, and what it takes from the graph around it. */
export class GraphDraft {
  readonly nodes: Record<NodeId, PlanNode> = {};
  readonly params: Record<string, ValueType> = {};
  /** What the graph around gives for `params`. */
  readonly with: Record<string, Source> = {};
  /** Variables set by this graph itself, in order. */
  readonly own: Set<string> = new Set<string>();
  readonly pushes: Map<string, Push[]> = new Map<string, Push[]>();
  readonly #around: GraphDraft | undefined;
  readonly #ids: NodeIds;
  readonly #known = new Map<string, Source | Exported>();
  readonly #uncertain = new Set<string>();
  readonly #declared = new Set<string>();
  readonly #isRepeated: boolean;

  /** @param isRepeated the body of a fold, done for each element */
  constructor(ids: NodeIds, around?: GraphDraft, isRepeated = false) {
    this.#ids = ids;
    this.#around = around;
    this.#isRepeated = isRepeated;
  }

  get isOutermost(): boolean {
    return this.#around === undefined;
  }

  inner(isRepeated = false): GraphDraft {
    return new GraphDraft(this.#ids, this, isRepeated);
  }

  /** A name that holds within one instruction only, `new`: declared before it is read, forgotten after. */
  declare(variable: string): void {
    this.#declared.add(variable);
  }

  forget(variable: string): void {
    this.#declared.delete(variable);
    this.own.delete(variable);
    this.pushes.delete(variable);
    this.#known.delete(variable);
  }

  /** Whether all that was ever added to a stream was added by this graph: else what is in it here is not known. */
  holdsWhole(stream: string): boolean {
    if (this.#declared.has(stream)) return true;
    if (this.#isRepeated) return false;
    for (let around = this.#around; around !== undefined; around = around.#around) {
      if (around.#declared.has(stream)) return !around.pushes.has(stream);
      if (around.pushes.has(stream) || around.#isRepeated) return false;
    }
    return true;
  }

  add(kind: string, node: PlanNode): NodeId {
    const id = this.#ids.next(kind);
    this.nodes[id] = node;
    return id;
  }

  /** @param after nodes that have to end before @returns where its value comes from */
  addExpression(
    expression: Expression,
    names: Readonly<Record<string, Source>>,
    after: readonly NodeId[] = [],
  ): Source {
    const node = this.add("e", {
      kind: "expr",
      expression,
      with: names,
      ...(after.length === 0 ? {} : { after }),
    });
    return { from: "node", node };
  }

  set(variable: string, source: Source | Exported, at: AirPosition): void {
    if (this.own.has(variable)) throw new AirError(at, `${variable} is set a second time`);
    this.own.add(variable);
    this.#uncertain.delete(variable);
    this.#known.set(variable, source);
  }

  /** A parameter that this graph is given for each element or failure, without the graph around knowing it. */
  bind(variable: string, param: string): void {
    this.params[param] = JSON_TYPE;
    this.#known.set(variable, { from: "param", param });
  }

  /** A variable that only one of two branches sets: it may be missing, so nothing may read it. */
  doubt(variable: string): void {
    this.#uncertain.add(variable);
  }

  push(stream: string, push: Push): void {
    const before = this.pushes.get(stream);
    if (before === undefined) this.pushes.set(stream, [push]);
    else before.push(push);
  }

  /** Where a variable's value comes from in this graph. @throws AirError where it was not set before. */
  find(variable: string, at: AirPosition): Source {
    if (this.#uncertain.has(variable))
      throw new AirError(at, `${variable} is set by one branch only, so it may be missing here`);
    const known = this.#known.get(variable);
    if (known !== undefined) return this.#sourceOf(variable, known);
    if (this.#around === undefined) throw new AirError(at, `${variable} is read before anything sets it`);
    const source = this.#around.find(variable, at);
    const param = parameterName(variable);
    this.params[param] = JSON_TYPE;
    this.with[param] = source;
    const inside: Source = { from: "param", param };
    this.#known.set(variable, inside);
    return inside;
  }

  /** What this graph exports of a variable that it has set: a list of its value, or of nothing. @param as name of the source */
  boxed(variable: string, as: string): { readonly expression: Expression; readonly source: Source } {
    const name: Expression = { op: "name", name: as };
    const known = this.#known.get(variable);
    return known !== undefined && "field" in known
      ? { expression: { op: "field", of: name, name: known.field }, source: known.of }
      : { expression: { op: "list", items: [name] }, source: this.find(variable, { line: 0, column: 0 }) };
  }

  #sourceOf(variable: string, known: Source | Exported): Source {
    if ("from" in known) return known;
    const boxed: Expression = { op: "field", of: { op: "name", name: "of" }, name: known.field };
    const first: Expression = { op: "item", of: boxed, index: { op: "constant", json: "0" } };
    const source = this.addExpression(first, { of: known.of });
    this.#known.set(variable, source);
    return source;
  }

  /** @param result comes when everything else of the graph has ended */
  finish(result: Expression, names: Readonly<Record<string, Source>>): Graph {
    const source = this.addExpression(result, names, Object.keys(this.nodes));
    return { params: this.params, nodes: this.nodes, result: source };
  }
}

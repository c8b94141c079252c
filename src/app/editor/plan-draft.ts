import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { graphsOf } from "../../plan/node-parts.ts";
import type { NodeId, Plan, PlanNode } from "../../plan/plan.ts";
import type { PlanProblem } from "../../plan/plan-error.ts";
import type { KindName } from "../runs/kinds.ts";
import { connectNodes, type Connection, connectParam } from "./connections.ts";
import { findNode, type GraphPlace, graphAt } from "./find-node.ts";
import { FunctionsOnHand } from "./functions-on-hand.ts";
import { problemsOf, withSettledParams } from "./plan-lore.ts";
import {
  addNode,
  changeNode,
  emptyPlan,
  freeId,
  isNothing,
  removeNode,
  renameNode,
  setResult,
} from "./plan-edits.ts";

interface Kept<T> {
  value: T;
}

/** Edits that can be taken back; the oldest go. A plan is shared between them wherever it did not change. */
const MOST_UNDOS = 200;
/** Edits of the same thing within that many milliseconds are taken back together: letters of a word. */
const TOGETHER_MS = 800;

/** A plan that is being drawn: what it is, what is wrong with it, and every step back. */
export class PlanDraft {
  readonly functions: FunctionsOnHand = new FunctionsOnHand();
  readonly selected: Kept<NodeId | undefined> = signal<NodeId | undefined>(undefined);
  /** Grows with each selection, but not when the selected step is called otherwise. */
  readonly turns: Kept<number> = signal(0);
  /** Where the next step goes. */
  readonly into: Kept<GraphPlace | undefined> = signal<GraphPlace | undefined>(undefined);
  /** The step whose value looks for a place. */
  readonly connecting: Kept<NodeId | undefined> = signal<NodeId | undefined>(undefined);
  /** What the last edit did, or why it did nothing; read aloud. */
  readonly said: Kept<{ readonly text: string; readonly isRefusal: boolean }> = signal({
    text: "",
    isRefusal: false,
  });
  readonly #plan = signal<Plan>(emptyPlan("my-plan"));
  readonly #past = signal<readonly Plan[]>([]);
  readonly #future = signal<readonly Plan[]>([]);
  readonly #problems: ReadonlySignal<readonly PlanProblem[]> = computed(() => problemsOf(this.#plan.value));
  readonly #now: () => number;
  #lastEdit: { readonly what: string; readonly at: number } | undefined;

  /** @param now a clock that never goes back, milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  get plan(): Plan {
    return this.#plan.value;
  }

  /** Everything that is wrong with the plan; nodes first. */
  get problems(): readonly PlanProblem[] {
    return this.#problems.value;
  }

  get isEmpty(): boolean {
    const { nodes, params } = this.#plan.value.graph;
    return Object.keys(nodes).length + Object.keys(params).length === 0;
  }

  get canUndo(): boolean {
    return this.#past.value.length > 0;
  }

  get canRedo(): boolean {
    return this.#future.value.length > 0;
  }

  problemsOf(id: NodeId | undefined): readonly PlanProblem[] {
    return this.problems.filter(({ node }) => node === id);
  }

  /** Another plan altogether: an example, or one that was read from a file. Can be taken back like any edit. */
  open(plan: Plan, said: string): void {
    this.#change(plan, "open");
    this.selected.value = undefined;
    this.into.value = undefined;
    this.connecting.value = undefined;
    this.say(said);
  }

  /** @param what is edited: edits of one thing in quick succession are one step back */
  edit(what: string, change: (plan: Plan) => Plan): void {
    this.#change(change(this.plan), what);
  }

  editNode(id: NodeId, what: string, change: (node: PlanNode) => PlanNode): void {
    this.edit(`${id} ${what}`, (plan) => changeNode(plan, id, change));
  }

  /** Selects a step; the next one goes beside it, or into it where it has steps inside and none yet. */
  select(id: NodeId | undefined): void {
    if (this.selected.value !== id) this.turns.value += 1;
    this.selected.value = id;
    const found = id === undefined ? undefined : findNode(this.plan, id);
    if (found === undefined || id === undefined) {
      this.into.value = undefined;
      return;
    }
    const empty = graphsOf(found.node).find(({ graph }) => Object.keys(graph.nodes).length === 0);
    this.into.value = empty === undefined ? found.place : { owner: id, role: empty.role };
  }

  /** Puts a step where the selection says, and gives it the selected step's value if that fits. @returns its id */
  add(kind: KindName, node: PlanNode): NodeId {
    const id = freeId(this.plan, FIRST_NAMES[kind] ?? kind);
    const place = this.into.value;
    const before = this.selected.value;
    let plan = addNode(this.plan, place, id, node);
    const isFirst = Object.keys(graphAt(plan, place)?.nodes ?? {}).length === 1;
    const given =
      before === undefined || before === place?.owner ? undefined : connectNodes(plan, before, id);
    if (given === undefined && isFirst) plan = connectParam(plan, place, id);
    if (given?.kind === "connected") {
      ({ plan } = given);
      // What came out so far goes on through the new step.
      const graph = graphAt(plan, place);
      if (graph !== undefined && isOf(graph.result, before))
        plan = setResult(plan, place, { from: "node", node: id });
    }
    this.#change(plan, "add");
    this.select(id);
    this.say(given?.kind === "connected" ? `Added “${id}” after “${before ?? ""}”.` : `Added “${id}”.`);
    return id;
  }

  remove(id: NodeId): void {
    const found = findNode(this.plan, id);
    if (found === undefined) return;
    const beside = Object.keys(found.graph.nodes);
    const next = beside[beside.indexOf(id) - 1] ?? beside[beside.indexOf(id) + 1] ?? found.place?.owner;
    this.#change(removeNode(this.plan, id), "remove");
    this.select(next);
    if (this.connecting.value === id) this.connecting.value = undefined;
    this.say(`Removed “${id}”. Undo brings it back.`);
  }

  rename(id: NodeId, to: NodeId): void {
    const renamed = renameNode(this.plan, id, to);
    if (renamed === this.plan) return;
    this.#change(renamed, "rename");
    if (this.selected.value === id) this.selected.value = to;
    const into = this.into.value;
    if (into?.owner === id) this.into.value = { ...into, owner: to };
  }

  connect(from: NodeId, to: NodeId): Connection {
    const outcome = connectNodes(this.plan, from, to);
    this.connecting.value = undefined;
    if (outcome.kind === "connected") {
      this.#change(outcome.plan, "connect");
      this.say(`“${from}” now goes into “${to}”.`);
    } else this.say(outcome.why, true);
    return outcome;
  }

  undo(): void {
    this.#step(this.#past, this.#future, "Undone.");
  }

  redo(): void {
    this.#step(this.#future, this.#past, "Done again.");
  }

  say(text: string, isRefusal = false): void {
    this.said.value = { text, isRefusal };
  }

  #step(from: Kept<readonly Plan[]>, to: Kept<readonly Plan[]>, said: string): void {
    const plan = from.value.at(-1);
    if (plan === undefined) return;
    from.value = from.value.slice(0, -1);
    to.value = [...to.value, this.plan];
    this.#plan.value = plan;
    this.#lastEdit = undefined;
    const { value: id } = this.selected;
    if (id !== undefined && findNode(plan, id) === undefined) this.selected.value = undefined;
    if (graphAt(plan, this.into.value) === undefined) this.into.value = undefined;
    this.say(said);
  }

  #change(changed: Plan, what: string): void {
    if (changed === this.plan) return;
    const plan = withSettledParams(changed);
    const at = this.#now();
    const isSame =
      this.#lastEdit?.what === what && at - this.#lastEdit.at < TOGETHER_MS && what.includes(" ");
    this.#lastEdit = { what, at };
    if (!isSame) this.#past.value = [...this.#past.value, this.plan].slice(-MOST_UNDOS);
    this.#future.value = [];
    this.#plan.value = plan;
  }
}

function isOf(result: Plan["graph"]["result"], id: NodeId | undefined): boolean {
  return isNothing(result) || (result.from === "node" && result.node === id);
}

/** What steps of some kinds are called first, where the kind's own word says little. */
const FIRST_NAMES: Readonly<Partial<Record<KindName, string>>> = {
  call: "function",
  expr: "value",
  map: "each",
  reduce: "gather",
  select: "choose",
  attempt: "try",
  timeout: "limit",
  subplan: "group",
  fail: "stop",
};

import { type Cid, cidOf, type Digest, RAW } from "../../protocol/cid.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { FollowEffect } from "../effect-record.ts";
import type { Value } from "../json-value.ts";
import type { Graph, NodeId, Plan, PlanNode } from "../plan.ts";
import type { StepKey } from "../runner-ports.ts";
import { GATHERED_FROM, isSettling, keyText } from "../state/attempts.ts";
import type { Receipt } from "../state/receipt.ts";
import type { RunState } from "../state/run-state.ts";
import type { OpenRun } from "../state/open-run.ts";
import type { ValueType } from "../value-type.ts";
import { readValue, writeValue } from "../values.ts";

/** What is wrong with a run, or could not be looked at. */
export interface RunProblem {
  /** "run", "plan", "params", "values", "steps", or the node that it is about. */
  readonly where: string;
  readonly iteration: string;
  /** One sentence without its full stop. */
  readonly message: string;
}

/** A value as a check knows it: its bytes are there where the record has them, or where they were computed again. */
export interface Seen {
  readonly cid: Cid;
  readonly type: ValueType;
  readonly bytes?: Uint8Array;
  readonly parents: readonly Cid[];
  readonly by: readonly PeerId[];
}

/** How a node or a graph ended, as the receipts say; `absent` where there are none. */
export type NodeSeen =
  | { readonly kind: "done"; readonly value: Seen; readonly receipt: Cid }
  | { readonly kind: "failed"; readonly receipt: Cid }
  | { readonly kind: "absent" };
export type GraphSeen =
  | { readonly kind: "done"; readonly value: Seen; readonly tail: readonly Cid[] }
  | { readonly kind: "failed"; readonly receipt: Cid }
  | { readonly kind: "absent"; readonly node: NodeId };

/** A graph in one place of the run. */
export interface SeenScope {
  readonly graph: Graph;
  readonly iteration: string;
  readonly params: ReadonlyMap<string, Seen>;
  readonly outer?: SeenScope;
  readonly nodes: Map<NodeId, NodeSeen>;
}

/** A node whose inputs are known, for the rules of its kind. */
export interface SeenPlace<N extends PlanNode = PlanNode> {
  readonly id: NodeId;
  readonly node: N;
  readonly key: StepKey;
  readonly scope: SeenScope;
  readonly inputs: ReadonlyMap<string, Seen>;
  readonly args: Cid;
  /** Receipts that its step has to name. */
  readonly parents: readonly Cid[];
  /** What a coordinator settled, if one did. */
  readonly settled: Receipt | undefined;
}

/** The rules of all kinds. */
export type CheckKind = (check: CheckState, place: SeenPlace) => NodeSeen;

/** What a check knows besides the record. Whatever is left out is named as not looked at. */
export interface CheckTrust {
  /** The relay's peer id: what a plan places there counts when it signed alone. */
  readonly relay?: PeerId;
  readonly follow?: FollowEffect;
}

/** What a check has in hand. */
export class CheckState {
  readonly open: OpenRun;
  readonly plan: Plan;
  readonly types: ReadonlyMap<NodeId, ValueType>;
  readonly state: RunState;
  readonly values: ReadonlyMap<Cid, Uint8Array>;
  readonly kind: CheckKind;
  readonly trust: CheckTrust;
  readonly problems: RunProblem[] = [];
  readonly unchecked: RunProblem[] = [];
  readonly #digest: Digest | undefined;
  /** Receipts that the end of the run follows from, by step. */
  readonly #used = new Map<string, Receipt[]>();

  constructor(parts: {
    readonly open: OpenRun;
    readonly plan: Plan;
    readonly types: ReadonlyMap<NodeId, ValueType>;
    readonly state: RunState;
    readonly values: ReadonlyMap<Cid, Uint8Array>;
    readonly digest: Digest | undefined;
    readonly kind: CheckKind;
    readonly trust: CheckTrust;
  }) {
    this.trust = parts.trust;
    this.kind = parts.kind;
    this.open = parts.open;
    this.plan = parts.plan;
    this.types = parts.types;
    this.state = parts.state;
    this.values = parts.values;
    this.#digest = parts.digest;
  }

  cidOf(bytes: Uint8Array): Cid {
    return cidOf(RAW, bytes, this.#digest);
  }

  readonly isCoordinator = (root: PeerId): boolean =>
    root === this.open.body.initiator || this.open.holders.includes(root);

  wrong({ node, iteration }: StepKey, message: string): void {
    this.problems.push({ where: node === "" ? "run" : node, iteration, message });
  }

  notSeen({ node, iteration }: StepKey, message: string): void {
    this.unchecked.push({ where: node, iteration, message });
  }

  /** Collects what the closing step follows from. */
  follow(closing: Receipt): void {
    const seen = new Set<Cid>();
    const next: Receipt[] = [closing];
    for (let receipt = next.pop(); receipt !== undefined; receipt = next.pop()) {
      if (seen.has(receipt.id)) continue;
      seen.add(receipt.id);
      this.#use(receipt);
      for (const parent of receipt.step.parents) {
        const named = this.state.byId(parent);
        if (named.length === 0)
          this.wrong(receipt.step, `names a receipt that is not in the record: ${parent}`);
        // What a settled peer's receipt follows from is named by the step that settled it.
        for (const each of named) {
          if (keyText(each.step) !== keyText(receipt.step) || each.step.status === "skipped") next.push(each);
          else this.#use(each);
        }
      }
    }
  }

  #use(receipt: Receipt): void {
    const text = keyText(receipt.step);
    const used = this.#used.get(text) ?? [];
    for (const each of this.state.byId(receipt.id)) if (!used.includes(each)) used.push(each);
    this.#used.set(text, used);
  }

  /** The coordinators' word about a step; two that differ are a problem. */
  settled(key: StepKey): Receipt | undefined {
    const settled = (this.#used.get(keyText(key)) ?? []).filter(
      ({ step, root }) => isSettling(step.attempt) && step.status !== "skipped" && this.isCoordinator(root),
    );
    const [first] = settled;
    const other = settled.find(
      ({ step }) => step.result !== first?.step.result || step.status !== first?.step.status,
    );
    if (other !== undefined) this.wrong(key, "the run follows from two different outcomes of this step");
    return first;
  }

  /** What peers said of a step, among the receipts that count. */
  ofPeers(key: StepKey): readonly Receipt[] {
    return (this.#used.get(keyText(key)) ?? []).filter(({ step }) => step.attempt < GATHERED_FROM);
  }

  /** Receipts that a step names, those behind gathering steps included. */
  parentsOf(receipt: Receipt): readonly Receipt[] {
    return receipt.step.parents
      .flatMap((id) => this.state.byId(id))
      .flatMap((parent) =>
        parent.step.attempt >= GATHERED_FROM && !isSettling(parent.step.attempt)
          ? this.parentsOf(parent)
          : [parent],
      );
  }

  /** Everything that steps have to follow from, named. */
  requireParents(receipt: Receipt, wanted: readonly Cid[]): void {
    const named = this.parentsOf(receipt);
    const ids = new Set(named.map(({ id }) => id));
    const words = new Set(named.map(wordsOf));
    for (const id of wanted) {
      if (ids.has(id)) continue;
      // Two coordinators may have settled the same: either will do.
      const [other] = this.state.byId(id);
      if (other === undefined || !words.has(wordsOf(other)))
        this.wrong(receipt.step, `does not name a receipt that it follows from: ${id}`);
    }
  }

  /** A value by its CID, with its bytes where the record has them. */
  seen(cid: Cid, type: ValueType, from: Pick<Seen, "parents" | "by">): Seen {
    const bytes = this.values.get(cid);
    return { cid, type, ...(bytes === undefined ? {} : { bytes }), parents: from.parents, by: from.by };
  }

  /** @throws FailureError `expression-failed` when it is not of the type. */
  made(type: ValueType, value: Value, parents: readonly Cid[]): Seen {
    const bytes = writeValue(type, value);
    return { cid: this.cidOf(bytes), type, bytes, parents, by: [] };
  }

  /** The value, unless its bytes are not here. @throws FailureError `expression-failed` */
  read({ bytes, type }: Seen): Value | undefined {
    return bytes === undefined ? undefined : readValue(type, bytes);
  }

  typeOf(id: NodeId): ValueType {
    return this.types.get(id) ?? { type: "json" };
  }
}

/** What a receipt says, whoever signed it. */
function wordsOf({ step }: Receipt): string {
  return `${keyText(step)} ${step.status} ${step.result ?? step.code ?? ""}`;
}

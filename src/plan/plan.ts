import type { Cid } from "../protocol/cid.ts";
import type { Capability } from "../protocol/messages/effect.ts";
import type { Abi } from "../protocol/messages/session.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { Fuel, MicroCredits } from "../protocol/units.ts";
import type { Expression } from "./expression.ts";
import type { ValueType } from "./value-type.ts";

/**
 * A program whose steps run on peers that nobody controls: a graph of nodes, by CID. Data dependency expresses order and
 * independence means parallel: nothing else orders steps. docs/plan.md is normative.
 */
export interface Plan {
  readonly v: 1;
  /** For people, and the beginning of names it is deployed under. */
  readonly name: string;
  readonly graph: Graph;
}

/** Nodes, what they are given from outside, and which of their values is the result. */
export interface Graph {
  readonly params: Readonly<Record<string, ValueType>>;
  /** By id. Ids are unique in the whole plan, inner graphs included: letters, digits, "-" and "_", at most 64 bytes. */
  readonly nodes: Readonly<Record<NodeId, PlanNode>>;
  readonly result: Source;
}

export type NodeId = string;

/** Where a value comes from. */
export type Source =
  | { readonly from: "node"; readonly node: NodeId }
  | { readonly from: "param"; readonly param: string }
  /** JSON text; what is not JSON comes in as a parameter. */
  | { readonly from: "constant"; readonly json: string };

/** Which peer carries a step out. */
export type Place =
  /** Whoever coordinates the run at that moment. */
  | { readonly at: "coordinator" }
  | { readonly at: "initiator" }
  /** Root identity of a provider. */
  | { readonly at: "peer"; readonly peer: PeerId }
  /** The peer that carried out another node: data stays where it is. */
  | { readonly at: "with"; readonly node: NodeId }
  /** Any provider that fits. */
  | {
      readonly at: "any";
      readonly prefer?: "price" | "reputation" | "distance" | "fair";
      /** Other owners than those that carried these nodes out. */
      readonly apartFrom?: readonly NodeId[];
    }
  /** Whoever answers for a registered name. */
  | { readonly at: "name"; readonly name: string }
  /** The relay itself, for effects that a tab cannot have. */
  | { readonly at: "relay" };

/** How far a step's result is to be believed. */
export type Provenance =
  /** Signed by its peer. */
  | { readonly check: "signature" }
  /** `k` of `n` peers of distinct owners came to the same. */
  | { readonly check: "quorum"; readonly k: number; readonly n: number }
  /** The relay has recomputed what it drew. */
  | { readonly check: "audited" }
  /** The coordinator recomputes it itself, effects from their record. */
  | { readonly check: "replay" };

export interface StepLimits {
  readonly fuel: Fuel;
  /** Linear memory, bytes. */
  readonly memory: number;
  /** Output, bytes. */
  readonly output: number;
  /** From start to end of one attempt, milliseconds. */
  readonly deadlineMs: number;
}

/** A function or a model. */
export interface Callee {
  readonly kind: "function" | "model";
  /** The module, raw, or the model's manifest. */
  readonly cid: Cid;
  readonly entry: string;
  readonly abi: Abi;
  /** Program arguments; "{input}" stands for the input as text. */
  readonly args: readonly string[];
}

export { type Capability, EFFECT_KINDS, type EffectKind } from "../protocol/messages/effect.ts";

interface NodeBase {
  /** For people. */
  readonly title?: string;
  /** Nodes that must have ended before, although their values are not used. */
  readonly after?: readonly NodeId[];
}

interface Remote extends NodeBase {
  readonly place: Place;
  readonly provenance: Provenance;
  readonly limits: StepLimits;
}

/** One call of a function or a model. */
export interface CallNode extends Remote {
  readonly kind: "call";
  readonly callee: Callee;
  readonly input: Source;
  readonly output: ValueType;
}

/** Something that cannot be computed again: recorded, signed, and replayed from its record. */
export interface EffectNode extends Remote {
  readonly kind: "effect";
  readonly capability: Capability;
  /** JSON: what is asked for, as docs/plan.md says for each kind. */
  readonly request: Source;
  readonly output: ValueType;
}

/** A model (or a function that speaks as one) that chooses tools until it has an answer, within steps and budget. */
export interface AgentNode extends Remote {
  readonly kind: "agent";
  readonly mind: Callee;
  readonly task: Source;
  readonly tools: readonly AgentTool[];
  readonly maxSteps: number;
  readonly budget: MicroCredits;
  readonly output: ValueType;
}

export interface AgentTool {
  readonly name: string;
  readonly about: string;
  readonly tool:
    | { readonly kind: "function"; readonly callee: Callee }
    | { readonly kind: "effect"; readonly capability: Capability };
}

/** Evaluated by whoever coordinates; anybody can evaluate it again. */
export interface ExprNode extends NodeBase {
  readonly kind: "expr";
  readonly expression: Expression;
  readonly with: Readonly<Record<string, Source>>;
}

/** A graph for each element of a list. Its parameters are `item`, `index` and those in `with`. */
export interface MapNode extends NodeBase {
  readonly kind: "map";
  readonly over: Source;
  readonly with: Readonly<Record<string, Source>>;
  readonly graph: Graph;
  /** Elements at most; more is an error before anything runs. */
  readonly max: number;
  /** Steps under way at a time. */
  readonly parallel: number;
}

/** From left to right: parameters `accumulated`, `item`, `index` and those in `with`. */
export interface ReduceNode extends NodeBase {
  readonly kind: "reduce";
  readonly over: Source;
  readonly initial: Source;
  readonly with: Readonly<Record<string, Source>>;
  readonly graph: Graph;
  readonly max: number;
}

export interface BranchNode extends NodeBase {
  readonly kind: "branch";
  readonly condition: Source;
  readonly with: Readonly<Record<string, Source>>;
  readonly then: Graph;
  readonly otherwise: Graph;
}

/** k of n alternatives: those that end first, those whose results are equal, or a quorum of all. The others are cancelled. */
export interface SelectNode extends NodeBase {
  readonly kind: "select";
  readonly with: Readonly<Record<string, Source>>;
  readonly of: readonly Graph[];
  readonly rule: "first" | "equal" | "quorum";
  readonly k: number;
}

/** The fallback runs when the graph fails; it has one parameter more, `failure`: {code, name, detail, node}. */
export interface AttemptNode extends NodeBase {
  readonly kind: "attempt";
  readonly with: Readonly<Record<string, Source>>;
  readonly graph: Graph;
  readonly fallback: Graph;
}

/** The graph again when it fails for a reason that may pass, `attempts` times in all, waiting `backoffMs`, doubled each time. */
export interface RetryNode extends NodeBase {
  readonly kind: "retry";
  readonly with: Readonly<Record<string, Source>>;
  readonly graph: Graph;
  readonly attempts: number;
  readonly backoffMs: number;
}

export interface TimeoutNode extends NodeBase {
  readonly kind: "timeout";
  readonly with: Readonly<Record<string, Source>>;
  readonly graph: Graph;
  readonly ms: number;
}

export interface DelayNode extends NodeBase {
  readonly kind: "delay";
  readonly value: Source;
  readonly ms: number;
}

/** The graph while its result `{done, value}` says so; parameters `value`, `turn` and those in `with`. */
export interface LoopNode extends NodeBase {
  readonly kind: "loop";
  readonly initial: Source;
  readonly with: Readonly<Record<string, Source>>;
  readonly graph: Graph;
  readonly max: number;
}

/** A graph with names of its own: another plan, taken in whole. */
export interface SubplanNode extends NodeBase {
  readonly kind: "subplan";
  readonly with: Readonly<Record<string, Source>>;
  readonly graph: Graph;
}

/**
 * A signed statement of which of these nodes had ended, and how, at a moment. The only source of nondeterminism in a run:
 * everything else follows from receipts. Its value: [{node, iteration, done, value?}], in the order they were seen.
 */
export interface ObserveNode extends NodeBase {
  readonly kind: "observe";
  readonly of: readonly NodeId[];
  /** Waits until so many have ended, or `ms` have passed. */
  readonly atLeast: number;
  readonly ms: number;
}

/** Values in the order in which they came, bounded; what is read of it is fixed by an observe node. */
export interface StreamNode extends NodeBase {
  readonly kind: "stream";
  readonly of: readonly Source[];
  readonly max: number;
}

/** Fails on purpose. */
export interface FailNode extends NodeBase {
  readonly kind: "fail";
  readonly detail: Source;
}

export type PlanNode =
  | CallNode
  | EffectNode
  | AgentNode
  | ExprNode
  | MapNode
  | ReduceNode
  | BranchNode
  | SelectNode
  | AttemptNode
  | RetryNode
  | TimeoutNode
  | DelayNode
  | LoopNode
  | SubplanNode
  | ObserveNode
  | StreamNode
  | FailNode;

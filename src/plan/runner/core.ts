import type { Cid, Digest } from "../../protocol/cid.ts";
import type { FailureCode } from "../../protocol/failure-code.ts";
import type { Step } from "../../protocol/messages/run.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { MicroCredits } from "../../protocol/units.ts";
import type { Value } from "../json-value.ts";
import type { Graph, NodeId, PlanNode } from "../plan.ts";
import type { RunEvent, RunnerPorts, StepKey, ValueRef } from "../runner-ports.ts";
import type { Receipt } from "../state/receipt.ts";
import type { RunState } from "../state/run-state.ts";
import type { ValueType } from "../value-type.ts";
import type { GraphEnd, Known } from "./known.ts";
import type { Scope } from "./scope.ts";

/** A node at work in a scope. */
export interface Place<N extends PlanNode = PlanNode> {
  readonly id: NodeId;
  readonly node: N;
  readonly scope: Scope;
  readonly key: StepKey;
  /** CID of what it is given, as `Step.args` has it. */
  readonly args: Cid;
  /** What it is given, by slot. */
  readonly inputs: ReadonlyMap<string, Known>;
  /** Receipts of its inputs and of what it comes after. */
  readonly parents: readonly Cid[];
}

/** What a coordinator says of a step that it settles. */
export interface Settling {
  readonly status: Step["status"];
  readonly args: Cid;
  readonly parents: readonly Cid[];
  /** Present exactly when it is done. */
  readonly result?: Known;
  readonly code?: FailureCode;
  readonly detail?: string;
}

/** What the kinds of nodes share. */
export interface Core {
  readonly ports: RunnerPorts;
  readonly state: RunState;
  /** The runtime's SHA-256 where it can hash at once. */
  readonly digest: Digest | undefined;
  readonly run: Cid;
  /** Aborts when the run is cancelled or this coordinator stops. */
  readonly signal: AbortSignal;
  emit(event: RunEvent): void;
  typeOf(id: NodeId): ValueType;
  /** Signs a step and keeps it. An equal one that is there already is used again. */
  settle(key: StepKey, settling: Settling): Promise<Receipt>;
  /** What a coordinator settled of this step for these arguments before. */
  settled(key: StepKey, args: Cid): Receipt | undefined;
  readonly isCoordinator: (root: PeerId) => boolean;
  /** @throws FailureError `function-unavailable`, `expression-failed`. */
  read(known: Known): Promise<Value>;
  /** The value with its bytes, from wherever they are; made again where nobody gives them. @throws FailureError */
  bring(known: Known): Promise<ValueRef>;
  /** Receipts, by body, that do not count here for want of what they should have shown. */
  readonly refused: Set<Cid>;
  /** What an effect's record says, kept for whoever checks the run. @throws FailureError when its peer does not give it. */
  witness(ref: ValueRef): Promise<Uint8Array>;
  /** Whether the value can be had without doing its step again. */
  isThere(known: Known): Promise<boolean>;
  /** @throws FailureError `expression-failed` when it is not of the type. */
  keep(type: ValueType, value: Value, parents: readonly Cid[]): Known;
  /** Carries a graph out. Rejects with the signal's reason when it is aborted from outside. */
  graph(parts: GraphCall): Promise<GraphEnd>;
  paid(cost: MicroCredits): void;
  /** Micro-credits that receipts say so far. */
  spent(): bigint;
  readonly options: CoreOptions;
  /** Calls back when receipts of this step come in from elsewhere. @returns what ends that */
  onArrival(key: StepKey, wake: () => void): () => void;
  /** A receipt that a peer was asked for, its signature checked. @throws FailureError `bad-signature`, `denied`, `malformed`, … */
  admit(envelope: Uint8Array, cost: MicroCredits): Promise<Receipt>;
  /** An attempt is given out now. */
  given(key: StepKey, attempt: number, inputBytes: number): void;
  /** How often this coordinator has given a step out. */
  timesGiven(key: StepKey): number;
  /** @throws FailureError `expired` when nothing of the run may begin any more. */
  requireTime(): void;
}

export interface CoreOptions {
  readonly attemptsFrom: number;
  readonly attempts: number;
  /** A step that takes longer than this is given to a second peer as well, milliseconds. */
  readonly hedgeAfterMs: number;
  /** Whether this coordinator gives a step out; others' come in as receipts. */
  readonly mine: (key: StepKey) => boolean;
  readonly initiator: PeerId;
  /** Who alone carries out what a plan places at the relay, where that is known. */
  readonly relay: PeerId | undefined;
}

export interface GraphCall {
  readonly graph: Graph;
  readonly iteration: string;
  readonly params: ReadonlyMap<string, Known>;
  readonly outer?: Scope;
  /** How often around, in a map or loop of so many. */
  readonly turns?: number;
  readonly signal: AbortSignal;
}

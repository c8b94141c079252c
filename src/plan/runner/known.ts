import type { Cid } from "../../protocol/cid.ts";
import type { FailureCode } from "../../protocol/failure-code.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { NodeId } from "../plan.ts";
import type { ValueRef } from "../runner-ports.ts";
import type { ValueType } from "../value-type.ts";

/** A value as a node is given it. */
export interface Known {
  readonly ref: ValueRef;
  readonly type: ValueType;
  /** Receipts that it comes from: none for what the run was given. */
  readonly parents: readonly Cid[];
  /** Root identities of the peers that made it. */
  readonly by: readonly PeerId[];
  /** Has the step that made it done again, elsewhere: for when nobody gives the value. Present where a peer made it. */
  readonly again?: (signal: AbortSignal) => Promise<ValueRef>;
}

/** Why a node failed, as its graph and its fallback are told. */
export interface NodeFailure {
  /** The innermost node that it began with. */
  readonly node: NodeId;
  readonly iteration: string;
  readonly peer?: PeerId;
  readonly code: FailureCode;
  readonly detail: string;
}

/** How a node ended. `receipt`: body of the step that says so; absent when it was skipped before its graph had begun. */
export type Ending =
  | { readonly kind: "done"; readonly value: Known; readonly receipt: Cid }
  | { readonly kind: "failed"; readonly failure: NodeFailure; readonly receipt: Cid }
  | { readonly kind: "skipped"; readonly receipt: Cid };

/** How a graph ended. `tail`: receipts of the nodes that nothing else in it follows from. */
export type GraphEnd =
  | { readonly kind: "done"; readonly value: Known; readonly tail: readonly Cid[] }
  | { readonly kind: "failed"; readonly failure: NodeFailure; readonly tail: readonly Cid[] };

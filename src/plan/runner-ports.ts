import type { Cid } from "../protocol/cid.ts";
import type { FailureCode } from "../protocol/failure-code.ts";
import type { Step } from "../protocol/messages/run.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { MicroCredits } from "../protocol/units.ts";
import type { Callee, Capability, NodeId, Place, Provenance, StepLimits } from "./plan.ts";

/** A value by its CID (raw): where it is, and its bytes where they are here or small. */
export interface ValueRef {
  readonly cid: Cid;
  readonly size: number;
  /** Present below MAX_INLINE_BYTES, or where it was made or fetched here. */
  readonly bytes?: Uint8Array;
  /** Session keys of peers that hold it. */
  readonly holders: readonly PeerId[];
}

/** One step in a run. */
export interface StepKey {
  readonly node: NodeId;
  readonly iteration: string;
}

/** What another peer is to do. */
export interface StepOrder extends StepKey {
  readonly attempt: number;
  readonly what:
    | { readonly kind: "call"; readonly callee: Callee }
    | { readonly kind: "effect"; readonly capability: Capability };
  readonly place: Place;
  readonly provenance: Provenance;
  readonly limits: StepLimits;
  readonly input: ValueRef;
  /** Receipts that the input came from, CIDs of their bodies. */
  readonly parents: readonly Cid[];
  /** Root identities that carried out the nodes that `place` names: it is with them, or apart from them. */
  readonly peers: readonly PeerId[];
  /** Whether the value may stay where it is made, because only other peers need it next. */
  readonly hold: boolean;
  /** Turns of this node at most in this run: for sizing one job for all its iterations. */
  readonly expected: number;
}

/** What came of it. */
export interface StepEnd {
  /** The peer's step envelope; several where several peers were asked (quorum), the agreeing ones first. */
  readonly receipts: readonly Uint8Array[];
  /** Present when it is done. */
  readonly value?: ValueRef;
  /** Micro-credits under receipts for it so far as is known; settled amounts come in the run's account. */
  readonly cost: MicroCredits;
}

/** How a runner reaches the world. Everything that is not pure comes in here. */
export interface RunnerPorts {
  /**
   * Has a step carried out by a peer. One call is one attempt; it rejects when no receipt came of it.
   * @throws FailureError `no-provider`, `insufficient-funds`, … and the signal's reason.
   */
  perform(order: StepOrder, signal: AbortSignal): Promise<StepEnd>;
  /** Bytes of a value, from here or from its holders, hashed. @throws FailureError `function-unavailable` when nobody has it. */
  fetchValue(value: ValueRef, signal: AbortSignal): Promise<Uint8Array>;
  /** Keeps a value for whoever asks by CID. */
  keepValue(bytes: Uint8Array): ValueRef;
  /** Signs what this coordinator carried out itself. @returns the step envelope */
  signStep(step: Step): Promise<Uint8Array>;
  /** Resolves after so long; rejects with the signal's reason. */
  pause(ms: number, signal: AbortSignal): Promise<void>;
  /** Milliseconds since 1970. */
  now(): number;
}

/** What a person or a page hears of a run. Every field is data that can be posted or stored. */
export type RunEvent =
  | { readonly kind: "started"; readonly run: Cid; readonly nodes: number; readonly costBound: MicroCredits }
  | ({ readonly kind: "ready" | "given" } & StepKey & { readonly attempt: number })
  | ({
      readonly kind: "ended";
      readonly attempt: number;
      /** CID of the receipt's body, and its envelope. */
      readonly receipt: Cid;
      readonly envelope: Uint8Array;
      /** Root identity of the peer. */
      readonly peer: PeerId;
      readonly status: Step["status"];
      readonly code?: FailureCode;
      readonly detail?: string;
      readonly inputBytes: number;
      readonly outputBytes: number;
      readonly fuel: bigint;
      readonly cost: MicroCredits;
      readonly elapsedMs: number;
      readonly effect?: boolean;
    } & StepKey)
  | ({
      readonly kind: "lost";
      readonly attempt: number;
      readonly code: FailureCode;
      readonly detail: string;
    } & StepKey)
  | { readonly kind: "note"; readonly text: string }
  | { readonly kind: "over"; readonly failure?: RunFailure; readonly result?: ValueRef };

/** Why a run failed: which node, at whom, what was paid, what to do. */
export interface RunFailure {
  readonly node: NodeId;
  readonly iteration: string;
  readonly peer?: PeerId;
  readonly code: FailureCode;
  readonly detail: string;
  /** Micro-credits that the run has cost until then. */
  readonly paid: MicroCredits;
  /** One sentence: what to do. */
  readonly advice: string;
}

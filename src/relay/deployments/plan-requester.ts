import type { Plan } from "../../plan/plan.ts";
import type { RunEvent } from "../../plan/runner-ports.ts";
import type { Cid } from "../../protocol/cid.ts";
import type { PeerId } from "../../protocol/peer-id.ts";

/**
 * Starts runs of plans for deployments. The relay knows whoever does it by this port only; who starts the relay gives it one that
 * speaks the requester's public interface.
 */

/** What such a requester is made of; see GatewayGround. */
export interface PlanGround {
  /** Origin of this relay's own HTTP server, as reached from this machine. */
  readonly relay: string;
  /** Seed of the gateway's identity, 32 bytes. */
  readonly seed: Uint8Array;
}

/** Made at the start of the relay; joins the mesh at the first run. */
export type PlanRequesterFactory = (ground: PlanGround) => PlanRequester;

export interface PlanOrder {
  readonly plan: Plan;
  /** By the names of the plan's parameters: bytes as a Uint8Array, text as a string, all others what JSON holds. */
  readonly params: Readonly<Record<string, unknown>>;
  readonly payer: PeerId;
  /** CID of the api-key that lets the gateway spend the payer's money. */
  readonly apiKey: Cid;
  /** Micro-credits that the key and its account have left. */
  readonly available: bigint;
  /** The most that the run may cost, micro-credits. */
  readonly budget: bigint;
  /** 16 bytes. With the same nonce and `issuedAt` it is the same run, that goes on where it was. */
  readonly nonce: Uint8Array;
  /** Milliseconds since 1970. */
  readonly issuedAt: number;
  /** A run of this requester's that was begun before, and is to go on. */
  readonly continues?: Cid;
  readonly timeoutMs: number;
  /** How long a step waits for a provider where none fits. */
  readonly noProviderTimeoutMs: number;
  /** Root identities that alone may carry out steps whose place is anywhere; absent for everybody. */
  readonly providers?: readonly PeerId[];
}

/** A run under way. */
export interface StartedRun {
  readonly run: Cid;
  readonly events: AsyncIterable<RunEvent>;
  /** Bytes of a value of the run. @throws FailureError when nobody has it any more */
  value(cid: Cid, signal: AbortSignal): Promise<Uint8Array>;
  /** @throws FailureError why it failed */
  result(): Promise<Uint8Array>;
  /** Micro-credits, once all is settled. Never rejects. */
  readonly spent: Promise<bigint>;
}

export interface PlanRequester {
  /**
   * @param signal aborted with `draining` leaves the run to whoever continues it; with anything else cancels it
   * @throws FailureError why it could not be started; the signal's reason
   */
  start(order: PlanOrder, signal: AbortSignal): Promise<StartedRun>;
  /** Cancels what is under way and leaves the mesh. Idempotent. */
  close(): Promise<void>;
}

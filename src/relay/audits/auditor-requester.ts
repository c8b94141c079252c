import type { Cid } from "../../protocol/cid.ts";
import type { FailureCode } from "../../protocol/failure-code.ts";
import type { JobLimits } from "../../protocol/messages/job.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { TaskArgs } from "../../sandbox/task.ts";

/**
 * Has a task computed by a provider as any requester would. A relay cannot dial providers by itself; who starts it gives it
 * one that speaks the requester's public interface, as for the gateway.
 */

export interface AuditorGround {
  /** Origin of this relay's own HTTP server, as reached from this machine. */
  readonly relay: string;
}

export type AuditorFactory = (ground: AuditorGround) => AuditorRequester;

/** One task, without what anybody has claimed of it. */
export interface AuditOrder {
  /** Seed of the identity that asks, 32 bytes: another one for each order, so that nobody can tell it from a newcomer. */
  readonly identity: Uint8Array;
  readonly module: Uint8Array;
  readonly entry: string;
  readonly args: TaskArgs;
  readonly input: Uint8Array;
  readonly limits: JobLimits;
}

/** What a provider has made of it, under its signed receipt. */
export type AuditAnswer = { readonly provider: PeerId; readonly fuel: bigint } & (
  | { readonly kind: "done"; readonly outputCid: Cid; readonly size: number }
  | { readonly kind: "failed"; readonly code: FailureCode }
);

export interface AuditorRequester {
  /** @returns nothing where no provider could or would. Never rejects. */
  compute(order: AuditOrder, signal: AbortSignal): Promise<AuditAnswer | undefined>;
  /** Idempotent. */
  close(): Promise<void>;
}

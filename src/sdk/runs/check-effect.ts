import type { StepOrder } from "../../plan/runner-ports.ts";
import type { Cid } from "../../protocol/cid.ts";
import { FailureError } from "../../protocol/failure.ts";
import type { PeerId } from "../../protocol/peer-id.ts";

/** An effect as a peer has shown it. */
export interface ShownEffect {
  /** Session key of the peer that signed the step. */
  readonly signer: PeerId;
  readonly request: Uint8Array;
  readonly record: Uint8Array;
  readonly value: Uint8Array;
  /** Verifies the relay's randomness. */
  readonly randomnessKey?: Uint8Array;
}

/**
 * Follows an effect from its record before its value is used: a peer that shows what its plan does not allow, or time and randomness
 * that it made up, has not carried the step out.
 * @throws FailureError `verification-failed` naming what is wrong
 */
export async function checkEffect(
  { what, node, iteration, attempt }: StepOrder,
  run: Cid,
  { signer, request, record, value, randomnessKey }: ShownEffect,
): Promise<void> {
  if (what.kind !== "effect") return;
  const { replayEffect } = await import("../../effects/replay-effect.ts");
  const verifyProof =
    randomnessKey === undefined
      ? undefined
      : (await import("../../effects/verifiable-random.ts")).provesRandomness;
  try {
    replayEffect({
      capability: what.capability,
      request,
      record,
      response: value,
      place: { run, node, iteration, attempt },
      signer,
      ...(verifyProof === undefined || randomnessKey === undefined
        ? {}
        : {
            verifyProof: (message: Uint8Array, proof: Uint8Array) =>
              verifyProof(randomnessKey, message, proof),
          }),
    });
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    throw new FailureError("verification-failed", error.detail, { cause: error });
  }
}

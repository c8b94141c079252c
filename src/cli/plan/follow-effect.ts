import { replayEffect } from "../../effects/replay-effect.ts";
import type { EffectFollowed, EffectShown } from "../../plan/effect-record.ts";
import { FailureError } from "../../protocol/failure.ts";

/** Follows an effect again without the network. Whose key signed for verifiable randomness is not in a record, and that is said. */
export function followEffect(effect: EffectShown): EffectFollowed {
  let isTaken = false;
  const verifyProof = (): boolean => {
    isTaken = true;
    return true;
  };
  try {
    replayEffect({ ...effect, verifyProof });
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    return { wrong: error.detail };
  }
  return isTaken
    ? { unchecked: "its randomness follows from a proof, and whether that is the relay's was not looked at" }
    : {};
}

import { identityOfPhrase } from "../storage/recovery-phrase.ts";
import type { Identity } from "../storage/identity-file.ts";

/** A key in words, and as a code for another device. Loaded only where somebody asks for it: the list of words is long. */

export { PHRASE_WORDS, phraseOf } from "../storage/recovery-phrase.ts";
export {
  isMovingCode,
  makeMovingCode,
  type MovingCode,
  MOVING_WORDS,
  openMovingCode,
} from "../storage/moving-code.ts";

/** @throws FailureError `malformed`; the detail holds no word of the phrase. */
export async function readPhrase(text: string): Promise<Identity> {
  return identityOfPhrase(crypto.subtle, text, Date.now());
}

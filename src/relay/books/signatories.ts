import { equalBytes } from "../../protocol/bytes.ts";
import { type Delegation, type Signatory, signatory } from "../../protocol/delegation.ts";
import { type SignedBy, verifiedSync } from "../../protocol/envelope.ts";
import { FailureError } from "../../protocol/failure.ts";
import { CLOCK_SKEW_MS } from "../../protocol/limits.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { KEPT_DELEGATIONS } from "./limits.ts";
import { verifyNative } from "./native-keys.ts";
import { RecentMap } from "./recent-map.ts";

interface Known {
  readonly bytes: Uint8Array;
  readonly delegation: Delegation;
}

/** For whom signers act. Delegations are verified once and remembered by their bytes. */
export class Signatories {
  readonly #known = new RecentMap<PeerId, Known>(KEPT_DELEGATIONS);

  /**
   * @param time log time: only that judges (rule 19).
   * @throws FailureError `bad-signature` when the delegation does not hold, `expired` outside its time.
   */
  of(signed: SignedBy, time: number): Pick<Signatory, "root" | "session"> {
    if (signed.delegation === undefined) return { root: signed.key, session: signed.key };
    const known = this.#known.get(signed.key);
    if (known === undefined || !equalBytes(known.bytes, signed.delegation)) return this.#learn(signed, time);
    const { root, session, notBefore, notAfter } = known.delegation;
    if (time < notBefore - CLOCK_SKEW_MS || time > notAfter + CLOCK_SKEW_MS)
      throw new FailureError("expired", "delegation: outside its time");
    return { root, session };
  }

  #learn(signed: SignedBy, time: number): Pick<Signatory, "root" | "session"> {
    const { root, session, delegation } = signatory(signed, time);
    if (delegation !== undefined) {
      const { body, bytes } = verifiedSync(delegation, verifyNative);
      this.#known.set(session, { bytes, delegation: body });
    }
    return { root, session };
  }
}

import { equalBytes } from "../../protocol/bytes.ts";
import type { Cid, Digest } from "../../protocol/cid.ts";
import { type Delegation, delegationMessage, signatory } from "../../protocol/delegation.ts";
import { openEnvelope, type SignedBy, verified } from "../../protocol/envelope.ts";
import { FailureError } from "../../protocol/failure.ts";
import { CLOCK_SKEW_MS } from "../../protocol/limits.ts";
import { type Step, stepMessage } from "../../protocol/messages/run.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { Verify } from "../../protocol/signature.ts";

/** A step whose signature holds, and who signed it. */
export interface Receipt {
  /** CID of the body: what `parents` of other steps name. Several peers may have signed one body. */
  readonly id: Cid;
  readonly step: Step;
  readonly envelope: Uint8Array;
  /** The session key that signed, which is also where its values are. */
  readonly key: PeerId;
  /** The identity it acts for. */
  readonly root: PeerId;
}

/** In which run, and when, a signature has to have been made. */
export interface RunTime {
  readonly run: Cid;
  /** Milliseconds since 1970, from the run's envelope. */
  readonly issuedAt: number;
  readonly notAfter: number;
}

/** A session whose delegation was checked, bytes and all. */
interface KnownSession extends Pick<Delegation, "root" | "notBefore" | "notAfter"> {
  readonly bytes: Uint8Array;
}

/** Sessions that are remembered, of all runs together: each receipt carries its delegation. */
const KEPT_SESSIONS = 1_024;
const sessions = new WeakMap<Verify, Map<PeerId, KnownSession>>();

/**
 * Reads steps and checks their signatures. Steps carry no time of their own: a session counts when its delegation overlaps
 * the run's time, so the same receipts hold today and in ten years.
 */
export class ReceiptReader {
  readonly #time: RunTime;
  readonly #verify: Verify;
  readonly #digest: Digest | undefined;
  readonly #sessions: Map<PeerId, KnownSession>;

  constructor(time: RunTime, verify: Verify, digest?: Digest) {
    this.#time = time;
    this.#verify = verify;
    this.#digest = digest;
    this.#sessions = sessions.get(verify) ?? new Map<PeerId, KnownSession>();
    sessions.set(verify, this.#sessions);
  }

  /**
   * @throws FailureError `malformed`, `bad-signature`, `expired`; `wrong-relay` never: a step names its run alone.
   * `denied` when it belongs to another run.
   */
  async read(envelope: Uint8Array): Promise<Receipt> {
    const message = openEnvelope(stepMessage, envelope, this.#digest);
    if (message.body.run !== this.#time.run)
      throw new FailureError("denied", `step ${message.body.node}: signed for another run`);
    const [by] = message.signedBy;
    if (by === undefined || message.signedBy.length !== 1)
      throw new FailureError("bad-signature", `step ${message.body.node}: not signed by one peer alone`);
    await verified(message, this.#verify);
    const root = await this.rootOf(by);
    return { id: message.id, step: message.body, envelope, key: by.key, root };
  }

  /** Whom a session acts for. @throws FailureError `bad-signature`, `expired`. */
  async rootOf({ key, delegation }: SignedBy): Promise<PeerId> {
    if (delegation === undefined) return key;
    const known = this.#sessions.get(key);
    if (known !== undefined && equalBytes(known.bytes, delegation)) {
      this.#requireTime(known);
      return known.root;
    }
    const opened = openEnvelope(delegationMessage, delegation);
    this.#requireTime(opened.body);
    // Whether it is for this key, and signed by its root, at a moment when it holds.
    const { root } = signatory({ key, delegation }, opened.body.notBefore);
    await verified(opened, this.#verify);
    if (this.#sessions.size >= KEPT_SESSIONS) this.#sessions.clear();
    const { notBefore, notAfter } = opened.body;
    this.#sessions.set(key, { root, notBefore, notAfter, bytes: delegation.slice() });
    return root;
  }

  /** There has to be a moment in both the run's time and the delegation's. */
  #requireTime({ notBefore, notAfter }: Pick<Delegation, "notBefore" | "notAfter">): void {
    const { issuedAt, notAfter: end } = this.#time;
    if (Math.max(issuedAt, notBefore - CLOCK_SKEW_MS) > Math.min(end, notAfter + CLOCK_SKEW_MS))
      throw new FailureError("expired", "delegation: outside the run's time");
  }
}

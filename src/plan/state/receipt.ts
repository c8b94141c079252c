import type { Cid, Digest } from "../../protocol/cid.ts";
import { type Delegation, delegationMessage, signatory } from "../../protocol/delegation.ts";
import { openEnvelope, type SignedBy, type Unverified, verified } from "../../protocol/envelope.ts";
import { FailureError } from "../../protocol/failure.ts";
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

/** Delegations whose signatures were checked, remembered for so many sessions of all runs: by the verifier, their bodies and bytes. */
const KEPT_DELEGATIONS = 1_024;
const checked = new WeakMap<Verify, Map<Cid, Promise<unknown>>>();

/**
 * Reads steps and checks their signatures. Steps carry no time of their own: a session counts when its delegation overlaps
 * the run's time, so the same receipts hold today and in ten years.
 */
export class ReceiptReader {
  readonly #time: RunTime;
  readonly #verify: Verify;
  readonly #digest: Digest | undefined;
  readonly #delegations: Map<Cid, Promise<unknown>>;

  constructor(time: RunTime, verify: Verify, digest?: Digest) {
    this.#time = time;
    this.#verify = verify;
    this.#digest = digest;
    this.#delegations = checked.get(verify) ?? new Map<Cid, Promise<unknown>>();
    checked.set(verify, this.#delegations);
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
  async rootOf(by: SignedBy): Promise<PeerId> {
    if (by.delegation === undefined) return by.key;
    const { root, delegation } = signatory(by, this.#timeWithin(by.delegation));
    if (delegation !== undefined) await this.#checked(delegation);
    return root;
  }

  /** A moment in both the run's time and the delegation's, if there is one. */
  #timeWithin(envelope: Uint8Array): number {
    const { notBefore } = openEnvelope(delegationMessage, envelope).body;
    const moment = Math.max(this.#time.issuedAt, notBefore);
    if (moment > this.#time.notAfter)
      throw new FailureError("expired", "delegation: begins after the run's time");
    return moment;
  }

  async #checked(delegation: Unverified<Delegation>): Promise<void> {
    const id = delegation.id;
    const known = this.#delegations.get(id);
    // The same body with another signature has to be checked by itself.
    if (known !== undefined && sameBytes(await known, delegation.bytes)) return;
    if (this.#delegations.size >= KEPT_DELEGATIONS) this.#delegations.clear();
    const checking = verified(delegation, this.#verify).then(({ bytes }) => bytes);
    this.#delegations.set(id, checking);
    checking.catch(() => this.#delegations.delete(id));
    await checking;
  }
}

function sameBytes(a: unknown, b: Uint8Array): boolean {
  return a instanceof Uint8Array && a.length === b.length && a.every((byte, place) => byte === b[place]);
}

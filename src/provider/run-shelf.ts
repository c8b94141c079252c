import type { RunList } from "../mesh/run-exchange.ts";
import { type Cid, cidOf, RAW } from "../protocol/cid.ts";
import { signatory } from "../protocol/delegation.ts";
import { openEnvelope, verified } from "../protocol/envelope.ts";
import { FailureError } from "../protocol/failure.ts";
import { runAccessMessage, type Step, stepMessage } from "../protocol/messages/run.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { Verify } from "../protocol/signature.ts";
import { encodeUtf8 } from "../protocol/text.ts";
import { RECEIPT_BYTES, RUN_RECEIPT_BYTES, RUNS_KEPT, SIGNED_PLACES } from "./limits.ts";

export interface RunShelfOptions {
  /** The session key here: what is shown has to be signed for it, or a peer could show elsewhere what it was shown itself. */
  readonly self: PeerId;
  readonly verify: Verify;
  /** Root identities that may coordinate a run, as the relay's log has it. */
  readonly coordinators: (run: Cid) => Promise<readonly PeerId[]>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What is known of one run. */
interface KeptRun {
  /** In the order in which they came: peers read on from where they were. */
  readonly steps: Uint8Array[];
  /** By the CID of the body and the key that signed. */
  readonly known: Set<string>;
  /** What was signed here, by node, iteration and attempt. */
  readonly own: Map<string, Promise<Uint8Array>>;
  /** Of the receipts, bytes. */
  bytes: number;
}

/** A hash: words of strangers are not kept at their length. */
function place({ run, node, iteration, attempt }: Step): Cid {
  return cidOf(RAW, encodeUtf8(JSON.stringify([run, node, iteration, attempt])));
}

/** Receipts of the runs in which this provider takes part, its own and those that peers have brought. */
export class RunShelf implements RunList {
  readonly #options: RunShelfOptions;
  /** Those used last stand last. */
  readonly #runs = new Map<Cid, KeptRun>();
  /** Places that were signed, and until when they may be asked for, milliseconds since 1970: kept longer than the receipts are. */
  readonly #signed = new Map<Cid, number>();
  #bytes = 0;

  constructor(options: RunShelfOptions) {
    this.#options = options;
  }

  async admit(run: Cid, access: Uint8Array, remote: string): Promise<void> {
    if (!this.#runs.has(run)) throw new FailureError("not-found", "this peer knows no such run");
    const { self, verify, coordinators, now } = this.#options;
    const shown = await verified(openEnvelope(runAccessMessage, access), verify);
    const [by] = shown.signedBy;
    if (by === undefined || by.key !== remote || shown.body.run !== run)
      throw new FailureError("denied", "run-access: of another run, or of somebody else");
    if (shown.body.audience !== self)
      throw new FailureError("denied", "run-access: was signed for somebody else than this peer");
    const { root, delegation } = signatory(by, now());
    if (delegation !== undefined) await verified(delegation, verify);
    if (!(await coordinators(run)).includes(root))
      throw new FailureError("denied", "run-access: by somebody who does not coordinate the run");
  }

  /**
   * Signs a step, once: whoever asks for the same again gets what was signed then, for two that differ would convict this provider.
   * @param until the step's job is over by then, milliseconds since 1970
   * @param sign makes the envelope
   * @returns nothing where it was signed before and what was signed is gone, or too much was
   */
  async sign(step: Step, until: number, sign: () => Promise<Uint8Array>): Promise<Uint8Array | undefined> {
    const run = this.#open(step.run);
    const key = place(step);
    const before = run.own.get(key);
    if (before !== undefined) return before;
    if (!this.#mark(key, until)) return undefined;
    const envelope = sign();
    run.own.set(key, envelope);
    const bytes = await envelope;
    // Where there is no room any more, the place alone is remembered.
    if (!this.#add(run, bytes, RUN_RECEIPT_BYTES)) run.own.delete(key);
    this.#makeRoom(step.run);
    return bytes;
  }

  #mark(key: Cid, until: number): boolean {
    if (this.#signed.has(key)) return false;
    if (this.#signed.size >= SIGNED_PLACES)
      for (const [old, end] of this.#signed) if (end < this.#options.now()) this.#signed.delete(old);
    if (this.#signed.size >= SIGNED_PLACES) return false;
    this.#signed.set(key, until);
    return true;
  }

  since(run: Cid, from: number): readonly Uint8Array[] | undefined {
    return this.#runs.get(run)?.steps.slice(from);
  }

  /** Takes receipts whose signatures hold, of a run that is known here. @throws FailureError `bad-signature`, `malformed` */
  async learn(id: Cid, steps: readonly Uint8Array[]): Promise<void> {
    const run = this.#runs.get(id);
    if (run === undefined) throw new FailureError("not-found", "this peer knows no such run");
    for (const bytes of steps) {
      const step = openEnvelope(stepMessage, bytes);
      if (step.body.run !== id) throw new FailureError("malformed", "a step of another run");
      if (!this.#hasRoom(run, bytes, RUN_RECEIPT_BYTES / 2) || this.#bytes + bytes.length > RECEIPT_BYTES)
        return;
      // oxlint-disable-next-line no-await-in-loop -- a few, as a rule
      await verified(step, this.#options.verify);
      this.#add(run, bytes.slice(), RUN_RECEIPT_BYTES / 2);
    }
  }

  #open(id: Cid): KeptRun {
    const known = this.#runs.get(id) ?? { steps: [], known: new Set(), own: new Map(), bytes: 0 };
    this.#runs.delete(id);
    this.#runs.set(id, known);
    this.#makeRoom(id);
    return known;
  }

  /** Forgets the receipts of those runs that were used longest ago, never of this one. */
  #makeRoom(current: Cid): void {
    for (const [id, { bytes }] of this.#runs) {
      if (id === current || (this.#runs.size <= RUNS_KEPT && this.#bytes <= RECEIPT_BYTES)) return;
      this.#runs.delete(id);
      this.#bytes -= bytes;
    }
  }

  #hasRoom(run: KeptRun, { length }: Uint8Array, most: number): boolean {
    return run.bytes + length <= most;
  }

  /** @returns whether it is among them now */
  #add(run: KeptRun, envelope: Uint8Array, most: number): boolean {
    const { id, signedBy } = openEnvelope(stepMessage, envelope);
    const name = `${id} ${signedBy[0]?.key ?? ""}`;
    if (run.known.has(name)) return true;
    if (!this.#hasRoom(run, envelope, most)) return false;
    run.known.add(name);
    run.steps.push(envelope);
    run.bytes += envelope.length;
    // A run that was forgotten meanwhile counts no more.
    if ([...this.#runs.values()].includes(run)) this.#bytes += envelope.length;
    return true;
  }
}

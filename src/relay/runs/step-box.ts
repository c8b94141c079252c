import { type Cid, isCid } from "../../protocol/cid.ts";
import { delegationMessage, type Signatory } from "../../protocol/delegation.ts";
import { openEnvelope, type SignedBy, verifiedSync } from "../../protocol/envelope.ts";
import { FailureError } from "../../protocol/failure.ts";
import { MAX_STEP_BATCH_BYTES, MAX_STEPS_PER_BATCH } from "../../protocol/limits.ts";
import { type Step, type StepBatch, stepMessage, type StepPage } from "../../protocol/messages/run.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { mayCoordinate } from "../../ledger/run-rules.ts";
import type { Books } from "../books.ts";
import { verifyNative } from "../books/native-keys.ts";
import { Signatories } from "../books/signatories.ts";
import type { RunStanding } from "../run-books.ts";
import {
  MAX_PROVIDER_STEP_BYTES,
  MAX_PROVIDER_STEPS,
  MAX_RUN_STEP_BYTES,
  MAX_RUN_STEPS,
  MAX_VERSIONS,
} from "./limits.ts";
import type { MailRoom } from "./mail-room.ts";
import type { RunReader } from "./run-access.ts";
import type { RunDesk } from "./run-desk.ts";
import type { RunListeners } from "./run-listeners.ts";
import type { NewStep, RunMail } from "./run-mail.ts";

export interface StepBoxParts {
  readonly books: Books;
  readonly mail: RunMail;
  readonly room: MailRoom;
  readonly desk: RunDesk;
  readonly listeners: RunListeners;
  /** Identity of the relay itself, which carries out effects that tabs cannot have. */
  readonly self: PeerId;
  /** Told of each receipt that is new. */
  readonly onStep: (step: Step, signer: PeerId) => void;
  readonly nowMs: () => number;
}

interface ReadStep extends NewStep {
  readonly body: Step;
}

/** Receipts of runs: taken from whoever signed them in the run, kept once, given out in the order in which they came. */
export class StepBox {
  readonly #parts: StepBoxParts;
  readonly #signatories = new Signatories();

  constructor(parts: StepBoxParts) {
    this.#parts = parts;
  }

  /**
   * Takes receipts, all or none. Those that are here already change nothing. With a coordinator's access it is a sign of life, or the last one.
   * @throws FailureError `bad-signature` for one of a peer that has no part in the run, `malformed` for one of another run,
   * `too-large` beyond what is kept for one run or one peer, `not-found` for a run whose receipts are kept no longer.
   */
  put(reader: RunReader, { steps, leaving }: StepBatch): void {
    const { desk } = this.#parts;
    const { run, root, isCoordinator } = reader;
    if (isCoordinator) desk.heard(run.id, root);
    if (steps.length > 0) this.#take(run, steps);
    if (isCoordinator && leaving) desk.left(run.id, root);
  }

  #take(run: RunStanding, steps: readonly Uint8Array[]): void {
    const { mail, listeners, onStep } = this.#parts;
    const read = new Map<string, ReadStep>();
    for (const envelope of steps) {
      const step = this.#read(run, envelope);
      if (step !== undefined) read.set(`${step.id} ${step.signer}`, step);
    }
    if (read.size === 0) return;
    const fresh = this.#withinBounds(run, [...read.values()]);
    mail.add(run.id, fresh);
    for (const { body, signer } of fresh) onStep(body, signer);
    listeners.tell(run.id);
  }

  /** @returns nothing for what is here already, or says no more than what is here. */
  #read(run: RunStanding, envelope: Uint8Array): ReadStep | undefined {
    const { mail } = this.#parts;
    const unverified = openEnvelope(stepMessage, envelope);
    const { id, body } = unverified;
    if (body.run !== run.id) throw new FailureError("malformed", "step: is of another run");
    const [claimed, ...more] = unverified.signedBy;
    if (claimed === undefined || more.length > 0)
      throw new FailureError("bad-signature", "step: has to be signed by one key");
    if (mail.has(run.id, id, claimedRoot(claimed))) return undefined;
    const [signed = claimed] = verifiedSync(unverified, verifyNative).signedBy;
    const { root, session } = this.#signer(run, signed);
    if (this.#parts.books.isRevoked(session, root))
      throw new FailureError("key-revoked", `${session} does not act for ${root} any more`);
    this.#requirePart(run, body, root, session);
    const step = `${body.node} ${body.iteration} ${body.attempt}`;
    if (mail.versions(run.id, root, step) >= MAX_VERSIONS) return undefined;
    const values = [body.args, body.result, body.record].filter((cid) => isCid(cid));
    return { id, signer: root, step, envelope, values, body };
  }

  /** Receipts carry no time and may come late: a session signed while it lasted, if the run was there by then. */
  #signer({ time }: RunStanding, signed: SignedBy): Pick<Signatory, "root" | "session"> {
    const now = this.#parts.nowMs();
    if (signed.delegation === undefined) return this.#signatories.of(signed, now);
    const { notAfter } = openEnvelope(delegationMessage, signed.delegation).body;
    return this.#signatories.of(signed, Math.max(time, Math.min(now, notAfter)));
  }

  /** Coordinators sign what they evaluate, the relay its own effects; a provider what its lease in this run is for. */
  #requirePart(run: RunStanding, { lease, node }: Step, root: PeerId, session: PeerId): void {
    if (mayCoordinate(run, root) || root === this.#parts.self) return;
    const found = lease === undefined ? undefined : this.#parts.books.runs.lease(lease);
    if (found === undefined || found.run !== run.id || found.provider !== root || found.instance !== session)
      throw new FailureError("bad-signature", `step: ${root} has no lease for it in this run`);
    if (found.node !== node)
      throw new FailureError("bad-signature", `step: its lease is for ${found.node}, not for ${node}`);
  }

  #withinBounds(run: RunStanding, steps: readonly ReadStep[]): readonly ReadStep[] {
    const { mail } = this.#parts;
    const box = mail.box(run.id);
    if (box === undefined) throw new FailureError("not-found", "what was kept of this run is gone");
    const bytes = bytesOf(steps);
    if (box.steps + steps.length > MAX_RUN_STEPS || box.bytes + bytes > MAX_RUN_STEP_BYTES)
      throw new FailureError("too-large", "more receipts than are kept for one run");
    for (const [signer, own] of Map.groupBy(steps, (step) => step.signer)) {
      if (mayCoordinate(run, signer)) continue;
      const before = mail.sender(run.id, signer);
      const isTooMany = before.steps + own.length > MAX_PROVIDER_STEPS;
      if (isTooMany || before.bytes + bytesOf(own) > MAX_PROVIDER_STEP_BYTES)
        throw new FailureError("too-large", `more receipts than are kept of ${signer}`);
    }
    this.#parts.room.require(run.terms.payer, "bytes", bytes);
    return steps;
  }

  /** Receipts from a place on, as many as fit a page. */
  page(run: Cid, from: number, most: number = MAX_STEPS_PER_BATCH): StepPage {
    const { mail } = this.#parts;
    const steps: Uint8Array[] = [];
    let bytes = 0;
    for (const { envelope } of mail.steps(run, from, most)) {
      if (steps.length > 0 && bytes + envelope.length > MAX_STEP_BATCH_BYTES) break;
      steps.push(envelope);
      bytes += envelope.length;
    }
    return { next: from + steps.length, total: mail.box(run)?.steps ?? 0, steps };
  }
}

/** Whose receipt it is by its own word. */
function claimedRoot({ key, delegation }: SignedBy): PeerId {
  return delegation === undefined ? key : openEnvelope(delegationMessage, delegation).body.root;
}

function bytesOf(steps: readonly ReadStep[]): number {
  return steps.reduce((sum, { envelope }) => sum + envelope.length, 0);
}

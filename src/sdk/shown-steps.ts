import type { Cid } from "../protocol/cid.ts";
import { cidOf, RAW } from "../protocol/cid.ts";
import { signatory } from "../protocol/delegation.ts";
import { openEnvelope, type Unverified, verified } from "../protocol/envelope.ts";
import { failureKind } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import { type Step, stepMessage } from "../protocol/messages/run.ts";
import { MAX_EFFECT_BYTES } from "../protocol/limits.ts";
import { isStreamed } from "../protocol/messages/job.ts";
import type { OutcomeLeaf, TaskStep } from "../protocol/messages/task.ts";
import type { Verify } from "../protocol/signature.ts";
import type { HeldLease } from "./requester-channel.ts";

/** A task that is a step of a run. */
interface ExpectedStep {
  readonly cid: Cid;
  readonly step: TaskStep;
}

/** What a provider has signed for a step, and the record of an effect. */
export interface ShownStep {
  /** Envelope. */
  readonly envelope: Uint8Array;
  readonly body: Step;
  readonly record?: Uint8Array;
}

function wrong(what: string): FailureError {
  return new FailureError("bad-receipt", `step: ${what}`);
}

/** The steps that a provider signs under one lease: each must say what its task and its outcome say, before anything of it is paid. */
export class ShownSteps {
  readonly #held: HeldLease;
  readonly #verify: Verify;
  readonly #expected = new Map<number, ExpectedStep>();
  readonly #shown = new Map<number, Unverified<Step>>();
  readonly #records = new Map<number, Uint8Array>();
  #checks: Promise<unknown> = Promise.resolve();

  constructor(held: HeldLease, verify: Verify) {
    this.#held = held;
    this.#verify = verify;
  }

  /** Resolves when the signatures of all steps so far hold. @throws FailureError `bad-signature` */
  async checked(): Promise<void> {
    await this.#checks;
  }

  /** A task is sent. */
  expect(seq: number, cid: Cid, step: TaskStep): void {
    this.#expected.set(seq, { cid, step });
  }

  /** A step frame. @throws FailureError `bad-receipt` where it is of another step than the task */
  take(seq: number, envelope: Uint8Array): void {
    const expected = this.#expected.get(seq);
    const { job, lease } = this.#held;
    const { run } = job.body;
    if (expected === undefined || run === undefined || this.#shown.has(seq))
      throw wrong("for a task that expects none");
    const step = openEnvelope(stepMessage, envelope.slice());
    const { body } = step;
    const { iteration, attempt, parents } = expected.step;
    const isOfTask =
      body.run === run.id &&
      body.node === run.node &&
      body.iteration === iteration &&
      body.attempt === attempt &&
      body.args === expected.cid &&
      body.callee === job.body.work.cid &&
      body.profile === lease.body.profile;
    if (!isOfTask) throw wrong("of another step than its task");
    if (!sameCids(body.parents, parents)) throw wrong("follows from other receipts than its task");
    const [by] = step.signedBy;
    if (step.signedBy.length !== 1 || by?.key !== lease.body.instance)
      throw wrong("not signed by the lease's provider session");
    this.#shown.set(seq, step);
    this.#checks = Promise.all([this.#checks, this.#check(step)]);
    this.#checks.catch(() => undefined);
  }

  async #check(step: Unverified<Step>): Promise<void> {
    const [by] = step.signedBy;
    if (by === undefined) throw wrong("not signed");
    const { root, delegation } = signatory(by, Date.now());
    if (root !== this.#held.lease.body.provider) throw wrong("signed for another provider");
    await verified(step, this.#verify);
    if (delegation !== undefined) await verified(delegation, this.#verify);
  }

  /** A record frame: what an effect asked for and got. @throws FailureError `too-large`, `bad-receipt` */
  takeRecord(seq: number, record: Uint8Array): void {
    if (!this.#expected.has(seq)) throw wrong("a record for a task that expects none");
    if (record.length > 2 * MAX_EFFECT_BYTES) throw new FailureError("too-large", "the record of an effect");
    this.#records.set(seq, record.slice());
  }

  /**
   * What was signed for a task that has its last outcome.
   * @returns nothing where the outcome is none of the step: that ended by its surroundings
   * @throws FailureError `bad-receipt` where outcome and step contradict each other, or the outcome is to be paid without one
   */
  of(outcome: OutcomeLeaf): ShownStep | undefined {
    const { seq } = outcome;
    if (!this.#expected.delete(seq)) return undefined;
    const shown = this.#shown.get(seq);
    const record = this.#records.get(seq);
    this.#shown.delete(seq);
    this.#records.delete(seq);
    const { status, code } = outcome;
    const isResult = code === undefined || failureKind(code).pay === "fuel";
    if (shown === undefined) {
      if (isResult) throw wrong(`${seq}: none came with its outcome`);
      return undefined;
    }
    const { body } = shown;
    const says = body.status === status && body.code === code;
    // The value of a text that is written piece by piece is all of it.
    const isStream = isStreamed(this.#held.job.body.work);
    const value = isStream || (body.result === outcome.outputCid && body.fuel === outcome.fuel);
    if (!says || !value || body.record !== outcome.effectsCid) throw wrong(`${seq}: contradicts its outcome`);
    if (body.record !== undefined && (record === undefined || cidOf(RAW, record) !== body.record))
      throw wrong(`${seq}: the record of the effect is not the one it names`);
    return { envelope: shown.bytes, body, ...(record === undefined ? {} : { record }) };
  }
}

function sameCids(a: readonly Cid[], b: readonly Cid[]): boolean {
  return a.length === b.length && a.every((cid, i) => cid === b[i]);
}

import type { Cid } from "../protocol/cid.ts";
import { FailureError } from "../protocol/failure.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import { priceOf } from "../protocol/tariff.ts";
import { type MicroCredits, microCredits } from "../protocol/units.ts";
import type { MapResult } from "./job-options.ts";
import type { Member } from "./lease-crew.ts";
import type { TaskAnswer } from "./task-answers.ts";
import type { WorkItem } from "./work-queue.ts";

/** What one provider has answered for a step. */
export interface StepAnswer {
  /** Root identity and session key of the provider. */
  readonly provider: PeerId;
  readonly instance: PeerId;
  readonly lease: Cid;
  readonly answer: TaskAnswer;
  /** What it costs under that lease, micro-credits. */
  readonly price: MicroCredits;
}

/** What providers have said of one input. */
export type Said = readonly { readonly member: Member; readonly answer: TaskAnswer }[];

/** Who hears what becomes of the steps of a job that belongs to a run: its tasks have no results of their own. */
export interface StepWatch {
  /** A provider has it. @param stop ends it there, where it has not ended */
  given(item: WorkItem, stop: () => void): void;
  /** @param answers those that agree first; one alone unless several were asked */
  ended(item: WorkItem, answers: readonly StepAnswer[]): void;
  /** No result of the step came of it. The next attempt is another one. */
  lost(item: WorkItem, failure: FailureError): void;
}

function stepAnswer(item: WorkItem, { session }: Member, answer: TaskAnswer): StepAnswer {
  const { held, lease } = session.channel;
  const { provider, instance } = held.lease.body;
  const { fuel, size } = answer.outcome;
  const bytes = BigInt(item.size ?? item.bytes.length) + BigInt(size);
  const price = priceOf(held.tariff, { payable: 1, cancelled: 0, fuel, bytes }, microCredits(0));
  return { provider, instance, lease, answer, price };
}

/** What was said of a job's steps and is not told yet: it may wait for audits. */
export class StepResults {
  readonly #watch: StepWatch;
  readonly #shown = new Map<number, { readonly item: WorkItem; readonly answers: readonly StepAnswer[] }>();

  constructor(watch: StepWatch) {
    this.#watch = watch;
  }

  /** @param said by those that were asked, those that agree first */
  show(item: WorkItem, said: Said): void {
    this.#shown.set(item.index, {
      item,
      answers: said.map(({ member, answer }) => stepAnswer(item, member, answer)),
    });
  }

  /** The job has come to that for an input. */
  tell(result: MapResult): void {
    const shown = this.#shown.get(result.index);
    this.#shown.delete(result.index);
    if (shown === undefined) return;
    const { item, answers } = shown;
    const signed = answers.filter(({ answer }) => answer.step !== undefined);
    if (signed.length > 0) this.#watch.ended(item, signed);
    else if (result.kind === "failed") this.#watch.lost(item, new FailureError(result.code, result.detail));
    else this.#watch.lost(item, new FailureError("bad-receipt", "nobody has signed for the step"));
  }
}

import { cidOf, RAW } from "../protocol/cid.ts";
import { failureKind } from "../protocol/failure-code.ts";
import { decodeModelData, generateSegmentSchema } from "../protocol/messages/model-task.ts";
import type { Step } from "../protocol/messages/run.ts";
import type { Task, TaskStep } from "../protocol/messages/task.ts";
import { clipText, encodeUtf8 } from "../protocol/text.ts";
import { type Fuel, fuel } from "../protocol/units.ts";
import type { WorkOrder } from "./check-open.ts";
import type { FinishedStep } from "./run-desk.ts";
import { type Answer, isOfOtherInput } from "./run-loaded.ts";
import type { SessionPorts } from "./session-ports.ts";

/** Longest detail of a failed step, bytes. */
const MAX_STEP_DETAIL = 512;

/** What a stream has told so far. */
interface Told {
  readonly texts: string[];
  fuel: bigint;
}

/**
 * Turns the ends of one lease's tasks into what is signed for their steps. The value of a text that is written piece by piece is
 * the whole of it; of everything else it is the output.
 */
export class StepSigning {
  readonly #order: WorkOrder;
  readonly #runs: SessionPorts["runs"];
  /** Streams that have begun, by seq. */
  readonly #told = new Map<number, Told>();

  /** @param runs signs and keeps; nobody is given steps without it */
  constructor(order: WorkOrder, runs: SessionPorts["runs"]) {
    this.#order = order;
    this.#runs = runs;
  }

  /** A part of a stream that others follow. */
  part({ seq }: Task, { end, data }: Answer): void {
    const told = this.#told.get(seq) ?? { texts: [], fuel: 0n };
    this.#told.set(seq, told);
    told.fuel += end.fuel;
    if (typeof data !== "string") told.texts.push(textOf(data));
  }

  /**
   * Signs for the end of a task.
   * @returns the step's envelope; nothing where it is no step, is not wanted, or ended by its surroundings: that is no result of
   *   the step, it is tried elsewhere
   */
  async sign(task: Task, answer: Answer, isWanted: () => boolean): Promise<Uint8Array | undefined> {
    if (!isWanted() || isOfOtherInput(task, answer)) return undefined;
    const finished = this.#finished(task, answer);
    return finished === undefined ? undefined : this.#runs?.finish(finished);
  }

  #finished(task: Task, answer: Answer): FinishedStep | undefined {
    const { run } = this.#order.job.body;
    const { step: place } = task;
    const told = this.#told.get(task.seq);
    this.#told.delete(task.seq);
    const { end, data } = answer;
    if (run === undefined || place === undefined) return undefined;
    if (end.kind === "failed" && failureKind(end.code).pay !== "fuel") return undefined;
    const until = this.#order.job.body.expires;
    const spent = fuel(end.fuel + (told?.fuel ?? 0n));
    const common = this.#common(task, place, run, spent);
    if (end.kind === "failed") {
      const detail = clipText(typeof data === "string" ? data : "", MAX_STEP_DETAIL);
      return { step: { ...common, status: "failed", code: end.code, detail, size: 0 }, until };
    }
    if (typeof data === "string") return undefined;
    if (!task.stream) {
      const { outputCid: result, size, effectsCid } = end;
      const { evidence } = answer;
      if (effectsCid !== undefined && evidence !== undefined) {
        // For the run's peers, and for an audit.
        this.#runs?.keep(effectsCid, evidence.record, until);
        this.#runs?.keep(this.#order.job.body.work.cid, evidence.capability, until);
      }
      return { step: { ...common, ...effectOf(answer), status: "done", result, size }, value: data, until };
    }
    const value = encodeUtf8([...(told?.texts ?? []), textOf(data)].join(""));
    const result = cidOf(RAW, value);
    return { step: { ...common, status: "done", result, size: value.length }, value, until };
  }

  #common(
    task: Task,
    place: TaskStep,
    run: { readonly id: Step["run"]; readonly node: string },
    spent: Fuel,
  ): Omit<Step, "status" | "size"> {
    const { job, lease } = this.#order;
    return {
      run: run.id,
      node: run.node,
      iteration: place.iteration,
      attempt: place.attempt,
      args: task.inputCid,
      callee: job.body.work.cid,
      profile: lease.body.profile,
      fuel: spent,
      parents: place.parents,
      lease: lease.id,
      seq: task.seq,
    };
  }
}

function effectOf({ end }: Answer): Pick<Step, "record"> {
  return end.kind === "done" && end.effectsCid !== undefined ? { record: end.effectsCid } : {};
}

function textOf(segment: Uint8Array): string {
  return decodeModelData(generateSegmentSchema, segment).text;
}

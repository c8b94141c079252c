import { type FailureCode, failureCode } from "../../protocol/failure-code.ts";
import { FailureError } from "../../protocol/failure.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { StepEnd, StepOrder, ValueRef } from "../runner-ports.ts";
import { type MicroCredits, microCredits } from "../../protocol/units.ts";
import { isPeerAttempt, REPLAYED_FROM } from "../state/attempts.ts";
import type { Receipt } from "../state/receipt.ts";
import type { Core } from "./core.ts";
import { told } from "./endings.ts";
import {
  chosen,
  failedBy,
  isFinal,
  receiptsOf,
  type RemoteStep,
  ruleOf,
  settledBy,
  whyNotWitnessed,
} from "./step-endings.ts";
import type { Ending, Known } from "./known.ts";
import { isRepeatable, mayPass, nothingBegan } from "./passing.ts";
import { enough, type StepRule, whyNot } from "./step-choice.ts";

/** How an attempt ended. */
type Result =
  | { readonly attempt: number; readonly receipts: readonly Receipt[]; readonly end: StepEnd }
  | { readonly attempt: number; readonly error: FailureError };

const UNNEEDED = new FailureError("cancelled", "it is not needed any more");
const NO_COST: MicroCredits = microCredits(0);

/** First pause before an attempt that follows a loss, doubled each time, milliseconds; and the longest. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;

/**
 * Has a step carried out: takes what receipts there are, else asks peers, one after the other or a second one where the
 * first is late, until the step is settled. Rejects with the signal's reason.
 */
export async function remoteStep(
  core: Core,
  given: Omit<RemoteStep, "redo">,
  signal: AbortSignal,
): Promise<Ending> {
  const step: RemoteStep = { ...given, redo: async (silent, until) => again(core, step, silent, until) };
  const known = await chosen(core, step);
  if (known !== undefined) return known;
  return new RemoteWork(core, step, signal).run();
}

/** The step once more, where it may be at another peer than those who keep its value to themselves. */
async function again(
  core: Core,
  step: RemoteStep,
  silent: readonly PeerId[],
  signal: AbortSignal,
): Promise<ValueRef> {
  const { place, node, peers } = step;
  const elsewhere: RemoteStep =
    place.at === "any"
      ? {
          ...step,
          hold: false,
          place: { ...place, apartFrom: [...(place.apartFrom ?? []), node] },
          peers: [...peers, ...silent],
        }
      : { ...step, hold: false };
  if (core.timesGiven(step) >= core.options.attempts)
    throw new FailureError(
      "function-unavailable",
      `the value of ${node} is lost, and its step was given out often enough`,
    );
  core.emit({ kind: "note", text: `the value of ${node} is not given any more: its step is done again` });
  const ending = await new RemoteWork(core, elsewhere, signal).run();
  if (ending.kind === "done" && ending.value.ref.bytes !== undefined) return ending.value.ref;
  throw new FailureError(
    "function-unavailable",
    `the value of ${node} is lost, and doing it again did not give it`,
  );
}

/** What a step waits for: the end of an attempt, a receipt from elsewhere, or that it is late. */
type StepEvent = Result | "arrived" | "late";

/** The attempts of one step. */
class RemoteWork {
  readonly #core: Core;
  readonly #step: RemoteStep;
  readonly #signal: AbortSignal;
  readonly #rule: StepRule;
  /** Attempts under way. */
  readonly #active = new Map<number, AbortController>();
  readonly #events: StepEvent[] = [];
  #wake: (() => void) | undefined;
  #hedging: AbortController | undefined;
  #input: Known["ref"];
  #next: number;

  constructor(core: Core, step: RemoteStep, signal: AbortSignal) {
    this.#core = core;
    this.#step = step;
    this.#signal = signal;
    this.#rule = ruleOf(core, step);
    this.#input = step.input.ref;
    const from = core.options.attemptsFrom;
    const used = core.state
      .of(step)
      .map((receipt) => receipt.step.attempt)
      .filter((attempt) => isPeerAttempt(attempt) && attempt >= from);
    this.#next = Math.max(from - 1, ...used) + 1;
  }

  async run(): Promise<Ending> {
    this.#signal.throwIfAborted();
    const abort = (): void => this.#push("arrived");
    this.#signal.addEventListener("abort", abort);
    const forget = this.#core.onArrival(this.#step, abort);
    try {
      return await this.#untilSettled();
    } finally {
      forget();
      this.#signal.removeEventListener("abort", abort);
      this.#hedging?.abort(UNNEEDED);
      for (const controller of this.#active.values())
        controller.abort(this.#signal.aborted ? this.#signal.reason : UNNEEDED);
    }
  }

  #push(event: StepEvent): void {
    this.#events.push(event);
    this.#wake?.();
  }

  async #untilSettled(): Promise<Ending> {
    if (this.#core.options.mine(this.#step)) this.#give();
    for (;;) {
      const event = this.#events.shift();
      if (event === undefined) {
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#wake = resolve;
        // oxlint-disable-next-line no-await-in-loop -- what comes next depends on what came
        await promise;
        continue;
      }
      this.#signal.throwIfAborted();
      // oxlint-disable-next-line no-await-in-loop
      const ended = await this.#handle(event);
      if (ended !== undefined) return ended;
    }
  }

  async #handle(event: StepEvent): Promise<Ending | undefined> {
    if (event === "late") {
      if (this.#active.size === 1) this.#give();
      return undefined;
    }
    if (event !== "arrived") return this.#judge(event);
    const known = await chosen(this.#core, this.#step);
    // Another coordinator's step may have become this one's.
    if (known === undefined && this.#core.timesGiven(this.#step) === 0 && this.#core.options.mine(this.#step))
      this.#give();
    return known;
  }

  #give(): void {
    const number = this.#next;
    this.#next += 1;
    const controller = new AbortController();
    this.#active.set(number, controller);
    this.#core.given(this.#step, number, this.#input.size);
    void this.#perform(number, controller.signal).then((result) => this.#push(result));
    this.#hedgeLater();
  }

  /** A call that takes long is given to a second peer too. */
  #hedgeLater(): void {
    this.#hedging?.abort(UNNEEDED);
    const { attempts, hedgeAfterMs } = this.#core.options;
    if (this.#step.what.kind !== "call" || this.#core.timesGiven(this.#step) >= attempts) return;
    const controller = new AbortController();
    this.#hedging = controller;
    this.#core.ports.pause(hedgeAfterMs, controller.signal).then(
      () => this.#push("late"),
      () => undefined,
    );
  }

  async #perform(attempt: number, signal: AbortSignal): Promise<Result> {
    try {
      this.#core.requireTime();
      const end = await this.#core.ports.perform(this.#order(attempt), signal);
      this.#core.paid(end.cost);
      return { attempt, end, receipts: await this.#received(attempt, end) };
    } catch (error) {
      if (error instanceof FailureError) return { attempt, error };
      const detail = error instanceof Error ? error.message : String(error);
      return { attempt, error: new FailureError("unreachable", detail, { cause: error }) };
    }
  }

  #order(attempt: number): StepOrder {
    const { input: _, output: __, redo: ___, ...order } = this.#step;
    return { ...order, attempt, input: this.#input };
  }

  /** @throws FailureError `bad-receipt` when what came is not what was asked for: whatever a peer sends, another can be asked. */
  async #received(attempt: number, end: StepEnd): Promise<readonly Receipt[]> {
    const receipts = await Promise.all(
      end.receipts.map(async (each, place) => this.#admitted(each, place === 0 ? end.cost : NO_COST)),
    );
    for (const receipt of receipts) {
      const { node, iteration, attempt: of } = receipt.step;
      if (node !== this.#step.node || iteration !== this.#step.iteration || of !== attempt)
        throw new FailureError("bad-receipt", `a receipt is of ${node} ${iteration} attempt ${of}`);
      const why = whyNot(this.#rule, receipt);
      if (why !== undefined) throw new FailureError("bad-receipt", `${receipt.root}: ${why}`);
    }
    const [first] = receipts;
    if (first === undefined) throw new FailureError("bad-receipt", "the peer signed nothing");
    const { status, result, size } = first.step;
    if (status === "done" && (end.value?.cid !== result || end.value?.size !== size))
      throw new FailureError("bad-receipt", `${first.root}: the value is not the one that was signed`);
    return receipts;
  }

  async #admitted(envelope: Uint8Array, cost: MicroCredits): Promise<Receipt> {
    try {
      return await this.#core.admit(envelope, cost);
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      throw new FailureError("bad-receipt", error.detail, { cause: error });
    }
  }

  async #judge(result: Result): Promise<Ending | undefined> {
    this.#active.delete(result.attempt);
    if ("error" in result) return this.#lost(result.attempt, result.error);
    const { receipts, end, attempt } = result;
    const failed = receipts.find((receipt) => isFinal(this.#rule, receipt));
    if (failed !== undefined) return failedBy(this.#core, this.#step, failed);
    if (end.value !== undefined) {
      const why = await whyNotWitnessed(this.#core, this.#step, receipts);
      this.#signal.throwIfAborted();
      if (why !== undefined) return this.#lost(attempt, new FailureError("bad-receipt", why));
      await this.#replay(attempt);
      const found = enough(this.#rule, receiptsOf(this.#core, this.#step));
      if (found !== undefined) {
        const ref = found[0]?.step.result === end.value.cid ? end.value : undefined;
        return settledBy(this.#core, this.#step, found, ref);
      }
    }
    return this.#lost(attempt, disagreement(receipts));
  }

  /** The coordinator's own recomputation, where the plan asks for one. */
  async #replay(attempt: number): Promise<void> {
    const { provenance, what } = this.#step;
    if (provenance.check !== "replay" || what.kind !== "call") return;
    const order: StepOrder = {
      ...this.#order(REPLAYED_FROM + attempt),
      place: { at: "coordinator" },
      provenance: { check: "signature" },
      peers: [],
      hold: false,
    };
    const end = await this.#core.ports.perform(order, this.#signal);
    for (const envelope of end.receipts) {
      // oxlint-disable-next-line no-await-in-loop -- one receipt, as a rule
      await this.#core.admit(envelope, end.cost);
    }
  }

  async #lost(attempt: number, error: FailureError): Promise<Ending | undefined> {
    const { node, iteration } = this.#step;
    this.#core.emit({ kind: "lost", node, iteration, attempt, code: error.code, detail: error.detail });
    if (this.#active.size > 0) return undefined;
    if (this.#core.timesGiven(this.#step) >= this.#core.options.attempts || !this.#mayRepeat(error.code))
      return this.#giveUp(error);
    await this.#core.ports.pause(this.#pauseMs(), this.#signal);
    await this.#refreshInput(error);
    const known = await chosen(this.#core, this.#step);
    if (known !== undefined) return known;
    this.#give();
    return undefined;
  }

  #pauseMs(): number {
    return this.#core.timesGiven(this.#step) <= 1
      ? 0
      : Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (this.#core.timesGiven(this.#step) - 2));
  }

  #mayRepeat(code: FailureCode): boolean {
    const { what } = this.#step;
    // Whoever looked for a provider has waited for one: a second look is enough.
    if (code === failureCode("no-provider") && this.#core.timesGiven(this.#step) > 1) return false;
    const isSafe = what.kind === "call" || isRepeatable(what.capability) || nothingBegan(code);
    return mayPass(code) && isSafe;
  }

  /** Where a peer could not get the input from those who hold it, it is fetched here, or made again, before the next is asked. */
  async #refreshInput(error: FailureError): Promise<void> {
    if (this.#input.bytes !== undefined || !isAboutInput(error)) return;
    this.#input = await this.#core.bring(this.#step.input);
  }

  async #giveUp({ code, detail }: FailureError): Promise<Ending> {
    const { node, iteration } = this.#step;
    const said = told(detail);
    const settled = await this.#core.settle(this.#step, {
      status: "failed",
      args: this.#step.input.ref.cid,
      parents: this.#step.parents,
      code,
      detail: said,
    });
    return { kind: "failed", receipt: settled.id, failure: { node, iteration, code, detail: said } };
  }
}

function isAboutInput({ code, detail }: FailureError): boolean {
  return code === new FailureError("function-unavailable", detail).code;
}

/** Receipts came, and they do not settle the step. */
function disagreement(receipts: readonly Receipt[]): FailureError {
  const [first] = receipts;
  if (first?.step.status === "failed" && first.step.code !== undefined)
    return new FailureError(first.step.code, first.step.detail ?? "");
  const results = new Set(receipts.map(({ step }) => step.result));
  return new FailureError(
    "verification-failed",
    `${receipts.length} receipts with ${results.size} different results`,
  );
}

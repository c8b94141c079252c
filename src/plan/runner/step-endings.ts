import type { Cid } from "../../protocol/cid.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { FailureError } from "../../protocol/failure.ts";
import { whyNotRecord } from "../effect-record.ts";
import type { Capability } from "../plan.ts";
import type { StepKey, StepOrder, ValueRef } from "../runner-ports.ts";
import { isPeerAttempt, keyText } from "../state/attempts.ts";
import type { Receipt } from "../state/receipt.ts";
import type { ValueType } from "../value-type.ts";
import type { Core } from "./core.ts";
import { together, told } from "./endings.ts";
import type { Ending, Known } from "./known.ts";
import { mayPass } from "./passing.ts";
import { enough, honest, type StepRule, whyNot } from "./step-choice.ts";

/** A step that a peer carries out. */
export interface RemoteStep extends StepKey, Omit<StepOrder, "attempt" | "input"> {
  readonly input: Known;
  readonly output: ValueType;
  /** Has it done again at others than those who keep its value to themselves. */
  readonly redo: (silent: readonly PeerId[], signal: AbortSignal) => Promise<ValueRef>;
}

/** What receipts that are here already say. */
export async function chosen(core: Core, step: RemoteStep): Promise<Ending | undefined> {
  const earlier = core.settled(step, step.input.ref.cid);
  const rule = ruleOf(core, step);
  const before = earlier === undefined ? undefined : fromSettled(core, step, rule, earlier);
  if (before !== undefined) return before;
  let receipts = receiptsOf(core, step);
  for (let found = enough(rule, receipts); found !== undefined; found = enough(rule, receipts)) {
    // oxlint-disable-next-line no-await-in-loop -- one, unless somebody does not show its record
    if ((await whyNotWitnessed(core, step, found)) === undefined) return settledBy(core, step, found);
    receipts = receiptsOf(core, step);
  }
  const final = receipts.find((receipt) => isFinal(rule, receipt));
  return final === undefined ? undefined : failedBy(core, step, final);
}

/** Receipts of a step that may count here: of nobody who lied, and none that did not show what it should have. */
export function receiptsOf(core: Core, step: RemoteStep): readonly Receipt[] {
  return honest(core.state, step).filter(({ id }) => !core.refused.has(id));
}

/** Why an effect's receipts do not count: where the plan asks for a replay its records have to be here and fit; elsewhere it is well if they are. */
export async function whyNotWitnessed(
  core: Core,
  { what, provenance }: RemoteStep,
  receipts: readonly Receipt[],
): Promise<string | undefined> {
  if (what.kind !== "effect") return undefined;
  for (const receipt of receipts) {
    const { record } = receipt.step;
    if (record === undefined) continue;
    const coming = core.witness({ cid: record, size: 0, holders: [receipt.key] });
    if (provenance.check !== "replay") {
      coming.catch(() => undefined);
      continue;
    }
    // oxlint-disable-next-line no-await-in-loop -- one, as a rule
    const why = await whyNotShown(receipt, what.capability, coming);
    if (why === undefined) continue;
    core.refused.add(receipt.id);
    return why;
  }
  return undefined;
}

async function whyNotShown(
  receipt: Receipt,
  capability: Capability,
  coming: Promise<Uint8Array>,
): Promise<string | undefined> {
  try {
    return whyNotRecord(receipt, capability, await coming);
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    return `${receipt.root} does not give the record of its effect`;
  }
}

export function isFinal(rule: StepRule, receipt: Receipt): boolean {
  const { status, code, attempt } = receipt.step;
  if (status !== "failed" || code === undefined || !isPeerAttempt(attempt)) return false;
  return rule.provenance.check !== "quorum" && !mayPass(code) && whyNot(rule, receipt) === undefined;
}

export function ruleOf(core: Core, step: RemoteStep): StepRule {
  const { node, iteration, what, place, provenance, limits, peers } = step;
  return {
    node,
    iteration,
    what,
    place,
    provenance,
    limits,
    peers,
    args: step.input.ref.cid,
    initiator: core.options.initiator,
    relay: core.options.relay,
    isCoordinator: core.isCoordinator,
  };
}

/** What another coordinator settled, as far as the receipts that it names bear it out. */
function fromSettled(core: Core, step: RemoteStep, rule: StepRule, receipt: Receipt): Ending | undefined {
  const { result, size, status, code, detail } = receipt.step;
  const from = receipt.step.parents
    .flatMap((id) => core.state.byId(id))
    .filter((each) => keyText(each.step) === keyText(step));
  if (status === "failed" && code !== undefined)
    return {
      kind: "failed",
      receipt: receipt.id,
      failure: { node: step.node, iteration: step.iteration, code, detail: detail ?? "" },
    };
  if (result === undefined || enough(rule, from)?.[0]?.step.result !== result) return undefined;
  const makers = from.filter((each) => each.step.result === result);
  return {
    kind: "done",
    receipt: receipt.id,
    value: {
      ref: { cid: result, size, holders: makers.map(({ key }) => key) },
      type: step.output,
      parents: [receipt.id],
      by: makers.map(({ root }) => root),
      again: async (signal) =>
        step.redo(
          makers.map(({ root }) => root),
          signal,
        ),
    },
  };
}

/** A step is done by these receipts: one that nobody else's attempt competes with speaks for itself, others are settled. */
export async function settledBy(
  core: Core,
  step: RemoteStep,
  receipts: readonly Receipt[],
  ref?: Known["ref"],
): Promise<Ending> {
  const [first] = receipts;
  const result = first?.step.result;
  if (first === undefined || result === undefined) throw new RangeError("a step is settled by its receipts");
  const value: Known = {
    ref: ref ?? { cid: result, size: first.step.size, holders: receipts.map(({ key }) => key) },
    type: step.output,
    parents: [first.id],
    by: receipts.map(({ root }) => root),
    again: async (signal) =>
      step.redo(
        receipts.map(({ root }) => root),
        signal,
      ),
  };
  const alone =
    receipts.length === 1 &&
    core.state.of(step).length === 1 &&
    first.step.attempt === 0 &&
    sameIds(first.step.parents, step.parents);
  if (alone) return { kind: "done", receipt: first.id, value };
  const settled = await core.settle(step, {
    status: "done",
    args: step.input.ref.cid,
    parents: together(
      receipts.map(({ id }) => id),
      step.parents,
    ),
    result: value,
  });
  return { kind: "done", receipt: settled.id, value: { ...value, parents: [settled.id] } };
}

export async function failedBy(core: Core, step: RemoteStep, receipt: Receipt): Promise<Ending> {
  const { code } = receipt.step;
  const detail = told(receipt.step.detail ?? "");
  if (code === undefined) throw new RangeError("a failed step has a code");
  const settled = await core.settle(step, {
    status: "failed",
    args: step.input.ref.cid,
    parents: together([receipt.id], step.parents),
    code,
    detail,
  });
  const { node, iteration } = step;
  return {
    kind: "failed",
    receipt: settled.id,
    failure: { node, iteration, peer: receipt.root, code, detail },
  };
}

function sameIds(a: readonly Cid[], b: readonly Cid[]): boolean {
  return a.length === b.length && a.every((id, place) => id === b[place]);
}

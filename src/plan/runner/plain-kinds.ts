import type { Cid } from "../../protocol/cid.ts";
import { toBase64 } from "../../protocol/base64.ts";
import { failureCode } from "../../protocol/failure-code.ts";
import { FailureError } from "../../protocol/failure.ts";
import { evaluate } from "../expression/evaluate.ts";
import { canonicalJson, isBytes, isList, isRecord, type Value, type ValueRecord } from "../json-value.ts";
import type { DelayNode, ExprNode, FailNode, NodeId, ObserveNode, StreamNode } from "../plan.ts";
import type { Core, Place } from "./core.ts";
import { fail, input, settleDone, together, told } from "./endings.ts";
import { given } from "./inputs.ts";
import type { Ending, Known } from "./known.ts";

export async function runExpr(core: Core, place: Place<ExprNode>): Promise<Ending> {
  const names: Record<string, Value> = {};
  for (const [slot, known] of place.inputs) {
    // oxlint-disable-next-line no-await-in-loop -- as a rule they are here
    names[slot.slice("with.".length)] = await core.read(known);
  }
  const value = evaluate(place.node.expression, names);
  return settleDone(core, place, core.keep(core.typeOf(place.id), value, []), place.parents);
}

export async function runDelay(core: Core, place: Place<DelayNode>): Promise<Ending> {
  await core.ports.pause(place.node.ms, place.scope.signal);
  return settleDone(core, place, input(place, "value"), place.parents);
}

export async function runFail(core: Core, place: Place<FailNode>): Promise<Ending> {
  const value = await core.read(input(place, "detail"));
  const detail = told(typeof value === "string" ? value : canonicalJson(value));
  const failure = { ...place.key, code: failureCode("expression-failed"), detail };
  return fail(core, place.key, place.args, place.parents, failure);
}

/** One thing that was seen. */
interface Seen {
  readonly node: NodeId;
  readonly ending: Ending;
}

/** Watches nodes end, in the order in which they do, until so many have or `signal` says that it is enough. */
async function watch(
  place: Place<ObserveNode | StreamNode>,
  ids: readonly NodeId[],
  enough: (seen: readonly Seen[]) => boolean,
  over: Promise<unknown>,
): Promise<readonly Seen[]> {
  const seen: Seen[] = [];
  const done = Promise.withResolvers<void>();
  let isOpen = true;
  // Those that have ended already come in the order in which they did.
  const before = [...place.scope.ended].filter(([id]) => ids.includes(id));
  const note = (node: NodeId, ending: Ending): void => {
    if (!isOpen || seen.some((each) => each.node === node)) return;
    seen.push({ node, ending });
    if (enough(seen)) done.resolve();
  };
  for (const [id, ending] of before) if (!enough(seen)) note(id, ending);
  for (const id of ids) void place.scope.ending(id)?.then((ending) => note(id, ending));
  if (enough(seen)) done.resolve();
  await Promise.race([done.promise, over]);
  isOpen = false;
  return seen;
}

export async function runObserve(core: Core, place: Place<ObserveNode>): Promise<Ending> {
  const { node, scope } = place;
  const waiting = new AbortController();
  const signal = AbortSignal.any([scope.signal, waiting.signal]);
  try {
    const over = core.ports.pause(node.ms, signal);
    over.catch(() => undefined);
    const seen = await watch(place, node.of, ({ length }) => length >= node.atLeast, over);
    scope.signal.throwIfAborted();
    const rows = await Promise.all(seen.map(async (each) => observed(core, place, each)));
    const parents = together(
      place.parents,
      seen.map(({ ending }) => ending.receipt),
    );
    return await settleDone(core, place, core.keep(core.typeOf(place.id), rows, []), parents);
  } finally {
    waiting.abort(new FailureError("cancelled", "seen"));
  }
}

async function observed(core: Core, place: Place, { node, ending }: Seen): Promise<ValueRecord> {
  const { iteration } = place.scope;
  if (ending.kind !== "done") return { node, iteration, done: false };
  return { node, iteration, done: true, value: asJson(await core.read(ending.value)) };
}

/** What was observed, as JSON: bytes, also inside of lists and records, as base64. */
export function asJson(value: Value): Value {
  if (isBytes(value)) return toBase64(value);
  if (isList(value)) return value.map(asJson);
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, asJson(each)]));
}

/** Values in the order in which they came. Sources that fail do not come. */
export async function runStream(core: Core, place: Place<StreamNode>): Promise<Ending> {
  const { node, scope } = place;
  const known: Known[] = [];
  for (const source of node.of) {
    // oxlint-disable-next-line no-await-in-loop -- these are here already
    const value = source.from === "node" ? undefined : await given(core, scope, source);
    if (value !== undefined && known.length < node.max) known.push(value);
  }
  const ids = [...new Set(node.of.flatMap((source) => (source.from === "node" ? [source.node] : [])))];
  const aborted = whenAborted(scope.signal);
  const seen = await watch(
    place,
    ids,
    (soFar) => soFar.length === ids.length || known.length + doneOf(soFar).length >= node.max,
    aborted,
  );
  const values = [...known, ...doneOf(seen)].slice(0, node.max);
  const rows = await Promise.all(values.map(async (each) => core.read(each)));
  const parents: readonly Cid[] = together(place.parents, ...values.map((each) => each.parents));
  return settleDone(core, place, core.keep(core.typeOf(place.id), rows, []), parents);
}

function doneOf(seen: readonly Seen[]): readonly Known[] {
  return seen.flatMap(({ ending }) => (ending.kind === "done" ? [ending.value] : []));
}

function whenAborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  if (signal.aborted) reject(signal.reason);
  else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  promise.catch(() => undefined);
  return promise;
}

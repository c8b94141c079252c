import { failureCode } from "../../protocol/failure-code.ts";
import { FailureError } from "../../protocol/failure.ts";
import type { SelectNode } from "../plan.ts";
import type { Core, Place } from "./core.ts";
import { fail, settleAs, settleDone, together } from "./endings.ts";
import { withParams } from "./inputs.ts";
import type { Ending, GraphEnd } from "./known.ts";
import { quiet } from "./repeat-kinds.ts";

/** How alternatives ended, by their place in the plan; absent while they have not. */
export type Alternatives = readonly (GraphEnd | undefined)[];

type Done = Extract<GraphEnd, { kind: "done" }>;

function doneOf(ends: Alternatives): readonly { readonly index: number; readonly end: Done }[] {
  return ends.flatMap((end, index) => (end?.kind === "done" ? [{ index, end }] : []));
}

/** The alternatives that were chosen, in the plan's order; none while it is not decided. */
export function choose({ rule, k, of }: SelectNode, ends: Alternatives): readonly number[] {
  const done = doneOf(ends);
  if (rule === "first") return done.length >= k ? done.slice(0, k).map(({ index }) => index) : [];
  const isOver = of.every((_, index) => ends[index] !== undefined);
  if (rule === "quorum" && !isOver) return [];
  const groups = done.map(({ end }) => done.filter((other) => other.end.value.ref.cid === end.value.ref.cid));
  let best: (typeof groups)[number] = [];
  for (const group of groups) if (group.length > best.length) best = group;
  return best.length >= k ? best.map(({ index }) => index) : [];
}

/** Whether it can still be decided. */
function isHopeless({ of, k }: SelectNode, ends: Alternatives): boolean {
  const lost = ends.filter((end) => end?.kind === "failed").length;
  const open = of.filter((_, index) => ends[index] === undefined).length;
  return of.length - lost < k || open === 0;
}

export async function runSelect(core: Core, place: Place<SelectNode>): Promise<Ending> {
  const { node, scope } = place;
  const inside = new AbortController();
  const signal = AbortSignal.any([scope.signal, inside.signal]);
  const ends: (GraphEnd | undefined)[] = node.of.map(() => undefined);
  let chosen: readonly number[] = [];
  await Promise.all(
    node.of.map(async (graph, index) => {
      const params = await withParams(core, graph, place.inputs);
      const call = { graph, iteration: place.key.iteration, params, outer: scope, signal };
      const end = await quiet(inside.signal, core.graph(call));
      if (end === undefined || chosen.length > 0) return;
      ends[index] = end;
      chosen = choose(node, ends);
      if (chosen.length > 0 || isHopeless(node, ends))
        inside.abort(new FailureError("cancelled", "the others decided it"));
    }),
  );
  return chosen.length > 0 ? settleChoice(core, place, ends, chosen) : settleNone(core, place, ends);
}

async function settleChoice(
  core: Core,
  place: Place<SelectNode>,
  ends: Alternatives,
  chosen: readonly number[],
): Promise<Ending> {
  const { node, id } = place;
  const winners = doneOf(ends).filter(({ index }) => chosen.includes(index));
  // A quorum is of all, so all of them are named.
  const shown =
    node.rule === "quorum"
      ? ends.flatMap((end) => (end === undefined ? [] : [end]))
      : winners.map(({ end }) => end);
  const tails = shown.map(({ tail }) => tail);
  const [first] = winners;
  if (first !== undefined && (node.rule !== "first" || node.k === 1))
    return settleAs(core, place, { ...first.end, tail: together(...tails) });
  const values = await Promise.all(winners.map(async ({ end }) => core.read(end.value)));
  const value = core.keep(core.typeOf(id), values, []);
  return settleDone(core, place, value, together(place.parents, ...tails));
}

async function settleNone(core: Core, place: Place<SelectNode>, ends: Alternatives): Promise<Ending> {
  const { node, key } = place;
  const failed = ends.flatMap((end) => (end?.kind === "failed" ? [end] : []));
  const tails = together(
    ...failed.map(({ tail }) => tail),
    ...doneOf(ends).map(({ end }) => end.tail),
    place.parents,
  );
  const [first] = failed;
  if (first !== undefined && failed.length === node.of.length)
    return fail(core, key, place.args, tails, first.failure);
  const detail = `${doneOf(ends).length} of ${node.of.length} came to something, and not ${node.k} ${node.rule === "first" ? "did" : "to the same"}`;
  return fail(core, key, place.args, tails, { ...key, code: failureCode("verification-failed"), detail });
}

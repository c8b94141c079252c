import { type Cid, cidOf, type Digest, RAW } from "../../protocol/cid.ts";
import { canonicalJson, parseJson } from "../json-value.ts";
import { graphsOf, inputsOf } from "../node-parts.ts";
import type { Graph, PlanNode, Source } from "../plan.ts";
import type { ValueType } from "../value-type.ts";
import { typeOfValue } from "../type-relations.ts";
import { constantBytes } from "../values.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import type { Core } from "./core.ts";
import type { Known } from "./known.ts";
import type { Scope } from "./scope.ts";

/** CID of no bytes: what a step without an input was given. */
export const NOTHING: Cid = cidOf(RAW, new Uint8Array(0));

/**
 * What a source gives, once that is known; `undefined` when it failed or was skipped.
 * @param as the type that a constant is encoded as; by default the one that it has.
 */
export async function given(
  core: Core,
  scope: Scope,
  source: Source,
  as?: ValueType,
): Promise<Known | undefined> {
  switch (source.from) {
    case "param":
      return scope.params.get(source.param);
    case "constant":
      return constant(core, source.json, as);
    case "node": {
      const ending = await scope.ending(source.node);
      return ending?.kind === "done" ? ending.value : undefined;
    }
    default:
      return source satisfies never;
  }
}

function constant(core: Core, json: string, as: ValueType | undefined): Known {
  const type = as ?? typeOfValue(parseJson(json));
  const bytes = constantBytes(type, json);
  return { ref: { ...core.ports.keepValue(bytes), bytes }, type, parents: [], by: [] };
}

/** Kinds whose steps name the CID of their one input itself. */
const SINGLE: ReadonlySet<PlanNode["kind"]> = new Set(["call", "effect", "agent", "delay", "fail"]);

/** What a step says that it was given: its one input, or a list of them by slot. */
export function argsOf(
  node: PlanNode,
  inputs: ReadonlyMap<string, Pick<Known, "ref">>,
  digest?: Digest,
): Cid {
  const [first] = inputs.values();
  if (first === undefined) return NOTHING;
  if (SINGLE.has(node.kind)) return first.ref.cid;
  return cidOf(RAW, argsBytes(new Map([...inputs].map(([slot, { ref }]) => [slot, ref.cid]))), digest);
}

/** Canonical JSON of {slot: CID}; parameters of a run by their names have the same form. */
export function argsBytes(cids: ReadonlyMap<string, Cid>): Uint8Array<ArrayBuffer> {
  return encodeUtf8(canonicalJson(Object.fromEntries(cids)));
}

/** Slots of a node with their sources, in the plan's order. A stream's sources come one by one, as they end. */
export function slotsOf(node: PlanNode): readonly { readonly slot: string; readonly source: Source }[] {
  return node.kind === "stream" ? [] : inputsOf(node);
}

/** The type that a slot asks for; `undefined` where any will do. */
export function slotType(node: PlanNode, slot: string): ValueType | undefined {
  if (node.kind === "reduce" && slot === "initial") return node.graph.params["accumulated"];
  if (node.kind === "loop" && slot === "initial") return node.graph.params["value"];
  if (!slot.startsWith("with.")) return undefined;
  const name = slot.slice("with.".length);
  for (const { graph } of graphsOf(node)) {
    const type = graph.params[name];
    if (type !== undefined) return type;
  }
  return undefined;
}

/** What an inner graph is given of what its node has in `with`, as the types of its parameters ask for. */
export async function withParams(
  core: Core,
  graph: Graph,
  inputs: ReadonlyMap<string, Known>,
): Promise<Map<string, Known>> {
  const params = new Map<string, Known>();
  for (const [slot, known] of inputs) {
    if (!slot.startsWith("with.")) continue;
    const name = slot.slice("with.".length);
    const type = graph.params[name];
    // oxlint-disable-next-line no-await-in-loop -- converted one by one: seldom, and small
    if (type !== undefined) params.set(name, await fit(core, known, type));
  }
  return params;
}

/** How bytes have to be read: alone as they are, or as JSON. */
function isPlain(type: ValueType): boolean {
  return type.type === "bytes" || type.type === "text";
}

/** The value as another type has it: the same bytes, unless one stands alone and the other is JSON. */
export async function fit(core: Core, known: Known, type: ValueType): Promise<Known> {
  if (isPlain(known.type) === isPlain(type)) return { ...known, type };
  const value = await core.read(known);
  return { ...core.keep(type, value, known.parents), by: known.by };
}

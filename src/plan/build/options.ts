import type { Cid } from "../../protocol/cid.ts";
import type { EffectKind } from "../../protocol/messages/effect.ts";
import { type FunctionAbi, MODEL_ABI, USUAL_ENTRY } from "../../protocol/messages/session.ts";
import { fuel } from "../../protocol/units.ts";
import type { Callee, Capability, NodeId, Place, Provenance, StepLimits } from "../plan.ts";
import { DEFAULT_STEP_LIMITS } from "../shape/plan-shape.ts";
import type { Value } from "./scope.ts";
import { t, type Type } from "./types.ts";

/** What every node may say besides. */
export interface NodeOptions {
  /** For people. */
  readonly title?: string;
  /** Values whose nodes must have ended before. */
  readonly after?: readonly Value<unknown>[];
}

/** What steps that peers carry out may say besides. What is left out is as docs/plan.md says. */
export interface RemoteOptions extends NodeOptions {
  readonly place?: Place;
  readonly provenance?: Provenance;
  readonly limits?: Partial<Omit<StepLimits, "fuel">> & { readonly fuel?: bigint | number };
}

/** A function or model with the types of what it takes and gives. */
export interface TypedCallee<I, O> {
  readonly callee: Callee;
  readonly input: Type<I>;
  readonly output: Type<O>;
  readonly limits?: RemoteOptions["limits"];
}

/** A WASM function by the CID of its module. */
export function functionOf<I, O>(about: {
  readonly cid: Cid;
  readonly input: Type<I>;
  readonly output: Type<O>;
  /** Default: the interface's usual one. */
  readonly entry?: string;
  /** Default: a WASI command, which reads the input and writes the output. */
  readonly abi?: FunctionAbi;
  readonly args?: readonly string[];
  readonly limits?: RemoteOptions["limits"];
}): TypedCallee<I, O> {
  const { cid, input, output, abi = "wasi-p1", entry = USUAL_ENTRY[abi], args = [], limits } = about;
  const callee: Callee = { kind: "function", cid, entry, abi, args };
  return { callee, input, output, ...(limits === undefined ? {} : { limits }) };
}

/** A model that turns texts into vectors; `embed_input` and `embed_vectors` of expressions make and read what it takes and gives. */
export function embedderOf(cid: Cid, limits?: RemoteOptions["limits"]): TypedCallee<Uint8Array, Uint8Array> {
  const callee: Callee = { kind: "model", cid, entry: "embed", abi: MODEL_ABI, args: [] };
  return { callee, input: t.bytes, output: t.bytes, ...(limits === undefined ? {} : { limits }) };
}

/** A model that writes text; `generate_input` of expressions makes what it takes. */
export function writerOf(cid: Cid, limits?: RemoteOptions["limits"]): TypedCallee<Uint8Array, string> {
  const callee: Callee = { kind: "model", cid, entry: "generate", abi: MODEL_ABI, args: [] };
  return { callee, input: t.bytes, output: t.text, ...(limits === undefined ? {} : { limits }) };
}

/** A capability, of which only what it has needs to be said. */
export function capabilityOf(kind: EffectKind, about: Partial<Omit<Capability, "kind">> = {}): Capability {
  return {
    kind,
    origins: [],
    methods: kind === "fetch" ? ["GET"] : [],
    namespace: "",
    chains: [],
    secrets: [],
    maxBytes: 1024 * 1024,
    timeoutMs: 10_000,
    ...about,
  };
}

function limitsOf(base: StepLimits, of: RemoteOptions["limits"], own: RemoteOptions["limits"]): StepLimits {
  const { fuel: most, ...others } = { ...of, ...own };
  return { ...base, ...others, ...(most === undefined ? {} : { fuel: fuel(most) }) };
}

/** Fields that all nodes share. */
export function baseOf({ title, after }: NodeOptions): { title?: string; after?: readonly NodeId[] } {
  const ids = (after ?? []).flatMap(({ source }) => (source.from === "node" ? [source.node] : []));
  return {
    ...(title === undefined ? {} : { title }),
    ...(ids.length === 0 ? {} : { after: ids }),
  };
}

/** Fields that all nodes share which peers carry out. */
export function remoteOf(
  options: RemoteOptions,
  limits?: RemoteOptions["limits"],
  base: StepLimits = DEFAULT_STEP_LIMITS,
): { title?: string; after?: readonly NodeId[]; place: Place; provenance: Provenance; limits: StepLimits } {
  return {
    ...baseOf(options),
    place: options.place ?? { at: "any" },
    provenance: options.provenance ?? { check: "signature" },
    limits: limitsOf(base, limits, options.limits),
  };
}

/** The peer that carried out the node of this value: data stays where it is. */
export function besides({ source }: Value<unknown>): Place {
  return source.from === "node" ? { at: "with", node: source.node } : { at: "any" };
}

/** Any provider of other owners than those that carried out the nodes of these values. */
export function apartFrom(...values: readonly Value<unknown>[]): Place {
  const nodes = values.flatMap(({ source }) => (source.from === "node" ? [source.node] : []));
  return { at: "any", apartFrom: nodes };
}

import { isPeerId } from "../../protocol/peer-id.ts";
import type { Expression } from "../expression.ts";
import type { Place, Source } from "../plan.ts";
import { AirError, type AirValue } from "./air-tree.ts";
import { CONSTANT, NAME } from "./expressions.ts";
import type { GraphDraft } from "./graph-draft.ts";

/** Names that `new` has given other meanings, by their name in the text. */
export type Names = ReadonlyMap<string, string>;

export function listOf(
  values: readonly AirValue[],
  draft: GraphDraft,
  names: Names,
): { readonly expression: Expression; readonly with: Readonly<Record<string, Source>> } {
  const sources: Record<string, Source> = {};
  const items = values.map((value, i) => valueOf(value, `a${i}`, sources, draft, names));
  return { expression: { op: "list", items }, with: sources };
}

/** A value as an expression; what it names goes into `sources` under `as`. */
export function valueOf(
  value: AirValue,
  as: string,
  sources: Record<string, Source>,
  draft: GraphDraft,
  names: Names,
): Expression {
  switch (value.kind) {
    case "constant":
      return typeof value.value === "object" ? { op: "list", items: [] } : CONSTANT(value.value);
    case "variable": {
      sources[as] = draft.find(names.get(value.name) ?? value.name, value);
      return value.path.reduce<Expression>(
        (of, part) =>
          typeof part === "number"
            ? { op: "item", of, index: CONSTANT(part) }
            : { op: "field", of, name: part },
        NAME(as),
      );
    }
    case "initiator":
      throw new AirError(value, "%init_peer_id% can say where a call goes, and is no value");
    case "error":
      throw new AirError(value, "what an error says differs here, so it cannot be passed on as a value");
    default:
      return value satisfies never;
  }
}

export function textOf(value: AirValue, what: string): string {
  if (value.kind === "constant" && typeof value.value === "string") return value.value;
  throw new AirError(value, `${what} is named by a text, so that it is known what will run`);
}

export function placeOf(peer: AirValue): Place {
  if (peer.kind === "initiator") return { at: "initiator" };
  const id = textOf(peer, "a peer");
  if (!isPeerId(id)) throw new AirError(peer, `"${id}" is no peer`);
  return { at: "peer", peer: id };
}

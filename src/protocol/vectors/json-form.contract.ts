import { CID } from "multiformats/cid";
import { toHex } from "../bytes.ts";
import { isCid } from "../cid.ts";
import { isPeerId, multicodecKey, parsePeerId } from "../peer-id.ts";

/**
 * Messages as JSON that a person can read and any language can encode: {"$cid"}, {"$peer"}, {"$hex"} and {"$u64"} stand
 * for what JSON lacks; everything else is itself.
 */
export type JsonForm =
  | string
  | number
  | boolean
  | readonly JsonForm[]
  | { readonly [name: string]: JsonForm };

export function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(hex, "hex"));
}

export function toJsonForm(value: unknown): JsonForm {
  if (typeof value === "bigint") return { $u64: value.toString() };
  if (value instanceof Uint8Array) return { $hex: toHex(value) };
  if (isCid(value)) return { $cid: value };
  if (isPeerId(value)) return { $peer: value };
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  if (Array.isArray(value)) return value.map(toJsonForm);
  return Object.fromEntries(
    Object.entries(value as object)
      .filter(([, item]) => item !== undefined)
      .map(([name, item]) => [name, toJsonForm(item)]),
  );
}

function walk(form: JsonForm, leaf: (kind: string, text: string) => unknown): unknown {
  if (typeof form !== "object") return form;
  if (Array.isArray(form)) return form.map((item: JsonForm) => walk(item, leaf));
  const entries = Object.entries(form);
  const [only] = entries;
  if (entries.length === 1 && only?.[0].startsWith("$") === true && typeof only[1] === "string") {
    return leaf(only[0], only[1]);
  }
  return Object.fromEntries(entries.map(([name, item]) => [name, walk(item, leaf)]));
}

/** The value as this room's schemas take it. */
export function fromJsonForm(form: JsonForm): unknown {
  return walk(form, (kind, text) => {
    if (kind === "$u64") return BigInt(text);
    return kind === "$hex" ? fromHex(text) : text;
  });
}

/** The same value for a general dag-cbor encoder, which knows no peers. */
export function dagCborForm(form: JsonForm): unknown {
  return walk(form, (kind, text) => {
    if (kind === "$u64") return BigInt(text);
    if (kind === "$peer") return multicodecKey(parsePeerId(text));
    return kind === "$cid" ? CID.parse(text) : fromHex(text);
  });
}

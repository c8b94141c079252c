import { fromBase64, toBase64 } from "./base64.ts";
import { type JsonShape, jsonText } from "./json-shape.ts";
import { WireError } from "./wire-error.ts";

/** Bytes as base64. @param maxBytes of what it stands for */
export function jsonBytes(maxBytes: number): JsonShape<Uint8Array> {
  const spelled = jsonText(Math.ceil(maxBytes / 3) * 4);
  return {
    write: (value) => toBase64(value),
    read(value, at = "") {
      const bytes = fromBase64(spelled.read(value, at));
      if (bytes === undefined) throw new WireError(`${at} is not base64`);
      return bytes;
    },
  };
}

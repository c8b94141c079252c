/** An ONNX model of one MatMulInteger: u8[rows, columns] times a constant i8[columns, outputs] to i32. */
import { randomBytes } from "./random-model.ts";

export type Bytes = Uint8Array<ArrayBuffer>;

export function joined(...parts: readonly Bytes[]): Bytes {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function varint(value: number): Bytes {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest & 127) | 128);
  return Uint8Array.from([...bytes, rest]);
}

export function whole(field: number, value: number): Bytes {
  return joined(varint(field * 8), varint(value));
}

export function nested(field: number, ...parts: readonly Bytes[]): Bytes {
  const body = joined(...parts);
  return joined(varint(field * 8 + 2), varint(body.length), body);
}

export function text(field: number, value: string): Bytes {
  return nested(field, new TextEncoder().encode(value));
}

/** Element types of ONNX tensors. */
export const ELEMENT = { f32: 1, u8: 2, i8: 3, i32: 6 } as const;

export function valueInfo(field: number, name: string, element: number, dims: readonly number[]): Bytes {
  const shape = nested(2, ...dims.map((dim) => nested(1, whole(1, dim))));
  return nested(field, text(1, name), nested(2, nested(1, whole(1, element), shape)));
}

export function matmulOnnx(rows: number, columns: number, outputs: number): Bytes {
  const weights = new Uint8Array(randomBytes(columns * outputs).buffer);
  const constant = joined(
    whole(1, columns),
    whole(1, outputs),
    whole(2, ELEMENT.i8),
    text(8, "w"),
    nested(9, weights),
  );
  const node = joined(text(1, "a"), text(1, "w"), text(2, "c"), text(4, "MatMulInteger"));
  const graph = joined(
    nested(1, node),
    text(2, "product"),
    nested(5, constant),
    valueInfo(11, "a", ELEMENT.u8, [rows, columns]),
    valueInfo(12, "c", ELEMENT.i32, [rows, outputs]),
  );
  return joined(whole(1, 8), nested(7, graph), nested(8, text(1, ""), whole(2, 13)));
}

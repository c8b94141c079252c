/** An ONNX model of one MatMulNBits: f32[rows, columns] times constant weights of 8 bits, with a scale for 32 of them. */
import {
  type Bytes,
  ELEMENT,
  joined,
  nested,
  text,
  valueInfo,
  whole,
} from "../inference-pages/matmul-onnx.ts";
import { randomBytes } from "../inference-pages/random-model.ts";

const BLOCK = 32;
const DOMAIN = "com.microsoft";
/** AttributeProto's type of whole numbers. */
const INT = 2;

function attribute(name: string, value: number): Bytes {
  return nested(5, text(1, name), whole(3, value), whole(20, INT));
}

function constant(name: string, element: number, dims: readonly number[], bytes: Bytes): Bytes {
  return nested(5, ...dims.map((dim) => whole(1, dim)), whole(2, element), text(8, name), nested(9, bytes));
}

export function matmulNbitsOnnx(rows: number, columns: number, outputs: number): Bytes {
  const blocks = columns / BLOCK;
  const weights = new Uint8Array(randomBytes(outputs * columns).buffer, 0, outputs * columns);
  const scales = new Uint8Array(new Float32Array(outputs * blocks).fill(1 / 4_096).buffer);
  const node = joined(
    text(1, "a"),
    text(1, "w"),
    text(1, "s"),
    text(2, "c"),
    text(4, "MatMulNBits"),
    attribute("K", columns),
    attribute("N", outputs),
    attribute("bits", 8),
    attribute("block_size", BLOCK),
    attribute("accuracy_level", 4),
    text(7, DOMAIN),
  );
  const graph = joined(
    nested(1, node),
    text(2, "product"),
    constant("w", ELEMENT.u8, [outputs, blocks, BLOCK], weights),
    constant("s", ELEMENT.f32, [outputs * blocks], scales),
    valueInfo(11, "a", ELEMENT.f32, [rows, columns]),
    valueInfo(12, "c", ELEMENT.f32, [rows, outputs]),
  );
  return joined(
    whole(1, 8),
    nested(7, graph),
    nested(8, text(1, ""), whole(2, 17)),
    nested(8, text(1, DOMAIN), whole(2, 1)),
  );
}

/* Writes GGUF files for tests. */
import { VALUE_TYPE } from "./metadata.ts";
import type { TensorType } from "./tensor-type.ts";
import { quantiseBlocks } from "./quantise-block.contract.ts";

export type WrittenValue =
  | { readonly type: "text"; readonly value: string }
  | { readonly type: "boolean"; readonly value: boolean }
  | { readonly type: "u64" | "i64"; readonly value: bigint }
  | { readonly type: "u8" | "i8" | "u16" | "i16" | "u32" | "i32" | "f32" | "f64"; readonly value: number }
  | { readonly type: "array"; readonly of: WrittenValue["type"]; readonly values: readonly WrittenValue[] };

export const text = (value: string): WrittenValue => ({ type: "text", value });
export const u32 = (value: number): WrittenValue => ({ type: "u32", value });
export const f32 = (value: number): WrittenValue => ({ type: "f32", value });
export const truthValue = (value: boolean): WrittenValue => ({ type: "boolean", value });
export const texts = (values: readonly string[]): WrittenValue => ({
  type: "array",
  of: "text",
  values: values.map(text),
});
export const f32s = (values: readonly number[]): WrittenValue => ({
  type: "array",
  of: "f32",
  values: values.map(f32),
});
export const i32s = (values: readonly number[]): WrittenValue => ({
  type: "array",
  of: "i32",
  values: values.map((value) => ({ type: "i32", value })),
});

export interface WrittenTensor {
  readonly name: string;
  readonly dimensions: readonly number[];
  readonly type: TensorType;
  readonly values: Float32Array;
}

export interface WrittenGguf {
  readonly version?: number;
  readonly alignment?: number;
  readonly metadata: Readonly<Record<string, WrittenValue>>;
  readonly tensors: readonly WrittenTensor[];
}

class ByteWriter {
  readonly #parts: Uint8Array[] = [];
  length = 0;

  add(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    this.length += bytes.length;
  }

  number(bytes: number, set: (view: DataView) => void): void {
    const view = new DataView(new ArrayBuffer(bytes));
    set(view);
    this.add(new Uint8Array(view.buffer));
  }

  u32(value: number): void {
    this.number(4, (view) => view.setUint32(0, value, true));
  }

  u64(value: bigint): void {
    this.number(8, (view) => view.setBigUint64(0, value, true));
  }

  text(value: string): void {
    const bytes = new TextEncoder().encode(value);
    this.u64(BigInt(bytes.length));
    this.add(bytes);
  }

  pad(alignment: number): void {
    this.add(new Uint8Array((alignment - (this.length % alignment)) % alignment));
  }

  value(written: WrittenValue): void {
    switch (written.type) {
      case "text":
        return this.text(written.value);
      case "boolean":
        return this.number(1, (view) => view.setUint8(0, written.value ? 1 : 0));
      case "u64":
        return this.u64(written.value);
      case "i64":
        return this.number(8, (view) => view.setBigInt64(0, written.value, true));
      case "array":
        this.u32(VALUE_TYPE[written.of]);
        this.u64(BigInt(written.values.length));
        for (const value of written.values) this.value(value);
        return undefined;
      case "u8":
        return this.number(1, (view) => view.setUint8(0, written.value));
      case "i8":
        return this.number(1, (view) => view.setInt8(0, written.value));
      case "u16":
        return this.number(2, (view) => view.setUint16(0, written.value, true));
      case "i16":
        return this.number(2, (view) => view.setInt16(0, written.value, true));
      case "u32":
        return this.u32(written.value);
      case "i32":
        return this.number(4, (view) => view.setInt32(0, written.value, true));
      case "f32":
        return this.number(4, (view) => view.setFloat32(0, written.value, true));
      case "f64":
        return this.number(8, (view) => view.setFloat64(0, written.value, true));
      default:
        return written satisfies never;
    }
  }

  whole(): Uint8Array {
    const bytes = new Uint8Array(this.length);
    let at = 0;
    for (const part of this.#parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }
}

export function writeGguf({ version = 3, alignment = 32, metadata, tensors }: WrittenGguf): Uint8Array {
  const writer = new ByteWriter();
  writer.add(new TextEncoder().encode("GGUF"));
  writer.u32(version);
  writer.u64(BigInt(tensors.length));
  const pairs = Object.entries(metadata);
  if (alignment !== 32) pairs.push(["general.alignment", u32(alignment)]);
  writer.u64(BigInt(pairs.length));
  for (const [key, value] of pairs) {
    writer.text(key);
    writer.u32(VALUE_TYPE[value.type]);
    writer.value(value);
  }
  const data = new ByteWriter();
  for (const { name, dimensions, type, values } of tensors) {
    data.pad(alignment);
    writer.text(name);
    writer.u32(dimensions.length);
    for (const size of dimensions) writer.u64(BigInt(size));
    writer.u32(type.id);
    writer.u64(BigInt(data.length));
    data.add(quantiseBlocks(type, values));
  }
  writer.pad(alignment);
  writer.add(data.whole());
  return writer.whole();
}

import type { EmbeddingTable, Matrix } from "./matrix.ts";

/** The tensors of a model by the names that layout.ts gives them. */
export class TensorMap {
  readonly #tensors = new Map<string, ArrayBufferView>();

  /** @param text of the tokenizer */
  constructor(text: Uint8Array) {
    this.add("text", text);
  }

  add(name: string, tensor: ArrayBufferView): void {
    this.#tensors.set(name, tensor);
  }

  embeddings({ values, scales }: EmbeddingTable): void {
    this.add("embeddings.values", values);
    this.add("embeddings.scales", scales);
  }

  matrix(name: string, { values, multipliers, scales }: Matrix): void {
    this.add(`${name}.values`, values);
    this.add(`${name}.multipliers`, multipliers);
    this.add(`${name}.scales`, scales);
  }

  /** @throws RangeError for one that is missing or has another size */
  get(name: string, bytes: number): Uint8Array {
    const tensor = this.#tensors.get(name);
    if (tensor?.byteLength !== bytes)
      throw new RangeError(`${name} has ${tensor?.byteLength} bytes, not ${bytes}`);
    return new Uint8Array(tensor.buffer, tensor.byteOffset, bytes);
  }
}

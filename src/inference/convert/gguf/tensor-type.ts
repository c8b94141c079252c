/** How the values of a tensor are stored. Numbers are ggml's (`ggml_type`). */
export interface TensorType {
  readonly name: string;
  readonly id: number;
  /** Values of a block; a row is whole blocks. */
  readonly blockValues: number;
  readonly blockBytes: number;
}

const type = (name: string, id: number, blockValues: number, blockBytes: number): TensorType => ({
  name,
  id,
  blockValues,
  blockBytes,
});

export const F32: TensorType = type("F32", 0, 1, 4);
export const F16: TensorType = type("F16", 1, 1, 2);
export const Q4_0: TensorType = type("Q4_0", 2, 32, 18);
export const Q5_0: TensorType = type("Q5_0", 6, 32, 22);
export const Q8_0: TensorType = type("Q8_0", 8, 32, 34);
export const Q4_K: TensorType = type("Q4_K", 12, 256, 144);
export const Q6_K: TensorType = type("Q6_K", 14, 256, 210);
export const BF16: TensorType = type("BF16", 30, 1, 2);

/** Those that can be converted. */
export const TENSOR_TYPES: readonly TensorType[] = [F32, F16, BF16, Q8_0, Q6_K, Q5_0, Q4_K, Q4_0];

const BY_ID: ReadonlyMap<number, TensorType> = new Map(TENSOR_TYPES.map((known) => [known.id, known]));

/** @throws RangeError for one that cannot be converted @param tensor named in the error */
export function tensorType(id: number, tensor: string): TensorType {
  const known = BY_ID.get(id);
  if (known !== undefined) return known;
  const names = TENSOR_TYPES.map(({ name }) => name).join(", ");
  throw new RangeError(`tensor ${tensor} is of type ${id}, which cannot be converted; these can: ${names}`);
}

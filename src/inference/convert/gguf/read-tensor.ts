import { readExactly } from "../byte-source.ts";
import { dequantise } from "./dequantise.ts";
import type { GgufFile, GgufTensor } from "./open-gguf.ts";

/** @throws RangeError where the file has no tensor of this name and these dimensions */
export function findTensor(file: GgufFile, name: string, ...dimensions: readonly number[]): GgufTensor {
  const tensor = file.tensors.get(name);
  if (tensor === undefined) throw new RangeError(`the file has no tensor ${name}`);
  if (
    tensor.dimensions.length !== dimensions.length ||
    tensor.dimensions.some((size, i) => size !== dimensions[i])
  )
    throw new RangeError(
      `tensor ${name} is ${tensor.dimensions.join(" by ")}, not ${dimensions.join(" by ")}`,
    );
  return tensor;
}

/** All values of a tensor. @throws RangeError for values that are no finite numbers */
export function readTensor(file: GgufFile, tensor: GgufTensor): Promise<Float32Array> {
  const [columns = 0, ...rest] = tensor.dimensions;
  return columns === 0
    ? Promise.resolve(new Float32Array(0))
    : readRows(
        file,
        tensor,
        0,
        rest.reduce((rows, size) => rows * size, 1),
      );
}

/** Values of rows `first` to `first + count - 1`. @throws RangeError for values that are no finite numbers */
export async function readRows(
  { source }: GgufFile,
  tensor: GgufTensor,
  first: number,
  count: number,
): Promise<Float32Array> {
  const { type, dimensions, name } = tensor;
  const rowBytes = ((dimensions[0] ?? 0) / type.blockValues) * type.blockBytes;
  if (!(first >= 0 && count >= 0 && (first + count) * rowBytes <= tensor.bytes))
    throw new RangeError(`tensor ${name} has no rows ${first} to ${first + count}`);
  const values = dequantise(
    type,
    await readExactly(source, tensor.offset + first * rowBytes, count * rowBytes),
  );
  const broken = values.findIndex((value) => !Number.isFinite(value));
  if (broken >= 0)
    throw new RangeError(
      `tensor ${name} has a value that is no finite number, in row ${first + Math.floor(broken / (dimensions[0] ?? 1))}`,
    );
  return values;
}

import { EXP2_ENTRIES, SIGMOID_ENTRIES, UNIT_FRACTION } from "../numerics/tables.ts";

export function exp2Table(): Int32Array {
  return Int32Array.from({ length: EXP2_ENTRIES }, (_, i) => Math.round(2 ** 16 * 2 ** (-i / 256)));
}

export function sigmoidTable(): Int32Array {
  return Int32Array.from({ length: SIGMOID_ENTRIES }, (_, i) =>
    Math.round(2 ** UNIT_FRACTION / (1 + Math.exp(-i / 64))),
  );
}

export interface RotationTables {
  /** i16[context, headSize / 2], Q15; 1 is 32,767. */
  readonly cosines: Int16Array;
  readonly sines: Int16Array;
}

/**
 * Angles of rotary position embeddings: `position * base^(-2i / headSize) / factors[i]`.
 * @param factors of Llama 3's long contexts, where the model has them
 */
export function rotationTables(
  context: number,
  headSize: number,
  base: number,
  factors?: Float32Array,
): RotationTables {
  const half = headSize / 2;
  const cosines = new Int16Array(context * half);
  const sines = new Int16Array(context * half);
  for (let position = 0; position < context; position += 1)
    for (let i = 0; i < half; i += 1) {
      const angle = (position * base ** ((-2 * i) / headSize)) / (factors?.[i] ?? 1);
      cosines[position * half + i] = Math.round(Math.cos(angle) * 32_767);
      sines[position * half + i] = Math.round(Math.sin(angle) * 32_767);
    }
  return { cosines, sines };
}

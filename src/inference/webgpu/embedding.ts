import type { EmbeddingTable } from "../model/matrix.ts";
import type { Planner, Step } from "./plan.ts";

const THREADS = 64;
/** A value takes as long as so many multiply-adds of a product, measured on a software adapter. */
const OPERATIONS_OF_VALUE = 64;

/** Tokens to the residual stream: a step for each part of the table that fits a buffer. @param places i16[context, columns] in Q15 */
export function embeddingSteps(
  planner: Planner,
  { rows: vocabulary, columns, values, scales }: EmbeddingTable,
  tokens: GPUBuffer,
  residual: GPUBuffer,
  places?: Int16Array,
): Promise<Step>[] {
  const { maker } = planner;
  // An even number of rows, so that every part begins at a whole word.
  const most = Math.max(2, Math.floor(maker.budget.buffer / 4 / columns) * 2);
  const placeBuffer = places === undefined ? maker.words(1) : maker.filled(places);
  return Array.from({ length: Math.ceil(vocabulary / most) }, (_, part) => {
    const first = part * most;
    const count = Math.min(most, vocabulary - first);
    return planner.step({
      name: "embed",
      grid: (rows) => [Math.ceil(columns / THREADS), rows],
      work: () => THREADS * OPERATIONS_OF_VALUE,
      bindings: {
        0: [columns, first, count, Number(places !== undefined)],
        1: tokens,
        2: maker.filled(values.subarray(first * columns, (first + count) * columns)),
        3: maker.filled(scales.subarray(first, first + count)),
        4: placeBuffer,
        5: residual,
      },
    });
  });
}

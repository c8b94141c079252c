import type { BufferMaker } from "./buffer-maker.ts";
import type { Planner, Step } from "./plan.ts";

export interface HeadShape {
  readonly heads: number;
  /** Heads of keys and values. */
  readonly keyHeads: number;
  readonly headSize: number;
}

/** What attention of any layer writes to. */
export interface HeadBuffers {
  readonly queries: GPUBuffer;
  readonly queryScales: GPUBuffer;
  /** Scores, then weights, of every row, head and position. */
  readonly weights: GPUBuffer;
  readonly mixed: GPUBuffer;
  readonly exp2Table: GPUBuffer;
}

/** Keys and values of a layer. */
export interface History {
  readonly values: GPUBuffer;
  readonly scales: GPUBuffer;
  /** Positions that have room. */
  readonly context: number;
}

export interface Turning {
  readonly turning: "none" | "neighbours" | "halves";
  readonly table: GPUBuffer;
}

/** As heads.wgsl numbers them. */
const TURNING = { none: 0, neighbours: 1, halves: 2 } as const;
/** To turn and quantise a value takes as long as so many multiply-adds of a product, measured on a software adapter. */
const OPERATIONS_OF_VALUE = 240;
/** A position and value of a head: a product for its score, one for the mix, and what takes bytes apart. */
const OPERATIONS_OF_POSITION = 11;

/** Words of one plane of a head, four values in each. */
function wordsOfHead(headSize: number): number {
  return Math.ceil(headSize / 4);
}

export function headBuffers(
  maker: BufferMaker,
  { heads, headSize }: Omit<HeadShape, "keyHeads">,
  rows: number,
  context: number,
  exp2Table: Int32Array,
): HeadBuffers {
  return {
    queries: maker.words(rows * heads * 2 * wordsOfHead(headSize)),
    queryScales: maker.words(rows * heads),
    weights: maker.words(rows * heads * context),
    mixed: maker.words(rows * heads * headSize),
    exp2Table: maker.filled(exp2Table),
  };
}

/** Two planes of each key and value of a head, and their scales, which kernels alone read. */
export function historyBuffers(
  maker: BufferMaker,
  { keyHeads, headSize }: Omit<HeadShape, "heads">,
  context: number,
): History {
  return {
    values: maker.empty(4 * 2 * keyHeads * context * 2 * wordsOfHead(headSize)),
    scales: maker.empty(4 * 2 * keyHeads * context),
    context,
  };
}

/** Queries, keys and values, quantised, and turned where the model has it so. */
export function headsStep(
  planner: Planner,
  { heads, keyHeads, headSize }: HeadShape,
  projected: GPUBuffer,
  { queries, queryScales }: HeadBuffers,
  { values, scales, context }: History,
  { turning, table }: Turning,
): Promise<Step> {
  return planner.step({
    name: "heads",
    grid: (rows) => [heads + 2 * keyHeads, rows],
    work: () => headSize * OPERATIONS_OF_VALUE,
    bindings: {
      0: [heads, keyHeads, headSize, wordsOfHead(headSize), context, TURNING[turning]],
      1: projected,
      2: table,
      3: queries,
      4: queryScales,
      5: values,
      6: scales,
    },
  });
}

/** Scores, weights and mix. */
export function attendStep(
  planner: Planner,
  { heads, keyHeads, headSize }: HeadShape,
  { queries, queryScales, weights, mixed, exp2Table }: HeadBuffers,
  { values, scales, context }: History,
  { causal, scoreScale }: { readonly causal: boolean; readonly scoreScale: number },
): Promise<Step> {
  return planner.step({
    name: "attend",
    grid: (rows) => [heads, rows],
    work: ({ rows, first }) => (first + rows) * (headSize + 4) * OPERATIONS_OF_POSITION,
    bindings: {
      0: [heads, keyHeads, headSize, wordsOfHead(headSize), context, scoreScale, Number(causal)],
      1: queries,
      2: queryScales,
      3: values,
      4: scales,
      5: exp2Table,
      6: weights,
      7: mixed,
    },
  });
}

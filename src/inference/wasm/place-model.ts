import type { LlamaLayer } from "../model/llama-model.ts";
import type { LlamaPart } from "../model/llama-part.ts";
import { type FactorVector, GROUP, type Matrix } from "../model/matrix.ts";
import { Arena } from "./arena.ts";
import { FIRST_ADDRESS, type Kernels, type Loaded, type LoadedKernels } from "./kernels.ts";

/** Outputs of a matrix that are computed side by side. */
export const PANEL = 8;
/** Positions that are taken in together: their activations stay in the second-level cache of small processors. */
export const MAX_BATCH = 128;
/** Room for scores of all tokens: of as many rows as fit, a batch at most. */
const MAX_LOGIT_BYTES: number = 8 * 2 ** 20;

/** Addresses of consecutive layers of a model in the kernels' memory. */
export interface PlacedPart {
  /** What all kernels are called with. */
  readonly session: number;
  readonly layers: readonly number[];
  /** In the part that has the head. */
  readonly head?: PlacedHead;
  /** i32[MAX_BATCH, pitch], the residual stream. */
  readonly x: number;
  /** Values of a row of `x`, zeros behind the width. */
  readonly pitch: number;
  /** i16[vocabulary, width], in the part that has the embeddings. */
  readonly embeddings?: number;
  /** Positions that have room. */
  readonly positions: number;
  /** Bytes of memory that are needed. */
  readonly bytes: number;
}

export interface PlacedHead {
  readonly finalNorm: number;
  readonly matrix: number;
  /** i32[logitRows, logitPitch]. */
  readonly logits: number;
  readonly logitRows: number;
  readonly logitPitch: number;
  /** i32 score, u32 token, i32 least sum, of each row of a batch. */
  readonly best: number;
}

/** Addresses, and what holds on to the model until it is copied there. */
export interface Placement {
  readonly placed: PlacedPart;
  /** Copies the model into the memory. */
  fill(loaded: LoadedKernels): void;
}

/** A matrix whose place is known. */
export interface PlacedMatrix {
  readonly address: number;
  readonly matrix: Matrix;
}

export function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}

/**
 * Lays out layers of a model, their history of keys and values, and room for a batch. kernels/llama.c has the same structures.
 * @param mostPositions room for fewer positions than the model's context has
 */
export function placeModel(model: LlamaPart, mostPositions: number): Placement {
  const { shape } = model;
  const { width, inner, heads, keyHeads, headSize, vocabulary, context } = shape;
  const arena = new Arena(FIRST_ADDRESS);
  const matrices: PlacedMatrix[] = [];
  const pitch = roundUp(width, GROUP);
  const queryPitch = roundUp(heads * headSize, GROUP);
  const keyPitch = roundUp(keyHeads * headSize, GROUP);
  const innerPitch = roundUp(inner, GROUP);
  const widest = Math.max(pitch, queryPitch, innerPitch);
  const kept = Math.min(context, mostPositions);
  const positions = roundUp(kept, 8);
  const rows = (size: number): number => arena.reserve(4 * MAX_BATCH * size);
  const norm = ({ values, fraction }: FactorVector): readonly [number, number] => [
    arena.place(values, 2 * pitch),
    fraction,
  ];
  const matrix = (source: Matrix, bias?: Int32Array): number => placeMatrix(arena, matrices, source, bias);

  const x = rows(pitch);
  const session = arena.words([
    pitch,
    queryPitch,
    keyPitch,
    innerPitch,
    heads,
    keyHeads,
    headSize,
    shape.rotation === "halves" ? 1 : 0,
    positions,
    model.normEpsilon,
    model.rootWidth,
    model.scoreScale,
    arena.place(model.cosines),
    arena.place(model.sines),
    arena.place(model.exp2Table),
    arena.place(model.sigmoidTable),
    x,
    rows(queryPitch),
    rows(keyPitch),
    rows(keyPitch),
    rows(queryPitch),
    rows(innerPitch),
    rows(innerPitch),
    arena.reserve(2 * MAX_BATCH * widest),
    arena.reserve(4 * MAX_BATCH),
    arena.reserve(4 * positions),
    arena.reserve(2 * positions),
    arena.reserve(Math.max((2 * PANEL + 1) * widest, 4 * headSize)),
    arena.reserve(4 * Math.max(widest, headSize)),
  ]);
  const history = (): readonly number[] => [
    arena.reserve(2 * keyHeads * positions * headSize),
    arena.reserve(2 * keyHeads * positions * roundUp(headSize, 16)),
    arena.reserve(4 * keyHeads * positions),
    arena.reserve(4 * keyHeads * positions),
  ];
  const layer = (source: LlamaLayer): number =>
    arena.words([
      ...norm(source.attentionNorm),
      matrix(source.query, source.queryBias),
      matrix(source.key, source.keyBias),
      matrix(source.value, source.valueBias),
      matrix(source.output),
      ...norm(source.feedNorm),
      matrix(source.gate),
      matrix(source.up),
      matrix(source.down),
      ...history(),
    ]);
  const layers = model.layers.map(layer);
  const head = placeHead(arena, model, vocabulary, norm, matrix);
  const embeddings = model.embeddings === undefined ? undefined : arena.place(model.embeddings.values);
  const packing = arena.reserve(packingBytes(widest));
  const placed: PlacedPart = {
    session,
    layers,
    x,
    pitch,
    positions: kept,
    bytes: arena.end,
    ...(head === undefined ? {} : { head }),
    ...(embeddings === undefined ? {} : { embeddings }),
  };
  return {
    placed,
    fill: (loaded) => {
      arena.fill(loaded.memory);
      for (const each of matrices) packMatrix(loaded, each, packing);
    },
  };
}

function placeHead(
  arena: Arena,
  { finalNorm, head }: LlamaPart,
  vocabulary: number,
  norm: (factors: FactorVector) => readonly number[],
  matrix: (source: Matrix) => number,
): PlacedHead | undefined {
  if (finalNorm === undefined || head === undefined) return undefined;
  const logitPitch = roundUp(vocabulary, PANEL);
  const logitRows = Math.max(1, Math.min(MAX_BATCH, Math.floor(MAX_LOGIT_BYTES / 4 / logitPitch)));
  return {
    finalNorm: arena.words(norm(finalNorm)),
    matrix: matrix(head),
    logits: arena.reserve(4 * logitRows * logitPitch),
    logitRows,
    logitPitch,
    best: arena.reserve(12 * MAX_BATCH),
  };
}

/** Places the structure `Matrix` of kernels/product.h. */
export function placeMatrix(
  arena: Arena,
  matrices: PlacedMatrix[],
  matrix: Matrix,
  bias?: Int32Array,
): number {
  const { stride, rows, bits, scales } = matrix;
  const panels = Math.ceil(rows / PANEL);
  const groups = stride / GROUP;
  const address = arena.words([
    panels,
    groups,
    bits,
    arena.reserve((panels * PANEL * stride * bits) / 8),
    arena.reserve(panels * PANEL * groups),
    arena.place(scales, 4 * panels * PANEL),
    arena.reserve(4 * panels * PANEL),
    bias === undefined ? 0 : arena.place(bias, 4 * panels * PANEL),
    arena.reserve(4 * panels * PANEL),
    arena.reserve(8 * panels * PANEL),
    arena.reserve(panels),
  ]);
  matrices.push({ address, matrix });
  return address;
}

/** Rows and multipliers of a panel as they are in the model, and room for two panels of bytes. */
export function packingBytes(widest: number): number {
  return PANEL * (4 * widest);
}

/** Puts a matrix where it was placed. @param packing address of room of `packingBytes` */
export function packMatrix(
  { kernels, memory }: Loaded<Pick<Kernels, "packPanel">>,
  placed: PlacedMatrix,
  packing: number,
): void {
  const { rows, stride, values, bits, multipliers } = placed.matrix;
  const groups = stride / GROUP;
  const rowBytes = (stride * bits) / 8;
  const sourceValues = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const targetValues = new Uint8Array(memory.buffer, packing, PANEL * rowBytes);
  const multipliersAt = packing + PANEL * stride;
  const targetMultipliers = new Uint8Array(memory.buffer, multipliersAt, PANEL * groups);
  const room = multipliersAt + roundUp(PANEL * groups, 64);
  for (let row = 0; row < rows; row += PANEL) {
    if (row + PANEL > rows) {
      targetValues.fill(0);
      targetMultipliers.fill(0);
    }
    targetValues.set(sourceValues.subarray(row * rowBytes, (row + PANEL) * rowBytes));
    targetMultipliers.set(multipliers.subarray(row * groups, (row + PANEL) * groups));
    kernels.packPanel(placed.address, row / PANEL, packing, multipliersAt, room);
  }
}

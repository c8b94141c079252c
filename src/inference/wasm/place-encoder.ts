import type {
  Affine,
  EncoderLayer,
  EncoderLayerShape,
  EncoderModel,
  LayerNorm,
} from "../model/encoder-model.ts";
import { GROUP } from "../model/matrix.ts";
import { Arena } from "./arena.ts";
import type { LoadedEncoderKernels } from "./encoder-kernels.ts";
import { FIRST_ADDRESS } from "./kernels.ts";
import { packColumns, placeColumns, type PlacedColumns } from "./place-columns.ts";
import { packingBytes, packMatrix, PANEL, type PlacedMatrix, placeMatrix, roundUp } from "./place-model.ts";

/** Rows of texts that are encoded together, if none is longer. */
const LEAST_ROWS = 384;
/** Rows that are taken through a product together: their activations stay in the second-level cache of small processors. */
const CHUNK = 48;
/** Rows for which a block of a sparse matrix is loaded once. */
const SPARSE_CHUNK = 384;
/** The structure `Pair` of kernels/sparse.h. */
const PAIR_BYTES = 12;
/** Positions of a text's keys and values begin at a multiple of this. */
export const POSITION_UNIT = 8;

/** Addresses of an encoder in the kernels' memory. */
export interface PlacedEncoder {
  /** What all kernels are called with. */
  readonly session: number;
  readonly layers: readonly number[];
  readonly pool: number;
  /** i16[vocabulary, width] and i16[context, width]. */
  readonly embeddings: number;
  readonly positions: number;
  /** u32[rowLimit, 3]: where the keys of the row's text begin, the row's position, positions of its text. */
  readonly places: number;
  /** i16[rowLimit, output]. */
  readonly vectors: number;
  /** Rows, and positions of keys and values, that have room. */
  readonly rowLimit: number;
  readonly positionLimit: number;
  /** Bytes of memory that are needed. */
  readonly bytes: number;
}

/** Addresses, and what holds on to the model until it is copied there. */
export interface EncoderPlacement {
  readonly placed: PlacedEncoder;
  /** Copies the model into the memory. */
  fill(loaded: LoadedEncoderKernels): void;
}

/** The largest of what layers need. */
function largest(layers: readonly EncoderLayerShape[], size: (layer: EncoderLayerShape) => number): number {
  return Math.max(...layers.map(size));
}

function pitchOf(values: number): number {
  return roundUp(values, GROUP);
}

/** Lays out an encoder and room for a batch of texts. kernels/encoder.c has the same structures. */
export function placeEncoder(model: EncoderModel): EncoderPlacement {
  const { shape } = model;
  const { context, width, layers: sizes, output } = shape;
  const arena = new Arena(FIRST_ADDRESS);
  const matrices: PlacedMatrix[] = [];
  const columns: PlacedColumns[] = [];
  const rowLimit = Math.max(LEAST_ROWS, context);
  const positionLimit = 2 * roundUp(rowLimit, POSITION_UNIT);
  const chunk = Math.min(CHUNK, rowLimit);
  const sparseChunk = Math.min(SPARSE_CHUNK, rowLimit);
  const streamPitch = pitchOf(
    Math.max(
      width,
      largest(sizes, (layer) => layer.width),
    ),
  );
  const headsPitch = pitchOf(largest(sizes, ({ heads, headSize }) => heads * headSize));
  const innerPitch = pitchOf(
    Math.max(
      output,
      largest(sizes, ({ inner }) => inner),
    ),
  );
  const widest = Math.max(streamPitch, headsPitch, innerPitch);
  /** Values of a position's heads, each head rounded up. */
  const heads = (unit: number): number =>
    largest(sizes, ({ heads: count, headSize }) => count * roundUp(headSize, unit));
  const headCount = largest(sizes, ({ heads: count }) => count);
  const headSize = largest(sizes, (layer) => layer.headSize);

  const places = arena.reserve(12 * rowLimit);
  const session = arena.words([
    chunk,
    sparseChunk,
    positionLimit,
    streamPitch,
    arena.place(model.exp2Table),
    arena.place(model.sigmoidTable),
    arena.reserve(4 * rowLimit * streamPitch),
    places,
    arena.reserve(2 * rowLimit * heads(2)),
    arena.reserve(4 * rowLimit * headCount),
    arena.reserve(2 * positionLimit * heads(2)),
    arena.reserve(2 * positionLimit * heads(16)),
    arena.reserve(4 * positionLimit * headCount),
    arena.reserve(4 * positionLimit * headCount),
    arena.reserve(4 * chunk * headsPitch),
    arena.reserve(4 * chunk * headsPitch),
    arena.reserve(4 * chunk * headsPitch),
    arena.reserve(4 * chunk * innerPitch),
    arena.reserve(2 * chunk * widest),
    arena.reserve(4 * chunk),
    arena.reserve(PAIR_BYTES * sparseChunk * (innerPitch / 2)),
    arena.reserve(4 * sparseChunk),
    arena.reserve(4 * sparseChunk),
    arena.reserve(4 * roundUp(context, POSITION_UNIT)),
    arena.reserve(2 * roundUp(context, POSITION_UNIT)),
    arena.reserve(Math.max(2 * PANEL * widest, 4 * roundUp(headSize, 2))),
    arena.reserve(4 * Math.max(widest, roundUp(headSize, 16))),
  ]);
  const matrix = ({ matrix: source, bias }: Affine): number => placeMatrix(arena, matrices, source, bias);
  const layers = model.layers.map((layer, i) => {
    const own = sizes[i];
    if (own === undefined) throw new RangeError(`layer ${i} has no sizes`);
    return arena.words(layerWords(layer, own, arena, matrix, (part) => placeColumns(arena, columns, part)));
  });
  const pool = matrix(model.pool);
  const embeddings = arena.place(model.embeddings.values);
  const positions = arena.place(model.positions);
  const vectors = arena.reserve(2 * rowLimit * output);
  const packing = arena.reserve(packingBytes(widest));
  const placed: PlacedEncoder = {
    session,
    layers,
    pool,
    embeddings,
    positions,
    places,
    vectors,
    rowLimit,
    positionLimit,
    bytes: arena.end,
  };
  return {
    placed,
    fill: (loaded) => {
      arena.fill(loaded.memory);
      for (const each of matrices) packMatrix(loaded, each, packing);
      for (const each of columns) packColumns(loaded.memory, each);
    },
  };
}

/** The structure `Layer`. */
function layerWords(
  layer: EncoderLayer,
  { input, width, heads, headSize, inner }: EncoderLayerShape,
  arena: Arena,
  matrix: (part: Affine) => number,
  byColumn: (part: Affine) => number,
): readonly number[] {
  const norm = ({ factors, offsets, epsilon, rootWidth }: LayerNorm, size: number): readonly number[] => [
    arena.place(factors.values, 2 * pitchOf(size)),
    factors.fraction,
    arena.place(offsets, 4 * pitchOf(size)),
    epsilon,
    rootWidth,
  ];
  return [
    input,
    width,
    inner,
    heads,
    headSize,
    layer.scoreScale,
    ...norm(layer.attentionNorm, input),
    matrix(layer.query),
    matrix(layer.key),
    matrix(layer.value),
    matrix(layer.output),
    layer.bridge === undefined ? 0 : matrix(layer.bridge),
    ...norm(layer.feedNorm, width),
    matrix(layer.up),
    byColumn(layer.down),
  ];
}

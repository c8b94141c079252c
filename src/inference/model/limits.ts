/**
 * Largest sizes of a model, in values, layers, heads, tokens and positions. Anything beyond is refused before it is allocated;
 * each is above every model that fits a browser tab.
 */
export const LARGEST = {
  /** Beyond, sums of squares leave 32 bits (docs/numerics.md). */
  width: 16_384,
  inner: 65_536,
  layers: 256,
  heads: 256,
  /** Beyond, sums of scores leave 32 bits. */
  headSize: 512,
  vocabulary: 1_000_000,
  /** Beyond, sums of attention's weights leave 32 bits. */
  context: 65_536,
} as const;

/**
 * What a model needs besides its file and its keys and values, in a manifest's reckoning: rows that are passed from block to
 * block, the logits, the tokenizer's tables, the kernels. It is the bound that benchmarks hold backends to.
 */
export const MEMORY_MARGIN_BYTES: number = 64 * 1024 * 1024;

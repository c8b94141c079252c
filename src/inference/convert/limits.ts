/** Limits of files to convert. All are far above what real models have: a damaged number is found before it costs memory. */

/**
 * Metadata and tensor list of a GGUF, in bytes: they are parsed in memory. The largest vocabularies (256 thousand tokens with
 * merges) take 16 MB.
 */
export const MAX_HEADER_BYTES: number = 64 * 1024 * 1024;

/** First part of a GGUF that is read, in bytes; it grows fourfold while the header is longer. */
export const FIRST_HEADER_BYTES: number = 1024 * 1024;

/** Arrays of arrays in GGUF metadata; the parser calls itself once for each level. No known file has any. */
export const MAX_ARRAY_DEPTH = 4;

/** Dimensions of a GGUF tensor: what ggml allows. */
export const MAX_DIMENSIONS = 4;

/** UTF-16 units of a token that is put together from parts: every place to cut it is tried. SentencePiece makes 16 by default. */
export const MAX_TOKEN_LENGTH = 256;

/** Positions for which a converted model has rotation tables, unless asked otherwise: tables are stored per position. */
export const DEFAULT_CONTEXT = 4_096;

/** Floats of a tensor that are held at once while it is quantised row by row: 64 MB. */
export const ROWS_AT_ONCE_FLOATS: number = 16 * 1024 * 1024;

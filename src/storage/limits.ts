/** Bounds of this room. */

/**
 * Blobs kept by default. Browsers grant an origin far more (a tenth of the disk and up); 512 MiB holds some twenty
 * programs of the largest kind met so far (21.5 MB) and stays unnoticed. Beyond it the least recently used blob goes.
 */
export const BLOB_CAP_BYTES: number = 512 * 1024 * 1024;

/** An identity file is about 200 characters; more than this is another file. */
export const MAX_IDENTITY_FILE_LENGTH = 4_096;

/** An input above this is kept in a record of its own and can be freed alone, bytes; below it a request costs more than the bytes. */
export const LONE_INPUT_BYTES: number = 64 * 1024;

/** Blobs where nothing can be kept but in memory, bytes: a few programs of the largest kind, beside what the page itself takes. */
export const MEMORY_BLOB_BYTES: number = 64 * 1024 * 1024;

/** Inputs held for draws where nothing can be kept but in memory, bytes: as much as one lease may hold; what does not fit is declared lost. */
export const MEMORY_HOLDING_BYTES: number = 64 * 1024 * 1024;

/**
 * Bounds of the sandbox. Those marked [profile] decide outcomes, so every machine must use the same number;
 * the others only protect the machine that decodes.
 */

/** Bytes of one page of linear memory, fixed by WebAssembly. */
export const PAGE_BYTES = 65_536;

/** [profile] Pages of one linear memory: 1 GiB, which 32-bit engines can still reserve. Growth beyond it answers -1. */
export const MAX_MEMORY_PAGES = 16_384;

/** [profile] Entries of all tables of a module together, also after growth of each: 8 MiB of references in V8. */
export const MAX_TABLE_ENTRIES = 1_000_000;

/** [profile] Tables of one module. Compilers emit one; the reference-types proposal's tests use a handful. */
export const MAX_TABLES = 16;

/** [profile] Function types. A 21 MB C program has fewer than 200. */
export const MAX_TYPES = 20_000;

/** [profile] Parameters, and results, of one function type: the limit all three engines share. */
export const MAX_PARAMETERS = 1_000;

/** [profile] Functions, imported ones included. The largest programs compiled to WASM have about 100,000. */
export const MAX_FUNCTIONS = 200_000;

/** [profile] Imports. Preview 1 has 46 functions. */
export const MAX_IMPORTS = 1_000;

/** [profile] Exports, globals, element segments and data segments each. */
export const MAX_ENTRIES = 100_000;

/** [profile] Bytes of one function body: all three engines refuse more than 7,654,321, and metering makes it up to 2.5 times longer. */
export const MAX_BODY_BYTES = 3_000_000;

/** [profile] Parameters and locals of one function: all three engines refuse more than 50,000, and metering adds up to three. */
export const MAX_LOCALS = 49_000;

/** [profile] Nested blocks in one function. A switch of n cases nests n deep. */
export const MAX_NESTING = 10_000;

/** [profile] Targets of one `br_table`: the limit of V8. */
export const MAX_BRANCH_TARGETS = 65_520;

/** Bytes of an import's or export's name: the limit all three engines share. */
export const MAX_NAME_BYTES = 100_000;

/**
 * [profile] Stack that nested calls may use, in words of 8 bytes. Chromium gives a worker about 500 KB of native
 * stack, the least of all engines; this stays below it (measured: hostile frames reach it between 64,000 and 80,000
 * words), so that the native limit, which differs between machines, is never what ends a function.
 */
export const STACK_WORDS = 48_000;

/** [profile] Words that a frame costs besides its parameters, locals and operands: return address, instance, alignment, temporaries. */
export const FRAME_WORDS = 14;

/**
 * [profile] Words of one frame; functions that need more are refused. Engines make room for a whole frame before anything of
 * the function runs, so the native stack has to hold one frame more than STACK_WORDS: 60,000 words together.
 */
export const MAX_FRAME_WORDS = 12_000;

/** [profile] A function that calls nothing is not counted on the stack up to this many words: only one such frame exists at a time. */
export const UNCOUNTED_LEAF_WORDS = 512;

/** [profile] Fuel that a metered module starts with until the host sets the task's limit. Larger limits are cut to it. */
export const FULL_TANK: bigint = 1n << 62n;

/** [profile] Bytes moved for one fuel, by bulk memory instructions and by the host: one 64-bit store. */
export const BYTES_PER_FUEL = 8;

/** [profile] Fuel of a call into the host, besides the bytes it moves: such a call takes 0.1 to 1 µs. */
export const HOST_CALL_FUEL = 64n;

/** Bytes of standard error that are kept: enough for a stack trace at each end. Never part of the output. */
export const STDERR_HEAD_BYTES: number = 16 * 1024;
export const STDERR_TAIL_BYTES: number = 48 * 1024;

/** [profile] Open files of one program; more answers `mfile`. */
export const MAX_OPEN_FILES = 1_024;

/** [profile] Files and directories of one program; more answers `nospc`. */
export const MAX_INODES = 16_384;

/** [profile] Bytes of one path; longer ones answer `nametoolong`. */
export const MAX_PATH_BYTES = 4_096;

/** [profile] Buffers of one scattered read or write; more answers `inval`, as on Linux. */
export const MAX_IO_BUFFERS = 1_024;

/** [profile] Subscriptions of one `poll_oneoff`; more answers `inval`. */
export const MAX_SUBSCRIPTIONS = 1_024;

/** Bytes of the compiled functions, as `heldBytes` counts them, that one worker holds before it forgets the one unused for longest. */
export const MAX_HELD_BYTES: number = 256 * 1024 * 1024;

/** Rights of a file descriptor (`rights` in preview 1's witx), those that are looked at here. */
export const RIGHT = { read: 0x02n, write: 0x40n, truncateByPath: 0x8_0000n } as const;

/** Every right of preview 1: bits 0 to 29. */
export const ALL_RIGHTS: bigint = (1n << 30n) - 1n;

/** Those of a file's content: read, seek, tell, write, allocate, set its size. */
const CONTENT_RIGHTS: bigint = RIGHT.read | RIGHT.write | (1n << 2n) | (1n << 5n) | (1n << 8n) | (1n << 22n);

/** Rights that make sense for a directory: opening, listing, creating, removing, times and sizes by path. */
export const DIRECTORY_RIGHTS: bigint = ALL_RIGHTS & ~CONTENT_RIGHTS;

/** Rights of a stream that cannot seek or tell: C libraries take a terminal for one, see the file type. */
export const STREAM_RIGHTS: bigint = RIGHT.read | RIGHT.write | (1n << 3n) | (1n << 21n) | (1n << 27n);

/** File descriptor flags. */
export const FDFLAG_APPEND = 1;

/** File types. Standard streams are "unknown", as for a pipe, so that C libraries buffer them whole. */
export const FILE_TYPE = { unknown: 0, directory: 3, file: 4, symlink: 7 } as const;

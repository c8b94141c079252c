/** Error numbers of WASI preview 1 (`errno` in its witx), those that can occur here. */
export const ERRNO = {
  success: 0,
  badf: 8,
  exist: 20,
  fault: 21,
  fbig: 22,
  ilseq: 25,
  inval: 28,
  isdir: 31,
  loop: 32,
  mfile: 33,
  nametoolong: 37,
  noent: 44,
  nospc: 51,
  notdir: 54,
  notempty: 55,
  notsock: 57,
  notsup: 58,
  perm: 63,
  spipe: 70,
  notcapable: 76,
} as const;

export type ErrnoName = keyof typeof ERRNO;

/** A call that fails; the program gets the number as its result. */
export class WasiError extends Error {
  static override readonly name = "WasiError";
  override readonly name = "WasiError";
  readonly errno: number;

  constructor(errno: ErrnoName) {
    super(errno);
    this.errno = ERRNO[errno];
  }
}

export function failWith(errno: ErrnoName): never {
  throw new WasiError(errno);
}

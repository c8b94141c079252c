import { MAX_INODES } from "../limits.ts";
import { failWith } from "./errno.ts";

/** What the files of one program may take together. Files given from outside count as well, but are never refused. */
export class FileSystemBudget {
  readonly #mostBytes: number;
  #bytes = 0;
  #inodes = 0;
  #lastNumber = 0n;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /** @throws WasiError `nospc` when so many more would be too many */
  checkBytes(more: number): void {
    if (more > 0 && this.#bytes + more > this.#mostBytes) failWith("nospc");
  }

  /** @param more may be negative, to give back @throws WasiError `nospc` */
  claimBytes(more: number): void {
    this.checkBytes(more);
    this.#bytes += more;
  }

  /** Counts bytes that were given from outside. */
  admitBytes(count: number): void {
    this.#bytes += count;
  }

  /** @returns a number that none had before @throws WasiError `nospc` */
  claimInode(): bigint {
    if (this.#inodes >= MAX_INODES) failWith("nospc");
    this.#inodes += 1;
    this.#lastNumber += 1n;
    return this.#lastNumber;
  }

  /** Makes room for another. */
  releaseInode(): void {
    this.#inodes -= 1;
  }
}

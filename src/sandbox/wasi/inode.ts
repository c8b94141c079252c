import type { FileSystemBudget } from "./file-system-budget.ts";
import { failWith } from "./errno.ts";

/** Times in nanoseconds since 1970, as the program's clock told them. */
export interface InodeTimes {
  accessedNs: bigint;
  modifiedNs: bigint;
  changedNs: bigint;
}

/** What a path leads to once symbolic links are followed. */
export type Inode = FileInode | DirectoryInode;

/** What stands in a directory. */
export type EntryInode = Inode | SymlinkInode;

/** A file in memory. Bytes given to it from outside are shared until the first write. */
export class FileInode {
  readonly kind = "file";
  readonly number: bigint;
  readonly times: InodeTimes;
  /** Directory entries that point here. */
  links = 0;
  /** Descriptors that point here. */
  opens = 0;
  #bytes: Uint8Array;
  #length: number;
  #shared = true;
  readonly #budget: FileSystemBudget;

  constructor(number: bigint, bytes: Uint8Array, nowNs: bigint, budget: FileSystemBudget) {
    this.number = number;
    this.times = { accessedNs: nowNs, modifiedNs: nowNs, changedNs: nowNs };
    this.#bytes = bytes;
    this.#length = bytes.length;
    this.#budget = budget;
  }

  get size(): number {
    return this.#length;
  }

  /** A view of up to `length` bytes from `offset`; empty at and beyond the end. */
  read(offset: number, length: number): Uint8Array {
    return this.#bytes.subarray(Math.min(offset, this.#length), Math.min(offset + length, this.#length));
  }

  /** Whether it may become so long; asked before the work is charged. @throws WasiError `nospc` */
  checkSize(length: number): void {
    this.#budget.checkBytes(length - this.#length);
  }

  /** Writes at `offset`; a gap before it reads as zero. @throws WasiError `nospc` */
  write(offset: number, bytes: Uint8Array): void {
    this.#own(Math.max(this.#length, offset + bytes.length));
    this.#bytes.set(bytes, offset);
  }

  /** Cuts off, or extends with zeros. @throws WasiError `nospc` */
  resize(length: number): void {
    this.#own(length);
  }

  #own(length: number): void {
    this.#budget.claimBytes(length - this.#length);
    if (this.#shared || length > this.#bytes.length) {
      const capacity = length > this.#bytes.length ? Math.max(length, this.#length * 2, 64) : length;
      const grown = new Uint8Array(capacity);
      grown.set(this.#bytes.subarray(0, Math.min(this.#length, length)));
      this.#bytes = grown;
      this.#shared = false;
    } else if (length < this.#length) this.#bytes.fill(0, length, this.#length);
    this.#length = length;
  }

  /** Gives its bytes back to the budget once no entry and no descriptor points here. */
  releaseIfUnused(): void {
    if (this.links > 0 || this.opens > 0) return;
    this.#budget.claimBytes(-this.#length);
    this.#budget.releaseInode();
    this.#bytes = new Uint8Array(0);
    this.#length = 0;
  }
}

/** A symbolic link: a path, seen from the directory it stands in. */
export class SymlinkInode {
  readonly kind = "symlink";
  readonly number: bigint;
  readonly target: string;
  /** Bytes of the target. */
  readonly size: number;
  readonly times: InodeTimes;
  /** Directory entries that point here. */
  links = 0;
  readonly #budget: FileSystemBudget;

  /** @throws WasiError `nospc` */
  constructor(target: string, nowNs: bigint, budget: FileSystemBudget) {
    this.size = new TextEncoder().encode(target).length;
    budget.claimBytes(this.size);
    this.number = budget.claimInode();
    this.target = target;
    this.times = { accessedNs: nowNs, modifiedNs: nowNs, changedNs: nowNs };
    this.#budget = budget;
  }

  releaseIfUnused(): void {
    if (this.links > 0) return;
    this.#budget.claimBytes(-this.size);
    this.#budget.releaseInode();
  }
}

interface Entry {
  readonly inode: EntryInode;
  /** Grows with each entry made, so that reading a directory can go on where it stopped. */
  readonly cookie: bigint;
}

/** Cookies of "." and ".." are 0 and 1. */
const FIRST_COOKIE = 2n;

export class DirectoryInode {
  readonly kind = "directory";
  readonly number: bigint;
  readonly times: InodeTimes;
  parent: DirectoryInode;
  /** It was removed, and is only held by descriptors: nothing can be made in it. */
  isRemoved = false;
  readonly #entries = new Map<string, Entry>();
  #nextCookie = FIRST_COOKIE;

  /** @param parent undefined for the root, which is its own parent */
  constructor(number: bigint, parent: DirectoryInode | undefined, nowNs: bigint) {
    this.number = number;
    this.parent = parent ?? this;
    this.times = { accessedNs: nowNs, modifiedNs: nowNs, changedNs: nowNs };
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  /** Entries, without "." and "..". */
  get count(): number {
    return this.#entries.size;
  }

  get(name: string): EntryInode | undefined {
    return this.#entries.get(name)?.inode;
  }

  /** @throws WasiError `exist`, `noent` */
  add(name: string, inode: EntryInode): void {
    if (this.isRemoved) failWith("noent");
    if (this.#entries.has(name)) failWith("exist");
    this.#entries.set(name, { inode, cookie: this.#nextCookie });
    this.#nextCookie += 1n;
    if (inode.kind === "directory") inode.parent = this;
    else inode.links += 1;
  }

  remove(name: string): void {
    const inode = this.#entries.get(name)?.inode;
    if (inode !== undefined && inode.kind !== "directory") inode.links -= 1;
    this.#entries.delete(name);
  }

  /** Entries from `cookie` on, "." and ".." first, each with the cookie that follows it. */
  *list(cookie: bigint): Generator<{ name: string; inode: EntryInode; next: bigint }> {
    if (cookie <= 0n) yield { name: ".", inode: this, next: 1n };
    if (cookie <= 1n) yield { name: "..", inode: this.parent, next: FIRST_COOKIE };
    for (const [name, entry] of this.#entries)
      if (entry.cookie >= cookie) yield { name, inode: entry.inode, next: entry.cookie + 1n };
  }
}

import { MAX_OPEN_FILES } from "../limits.ts";
import type { ByteSink } from "./byte-sinks.ts";
import { failWith } from "./errno.ts";
import type { DirectoryInode, FileInode } from "./inode.ts";

interface Rights {
  /** Flags of the descriptor (append and so on). */
  flags: number;
  base: bigint;
  inheriting: bigint;
}

export interface FileDescriptor extends Rights {
  readonly kind: "file";
  readonly inode: FileInode;
  /** Bytes; where the next read or write happens. */
  offset: number;
}

export interface DirectoryDescriptor extends Rights {
  readonly kind: "directory";
  readonly inode: DirectoryInode;
  /** Path under which the program was given it, if it was there from the start. */
  readonly preopened: string | undefined;
}

/** Standard input: bytes that are read once, in order. */
interface InputDescriptor extends Rights {
  readonly kind: "input";
  readonly bytes: Uint8Array;
  offset: number;
}

interface OutputDescriptor extends Rights {
  readonly kind: "output";
  readonly sink: ByteSink;
}

export type Descriptor = FileDescriptor | DirectoryDescriptor | InputDescriptor | OutputDescriptor;

/** Open descriptors by number; a new one takes the lowest free number. */
export class DescriptorTable {
  readonly #open: (Descriptor | undefined)[];

  constructor(initial: readonly Descriptor[]) {
    this.#open = [...initial];
  }

  /** @throws WasiError `badf` */
  get(fd: number): Descriptor {
    return this.#open[fd] ?? failWith("badf");
  }

  /** @throws WasiError `badf`, `notdir` */
  directory(fd: number): DirectoryDescriptor {
    const found = this.get(fd);
    return found.kind === "directory" ? found : failWith("notdir");
  }

  /** @throws WasiError `mfile` */
  add(descriptor: Descriptor): number {
    const free = this.#open.indexOf(undefined);
    const fd = free < 0 ? this.#open.length : free;
    if (fd >= MAX_OPEN_FILES) failWith("mfile");
    if (descriptor.kind === "file") descriptor.inode.opens += 1;
    this.#open[fd] = descriptor;
    return fd;
  }

  close(fd: number): void {
    const closed = this.get(fd);
    this.#open[fd] = undefined;
    this.#letGo(closed);
  }

  /** Moves `from` to the number `to`, closing what is there. */
  renumber(from: number, to: number): void {
    const moved = this.get(from);
    const replaced = this.get(to);
    if (from === to) return;
    this.#open[to] = moved;
    this.#open[from] = undefined;
    this.#letGo(replaced);
  }

  #letGo(closed: Descriptor): void {
    if (closed.kind !== "file") return;
    closed.inode.opens -= 1;
    closed.inode.releaseIfUnused();
  }
}

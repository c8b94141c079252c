import { ERRNO, WasiError } from "../../wasi/errno.ts";
import type { HostResource } from "../types/resource-type.ts";
import type { DirectoryInode, EntryInode, FileInode, Inode } from "../../wasi/inode.ts";
import { asResource, bare, error, mismatch, NONE, ok, some, type Value } from "../values/value.ts";
import { datetimeOf, DATETIME } from "./clocks.ts";
import { HostObject } from "./host-function.ts";
import { hostResource, option, record, result } from "./signatures.ts";

export const DESCRIPTOR: HostResource = hostResource("wasi:filesystem/types/descriptor");
export const ENTRY_STREAM: HostResource = hostResource("wasi:filesystem/types/directory-entry-stream");

// oxfmt-ignore
const ERROR_CODES = [
  "access", "would-block", "already", "bad-descriptor", "busy", "deadlock", "quota", "exist", "file-too-large",
  "illegal-byte-sequence", "in-progress", "interrupted", "invalid", "io", "is-directory", "loop", "too-many-links",
  "message-size", "name-too-long", "no-device", "no-entry", "no-lock", "insufficient-memory", "insufficient-space",
  "not-directory", "not-empty", "not-recoverable", "unsupported", "no-tty", "no-such-device", "overflow",
  "not-permitted", "pipe", "read-only", "invalid-seek", "text-file-busy", "cross-device",
];

/** Preview 1's error numbers as preview 2's codes. */
const CODE_OF: ReadonlyMap<number, string> = new Map([
  [ERRNO.badf, "bad-descriptor"],
  [ERRNO.exist, "exist"],
  [ERRNO.fbig, "file-too-large"],
  [ERRNO.ilseq, "illegal-byte-sequence"],
  [ERRNO.inval, "invalid"],
  [ERRNO.isdir, "is-directory"],
  [ERRNO.nametoolong, "name-too-long"],
  [ERRNO.noent, "no-entry"],
  [ERRNO.nospc, "insufficient-space"],
  [ERRNO.notdir, "not-directory"],
  [ERRNO.notempty, "not-empty"],
  [ERRNO.notsup, "unsupported"],
  [ERRNO.spipe, "invalid-seek"],
  [ERRNO.notcapable, "not-permitted"],
]);

/** The case of `error-code` that an error stands for. */
export function errorCodeOf(failure: WasiError): Value {
  return bare(Math.max(ERROR_CODES.indexOf(CODE_OF.get(failure.errno) ?? "io"), 0));
}

/** Runs what may fail, and answers with a result of preview 2. */
export function answer(run: () => Value): Value {
  try {
    return run();
  } catch (failure) {
    if (!(failure instanceof WasiError)) throw failure;
    return error(errorCodeOf(failure));
  }
}

const DESCRIPTOR_TYPES = [
  "unknown",
  "block-device",
  "character-device",
  "directory",
  "fifo",
  "symbolic-link",
  "regular-file",
  "socket",
];

export function descriptorTypeOf(inode: EntryInode): Value {
  if (inode.kind === "symlink") return bare(5);
  return bare(inode.kind === "directory" ? 3 : 6);
}

const enumOf = (names: readonly string[]): string => `enum { ${names.join(", ")} }`;

export const ERROR_CODE: string = enumOf(ERROR_CODES);
export const DESCRIPTOR_TYPE: string = enumOf(DESCRIPTOR_TYPES);
export const DESCRIPTOR_FLAGS: string =
  "flags { read, write, file-integrity-sync, data-integrity-sync, requested-write-sync, mutate-directory }";
export const PATH_FLAGS: string = "flags { symlink-follow }";
export const OPEN_FLAGS: string = "flags { create, directory, exclusive, truncate }";
export const ADVICE: string = enumOf([
  "normal",
  "sequential",
  "random",
  "will-need",
  "dont-need",
  "no-reuse",
]);
export const NEW_TIMESTAMP: string = `variant { no-change, now, timestamp: ${DATETIME} }`;
export const METADATA_HASH: string = record({ lower: "u64", upper: "u64" });
export const DIRECTORY_ENTRY: string = record({ type: DESCRIPTOR_TYPE, name: "string" });
export const STAT: string = record({
  type: DESCRIPTOR_TYPE,
  "link-count": "u64",
  size: "u64",
  "data-access-timestamp": option(DATETIME),
  "data-modification-timestamp": option(DATETIME),
  "status-change-timestamp": option(DATETIME),
});

/** What file system calls return. */
export const or = (okType: string): string => result(okType, ERROR_CODE);

export function statOf(inode: Inode): Value {
  const file = inode.kind === "file";
  const { accessedNs, modifiedNs, changedNs } = inode.times;
  return ok([
    descriptorTypeOf(inode),
    BigInt(file ? inode.links : 1),
    BigInt(file ? inode.size : 0),
    ...[accessedNs, modifiedNs, changedNs].map((ns) => some(datetimeOf(ns))),
  ]);
}

/** Bits of descriptor-flags. */
export const FLAG = { read: 1, write: 2, mutateDirectory: 32 } as const;

/** An open file or directory. */
export class OpenInode extends HostObject {
  readonly inode: FileInode | DirectoryInode;
  readonly flags: number;

  constructor(inode: FileInode | DirectoryInode, flags: number) {
    super();
    this.inode = inode;
    this.flags = flags;
    if (inode.kind === "file") inode.opens += 1;
  }

  override drop(): void {
    const { inode } = this;
    if (inode.kind !== "file") return;
    inode.opens -= 1;
    inode.releaseIfUnused();
  }
}

/** @throws TypeError when a handle's type and object differ: a bug */
export function openOf(value: Value | undefined): OpenInode {
  const { representation } = asResource(value);
  return representation instanceof OpenInode ? representation : mismatch("descriptor");
}

/** @throws WasiError `notdir` */
export function directoryOf(value: Value | undefined): DirectoryInode {
  const { inode } = openOf(value);
  if (inode.kind !== "directory") throw new WasiError("notdir");
  return inode;
}

/** The file behind a descriptor that was opened for this. @throws WasiError `isdir`, `badf` */
export function fileOf(value: Value | undefined, flag: number): FileInode {
  const { inode, flags } = openOf(value);
  if (inode.kind === "directory") throw new WasiError("isdir");
  if ((flags & flag) === 0) throw new WasiError("badf");
  return inode;
}

/** Entries of a directory, as they were when it was opened for reading. */
export class EntryStream extends HostObject {
  readonly #entries: readonly { readonly name: string; readonly inode: EntryInode }[];
  #at = 0;

  constructor(directory: DirectoryInode) {
    super();
    this.#entries = [...directory.list(2n)];
  }

  get length(): number {
    return this.#entries.length;
  }

  next(): Value {
    const entry = this.#entries[this.#at];
    this.#at += 1;
    return entry === undefined ? NONE : some([descriptorTypeOf(entry.inode), entry.name]);
  }
}

import { MAX_PATH_BYTES } from "../limits.ts";
import { wasiCall, type WasiCall } from "./call.ts";
import { setTimes, touchContent, writeFileStat } from "./descriptor-calls.ts";
import { failWith } from "./errno.ts";
import type { EntryPlace } from "./file-system.ts";
import type { EntryInode } from "./inode.ts";
import { chargeBytes, memoryOf, type Program } from "./program.ts";
import { DIRECTORY_RIGHTS, RIGHT } from "./rights.ts";

/** Flags of `path_open`. */
const OPEN = { create: 1, directory: 2, exclusive: 4, truncate: 8 } as const;

/** Flag of a path's lookup: a symbolic link at its end is followed. */
const FOLLOW = 1;

/** A path in the program's memory. */
function pathAt(program: Program, pointer: number, length: number): string {
  if (length > MAX_PATH_BYTES) failWith("nametoolong");
  chargeBytes(program, length);
  const bytes = memoryOf(program).slice(pointer, length);
  if (bytes.includes(0)) failWith("inval");
  return decodePath(bytes);
}

/** The place that a path names, seen from directory `fd`; see findEntry for `last`. */
function placeOf(
  program: Program,
  fd: number,
  pointer: number,
  length: number,
  last: "follow" | "keep" | "never",
): EntryPlace {
  const base = program.descriptors.directory(fd).inode;
  const place = program.files.findEntry(base, pathAt(program, pointer, length), last);
  chargeBytes(program, place.followedBytes);
  return place;
}

function lookupOf(flags: number): "follow" | "keep" {
  return (flags & FOLLOW) === 0 ? "keep" : "follow";
}

function decodePath(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return failWith("ilseq");
  }
}

function inodeAt(place: EntryPlace): EntryInode {
  const inode = place.inode ?? failWith("noent");
  if (place.wantsDirectory && inode.kind !== "directory") failWith("notdir");
  return inode;
}

interface OpenOptions {
  readonly openFlags: number;
  readonly base: bigint;
  readonly inheriting: bigint;
  readonly flags: number;
}

function wants({ openFlags }: OpenOptions, flag: number): boolean {
  return (openFlags & flag) !== 0;
}

function open(program: Program, place: EntryPlace, options: OpenOptions): number {
  const { base, inheriting, flags } = options;
  if (place.inode !== undefined && wants(options, OPEN.create) && wants(options, OPEN.exclusive))
    failWith("exist");
  if (place.inode === undefined && !wants(options, OPEN.create)) failWith("noent");
  if (wants(options, OPEN.directory) && wants(options, OPEN.create)) failWith("inval");
  const { inode = program.files.createFile({ ...place, inode: undefined }) } = place;
  if (inode.kind === "symlink") failWith("loop");
  if (inode.kind === "directory") {
    if ((base & RIGHT.write) !== 0n) failWith("isdir");
    const rights = { base: base & DIRECTORY_RIGHTS, inheriting };
    return program.descriptors.add({ kind: "directory", inode, preopened: undefined, flags, ...rights });
  }
  if (wants(options, OPEN.directory) || place.wantsDirectory) failWith("notdir");
  if (wants(options, OPEN.truncate)) {
    inode.resize(0);
    touchContent(program, inode);
  }
  return program.descriptors.add({ kind: "file", inode, offset: 0, flags, base, inheriting });
}

/** Files, directories and symbolic links by path. */
export const PATH_CALLS: Readonly<Record<string, WasiCall>> = {
  path_open: wasiCall(
    "iiiiiIIii",
    (program, fd, lookup, path, length, openFlags, base, inheriting, flags, result) => {
      const isNew = (openFlags & OPEN.create) !== 0 && (openFlags & OPEN.exclusive) !== 0;
      const place = placeOf(program, fd, path, length, isNew ? "keep" : lookupOf(lookup));
      const directory = program.descriptors.get(fd);
      if ((openFlags & OPEN.truncate) !== 0 && (directory.base & RIGHT.truncateByPath) === 0n)
        failWith("notcapable");
      const limit = directory.inheriting;
      const options = { openFlags, base: base & limit, inheriting: inheriting & limit, flags };
      // Nothing is opened when the answer has nowhere to go.
      memoryOf(program).slice(result, 4);
      memoryOf(program).setU32(result, open(program, place, options));
    },
  ),

  path_filestat_get: wasiCall("iiiii", (program, fd, lookup, path, length, result) => {
    writeFileStat(program, result, inodeAt(placeOf(program, fd, path, length, lookupOf(lookup))));
  }),
  path_filestat_set_times: wasiCall("iiiiIIi", (program, fd, lookup, path, length, access, modify, flags) => {
    const inode = inodeAt(placeOf(program, fd, path, length, lookupOf(lookup)));
    setTimes(program, inode, access, modify, flags);
  }),

  path_create_directory: wasiCall("iii", (program, fd, path, length) => {
    program.files.createDirectory(placeOf(program, fd, path, length, "never"));
  }),
  path_remove_directory: wasiCall("iii", (program, fd, path, length) => {
    program.files.removeDirectory(placeOf(program, fd, path, length, "never"));
  }),
  path_unlink_file: wasiCall("iii", (program, fd, path, length) => {
    program.files.unlink(placeOf(program, fd, path, length, "never"));
  }),
  path_rename: wasiCall("iiiiii", (program, fd, path, length, newFd, newPath, newLength) => {
    const from = placeOf(program, fd, path, length, "never");
    program.files.rename(from, placeOf(program, newFd, newPath, newLength, "never"));
  }),
  path_link: wasiCall("iiiiiii", (program, fd, lookup, path, length, newFd, newPath, newLength) => {
    if ((lookup & FOLLOW) !== 0) failWith("inval");
    const inode = inodeAt(placeOf(program, fd, path, length, "keep"));
    program.files.link(inode, placeOf(program, newFd, newPath, newLength, "never"));
  }),

  path_symlink: wasiCall("iiiii", (program, target, targetLength, fd, path, length) => {
    const to = pathAt(program, target, targetLength);
    program.files.createSymlink(to, placeOf(program, fd, path, length, "never"));
  }),
  path_readlink: wasiCall("iiiiii", (program, fd, path, length, buffer, size, result) => {
    const { inode } = placeOf(program, fd, path, length, "keep");
    if (inode === undefined) failWith("noent");
    if (inode.kind !== "symlink") failWith("inval");
    const bytes = new TextEncoder().encode(inode.target).subarray(0, size);
    chargeBytes(program, bytes.length);
    memoryOf(program).slice(buffer, size).set(bytes);
    memoryOf(program).setU32(result, bytes.length);
  }),
};

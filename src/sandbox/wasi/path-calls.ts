import { MAX_PATH_BYTES } from "../limits.ts";
import { wasiCall, type WasiCall } from "./call.ts";
import { setTimes, writeFileStat } from "./descriptor-calls.ts";
import { failWith } from "./errno.ts";
import type { Place } from "./file-system.ts";
import type { Inode } from "./inode.ts";
import { chargeBytes, memoryOf, type Program } from "./program.ts";
import { RIGHT } from "./rights.ts";

/** Flags of `path_open`. */
const OPEN = { create: 1, directory: 2, exclusive: 4, truncate: 8 } as const;

/** The place that a path in the program's memory names, seen from directory `fd`. */
function placeOf(program: Program, fd: number, pointer: number, length: number): Place {
  const base = program.descriptors.directory(fd).inode;
  if (length > MAX_PATH_BYTES) failWith("nametoolong");
  chargeBytes(program, length);
  const bytes = memoryOf(program).slice(pointer, length);
  if (bytes.includes(0)) failWith("inval");
  return program.files.find(base, decodePath(bytes));
}

function decodePath(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return failWith("ilseq");
  }
}

function inodeAt(place: Place): Inode {
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

function open(program: Program, place: Place, options: OpenOptions): number {
  const { openFlags, base, inheriting, flags } = options;
  const wantsDirectory = (openFlags & OPEN.directory) !== 0;
  if (place.inode !== undefined && (openFlags & OPEN.create) !== 0 && (openFlags & OPEN.exclusive) !== 0)
    failWith("exist");
  if (place.inode === undefined && (openFlags & OPEN.create) === 0) failWith("noent");
  if (wantsDirectory && (openFlags & OPEN.create) !== 0) failWith("inval");
  const inode = place.inode === undefined ? program.files.createFile(place) : inodeAt(place);
  if (inode.kind === "directory") {
    if ((base & RIGHT.write) !== 0n && !wantsDirectory) failWith("isdir");
    return program.descriptors.add({
      kind: "directory",
      inode,
      preopened: undefined,
      flags,
      base,
      inheriting,
    });
  }
  if (wantsDirectory) failWith("notdir");
  if ((openFlags & OPEN.truncate) !== 0) {
    inode.resize(0);
    inode.times.modifiedNs = program.clock.realtimeNs;
  }
  return program.descriptors.add({ kind: "file", inode, offset: 0, flags, base, inheriting });
}

/** Files and directories by path. There are no symbolic links: following them or not is the same. */
export const PATH_CALLS: Readonly<Record<string, WasiCall>> = {
  path_open: wasiCall(
    "iiiiiIIii",
    (program, fd, _lookup, path, length, openFlags, base, inheriting, flags, result) => {
      const place = placeOf(program, fd, path, length);
      const limit = program.descriptors.get(fd).inheriting;
      const options = { openFlags, base: base & limit, inheriting: inheriting & limit, flags };
      memoryOf(program).setU32(result, open(program, place, options));
    },
  ),

  path_filestat_get: wasiCall("iiiii", (program, fd, _lookup, path, length, result) => {
    writeFileStat(program, result, inodeAt(placeOf(program, fd, path, length)));
  }),
  path_filestat_set_times: wasiCall(
    "iiiiIIi",
    (program, fd, _lookup, path, length, access, modify, flags) => {
      setTimes(program, inodeAt(placeOf(program, fd, path, length)), access, modify, flags);
    },
  ),

  path_create_directory: wasiCall("iii", (program, fd, path, length) => {
    program.files.createDirectory(placeOf(program, fd, path, length));
  }),
  path_remove_directory: wasiCall("iii", (program, fd, path, length) => {
    program.files.removeDirectory(placeOf(program, fd, path, length));
  }),
  path_unlink_file: wasiCall("iii", (program, fd, path, length) => {
    program.files.unlink(placeOf(program, fd, path, length));
  }),
  path_rename: wasiCall("iiiiii", (program, fd, path, length, newFd, newPath, newLength) => {
    const from = placeOf(program, fd, path, length);
    program.files.rename(from, placeOf(program, newFd, newPath, newLength));
  }),
  path_link: wasiCall("iiiiiii", (program, fd, _lookup, path, length, newFd, newPath, newLength) => {
    const inode = inodeAt(placeOf(program, fd, path, length));
    program.files.link(inode, placeOf(program, newFd, newPath, newLength));
  }),

  path_symlink: wasiCall("iiiii", () => failWith("notsup")),
  path_readlink: wasiCall("iiiiii", (program, fd, path, length) => {
    inodeAt(placeOf(program, fd, path, length));
    failWith("inval");
  }),
};

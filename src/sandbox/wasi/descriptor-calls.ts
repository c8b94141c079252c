import type { WasiCall } from "./call.ts";
import { wasiCall } from "./call.ts";
import type { Descriptor, DescriptorTable } from "./descriptor.ts";
import { failWith } from "./errno.ts";
import type { EntryInode, Inode } from "./inode.ts";
import { memoryOf, type Program } from "./program.ts";
import { FILE_TYPE } from "./rights.ts";

export function fileTypeOf(kind: Descriptor["kind"] | EntryInode["kind"]): number {
  if (kind === "file") return FILE_TYPE.file;
  if (kind === "symlink") return FILE_TYPE.symlink;
  return kind === "directory" ? FILE_TYPE.directory : FILE_TYPE.unknown;
}

/** Writes a `filestat`: device, inode, type, links, size, times; 64 bytes. Standard streams have neither number nor times. */
export function writeFileStat(program: Program, pointer: number, inode: EntryInode | undefined): void {
  const memory = memoryOf(program);
  memory.slice(pointer, 64).fill(0);
  if (inode === undefined) return;
  memory.setU64(pointer, 1n);
  memory.setU64(pointer + 8, inode.number);
  memory.setU8(pointer + 16, fileTypeOf(inode.kind));
  memory.setU64(pointer + 24, BigInt(inode.kind === "directory" ? 1 : inode.links));
  memory.setU64(pointer + 32, BigInt(inode.kind === "directory" ? 0 : inode.size));
  memory.setU64(pointer + 40, inode.times.accessedNs);
  memory.setU64(pointer + 48, inode.times.modifiedNs);
  memory.setU64(pointer + 56, inode.times.changedNs);
}

/** Notes that a file's content has changed. */
export function touchContent({ clock }: Program, { times }: Inode): void {
  times.modifiedNs = clock.realtimeNs;
  times.changedNs = clock.realtimeNs;
}

/** Sets times as `fstflags` say: 1 access time, 2 access time now, 4 modification time, 8 modification time now. */
export function setTimes(
  program: Program,
  inode: EntryInode,
  access: bigint,
  modify: bigint,
  flags: number,
): void {
  if ((flags & 3) === 3 || (flags & 12) === 12 || flags > 15) failWith("inval");
  const now = program.clock.realtimeNs;
  if ((flags & 3) !== 0) inode.times.accessedNs = (flags & 2) !== 0 ? now : BigInt.asUintN(64, access);
  if ((flags & 12) !== 0) inode.times.modifiedNs = (flags & 8) !== 0 ? now : BigInt.asUintN(64, modify);
  inode.times.changedNs = now;
}

/** File or directory behind a descriptor; undefined for a stream. */
function inodeOf(descriptors: DescriptorTable, fd: number): Inode | undefined {
  const found = descriptors.get(fd);
  return found.kind === "file" || found.kind === "directory" ? found.inode : undefined;
}

function preopenedName(program: Program, fd: number): Uint8Array {
  const found = program.descriptors.get(fd);
  if (found.kind !== "directory" || found.preopened === undefined) return failWith("badf");
  return new TextEncoder().encode(found.preopened);
}

/** Descriptors themselves: what they are, and closing and moving them. */
export const DESCRIPTOR_CALLS: Readonly<Record<string, WasiCall>> = {
  fd_close: wasiCall("i", ({ descriptors }, fd) => descriptors.close(fd)),
  fd_renumber: wasiCall("ii", ({ descriptors }, from, to) => descriptors.renumber(from, to)),

  fd_fdstat_get: wasiCall("ii", (program, fd, result) => {
    const memory = memoryOf(program);
    const { kind, flags, base, inheriting } = program.descriptors.get(fd);
    memory.slice(result, 24).fill(0);
    memory.setU8(result, fileTypeOf(kind));
    memory.setU16(result + 2, flags);
    memory.setU64(result + 8, base);
    memory.setU64(result + 16, inheriting);
  }),
  fd_fdstat_set_flags: wasiCall("ii", ({ descriptors }, fd, flags) => {
    if (flags > 31) failWith("inval");
    descriptors.get(fd).flags = flags;
  }),
  fd_fdstat_set_rights: wasiCall("iII", ({ descriptors }, fd, base, inheriting) => {
    const found = descriptors.get(fd);
    if ((base & ~found.base) !== 0n || (inheriting & ~found.inheriting) !== 0n) failWith("notcapable");
    found.base = base;
    found.inheriting = inheriting;
  }),

  fd_filestat_get: wasiCall("ii", (program, fd, result) => {
    writeFileStat(program, result, inodeOf(program.descriptors, fd));
  }),
  fd_filestat_set_times: wasiCall("iIIi", (program, fd, access, modify, flags) => {
    setTimes(program, inodeOf(program.descriptors, fd) ?? failWith("inval"), access, modify, flags);
  }),

  fd_prestat_get: wasiCall("ii", (program, fd, result) => {
    const memory = memoryOf(program);
    memory.setU32(result, 0);
    memory.setU32(result + 4, preopenedName(program, fd).length);
  }),
  fd_prestat_dir_name: wasiCall("iii", (program, fd, buffer, length) => {
    const name = preopenedName(program, fd);
    if (name.length > length) failWith("nametoolong");
    memoryOf(program).slice(buffer, name.length).set(name);
  }),
};

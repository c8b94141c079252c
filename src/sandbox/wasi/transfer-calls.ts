import { BYTES_PER_FUEL, MAX_IO_BUFFERS } from "../limits.ts";
import { wasiCall, type WasiCall } from "./call.ts";
import type { Descriptor, FileDescriptor } from "./descriptor.ts";
import { failWith } from "./errno.ts";
import { chargeBytes, memoryOf, type Program } from "./program.ts";
import { fileTypeOf, touchContent } from "./descriptor-calls.ts";
import { FDFLAG_APPEND, RIGHT } from "./rights.ts";

/** Offsets beyond this answer `fbig`: no file in memory gets near it, and below it a number is exact. */
const MAX_OFFSET = 1n << 40n;

function offsetOf(value: bigint): number {
  const unsigned = BigInt.asUintN(64, value);
  return unsigned > MAX_OFFSET ? failWith("fbig") : Number(unsigned);
}

function fileOf(program: Program, fd: number): FileDescriptor {
  const found = program.descriptors.get(fd);
  if (found.kind === "file") return found;
  return failWith(found.kind === "directory" ? "isdir" : "spipe");
}

/** The buffers that a list of (pointer, length) pairs names, as views. */
function buffersOf(program: Program, list: number, count: number): readonly Uint8Array[] {
  if (count > MAX_IO_BUFFERS) failWith("inval");
  const memory = memoryOf(program);
  const buffers: Uint8Array[] = [];
  for (let i = 0; i < count; i += 1)
    buffers.push(memory.slice(memory.getU32(list + 8 * i), memory.getU32(list + 8 * i + 4)));
  return buffers;
}

/** Fills the buffers from `read`, which gives what there is from an offset; stops at the first short read. */
function scatter(
  program: Program,
  buffers: readonly Uint8Array[],
  offset: number,
  read: (offset: number, length: number) => Uint8Array,
): number {
  let done = 0;
  for (const buffer of buffers) {
    const bytes = read(offset + done, buffer.length);
    chargeBytes(program, bytes.length);
    buffer.set(bytes);
    done += bytes.length;
    if (bytes.length < buffer.length) break;
  }
  return done;
}

function readInto(program: Program, from: Descriptor, buffers: readonly Uint8Array[]): number {
  if ((from.base & RIGHT.read) === 0n || from.kind === "output") return failWith("badf");
  if (from.kind === "directory") return failWith("isdir");
  const read =
    from.kind === "file"
      ? (offset: number, length: number): Uint8Array => from.inode.read(offset, length)
      : (offset: number, length: number): Uint8Array => from.bytes.subarray(offset, offset + length);
  const done = scatter(program, buffers, from.offset, read);
  from.offset += done;
  return done;
}

function writeFile(
  program: Program,
  to: FileDescriptor,
  buffers: readonly Uint8Array[],
  offset: number,
): number {
  let done = 0;
  // All of it or nothing: what was written before there was no room would be reported as not written.
  const total = buffers.reduce((sum, { length }) => sum + length, 0);
  if (total > 0) to.inode.checkSize(offset + total);
  for (const buffer of buffers) {
    if (buffer.length === 0) continue;
    chargeBytes(program, buffer.length + Math.max(0, offset + done - to.inode.size));
    to.inode.write(offset + done, buffer);
    done += buffer.length;
  }
  touchContent(program, to.inode);
  return done;
}

function writeFrom(program: Program, to: Descriptor, buffers: readonly Uint8Array[]): number {
  if ((to.base & RIGHT.write) === 0n || to.kind === "input" || to.kind === "directory")
    return failWith("badf");
  if (to.kind === "file") {
    if ((to.flags & FDFLAG_APPEND) !== 0) to.offset = to.inode.size;
    const done = writeFile(program, to, buffers, to.offset);
    to.offset += done;
    return done;
  }
  let done = 0;
  for (const buffer of buffers) {
    chargeBytes(program, buffer.length);
    to.sink.write(buffer);
    done += buffer.length;
  }
  return done;
}

function seek(file: FileDescriptor, delta: bigint, whence: number): void {
  const bases = [0, file.offset, file.inode.size];
  const base = bases[whence] ?? failWith("inval");
  const target = BigInt(base) + delta;
  if (target < 0n) failWith("inval");
  file.offset = offsetOf(target);
}

/** Grows a file to `length` bytes at least. */
function extend(program: Program, file: FileDescriptor, length: number, shrink: boolean): void {
  const { inode } = file;
  if ((file.base & RIGHT.write) === 0n) failWith("inval");
  if (length <= inode.size && !shrink) return;
  inode.checkSize(length);
  chargeBytes(program, Math.max(0, length - inode.size));
  inode.resize(length);
  touchContent(program, inode);
}

function listDirectory(program: Program, fd: number, buffer: number, length: number, cookie: bigint): number {
  const target = memoryOf(program).slice(buffer, length);
  const directory = program.descriptors.directory(fd).inode;
  // Entries before the cookie are passed over one by one.
  if (cookie !== 0n) chargeBytes(program, BYTES_PER_FUEL * directory.count);
  let used = 0;
  for (const { name, inode, next } of directory.list(BigInt.asUintN(64, cookie))) {
    if (used === length) break;
    const encoded = new TextEncoder().encode(name);
    const entry = new Uint8Array(24 + encoded.length);
    const view = new DataView(entry.buffer);
    view.setBigUint64(0, next, true);
    view.setBigUint64(8, inode.number, true);
    view.setUint32(16, encoded.length, true);
    view.setUint8(20, fileTypeOf(inode.kind));
    entry.set(encoded, 24);
    const part = entry.subarray(0, length - used);
    chargeBytes(program, part.length);
    target.set(part, used);
    used += part.length;
  }
  return used;
}

/** Moving bytes through descriptors, and sizes and positions of files. */
export const TRANSFER_CALLS: Readonly<Record<string, WasiCall>> = {
  fd_read: wasiCall("iiii", (program, fd, list, count, result) => {
    const from = program.descriptors.get(fd);
    memoryOf(program).setU32(result, readInto(program, from, buffersOf(program, list, count)));
  }),
  fd_pread: wasiCall("iiiIi", (program, fd, list, count, offset, result) => {
    const file = fileOf(program, fd);
    if ((file.base & RIGHT.read) === 0n) failWith("badf");
    const buffers = buffersOf(program, list, count);
    const read = (from: number, length: number): Uint8Array => file.inode.read(from, length);
    memoryOf(program).setU32(result, scatter(program, buffers, offsetOf(offset), read));
  }),
  fd_write: wasiCall("iiii", (program, fd, list, count, result) => {
    const to = program.descriptors.get(fd);
    memoryOf(program).setU32(result, writeFrom(program, to, buffersOf(program, list, count)));
  }),
  fd_pwrite: wasiCall("iiiIi", (program, fd, list, count, offset, result) => {
    const file = fileOf(program, fd);
    if ((file.base & RIGHT.write) === 0n) failWith("badf");
    const at = (file.flags & FDFLAG_APPEND) !== 0 ? file.inode.size : offsetOf(offset);
    memoryOf(program).setU32(result, writeFile(program, file, buffersOf(program, list, count), at));
  }),

  fd_seek: wasiCall("iIii", (program, fd, delta, whence, result) => {
    const file = fileOf(program, fd);
    seek(file, delta, whence);
    memoryOf(program).setU64(result, BigInt(file.offset));
  }),
  fd_tell: wasiCall("ii", (program, fd, result) => {
    memoryOf(program).setU64(result, BigInt(fileOf(program, fd).offset));
  }),

  fd_filestat_set_size: wasiCall("iI", (program, fd, size) => {
    extend(program, fileOf(program, fd), offsetOf(size), true);
  }),
  fd_allocate: wasiCall("iII", (program, fd, offset, length) => {
    extend(program, fileOf(program, fd), offsetOf(offset) + offsetOf(length), false);
  }),
  fd_advise: wasiCall("iIIi", (program, fd, _offset, _length, advice) => {
    fileOf(program, fd);
    if (advice > 5) failWith("inval");
  }),
  fd_sync: wasiCall("i", ({ descriptors }, fd) => {
    descriptors.get(fd);
  }),
  fd_datasync: wasiCall("i", ({ descriptors }, fd) => {
    descriptors.get(fd);
  }),

  fd_readdir: wasiCall("iiiIi", (program, fd, buffer, length, cookie, result) => {
    memoryOf(program).setU32(result, listDirectory(program, fd, buffer, length, cookie));
  }),
};

import { WasiError } from "../../wasi/errno.ts";
import type { Place } from "../../wasi/file-system.ts";
import type { Program } from "../../wasi/program.ts";
import type { DirectoryInode, FileInode, Inode } from "../../wasi/inode.ts";
import {
  asBigint,
  asBytes,
  asCase,
  asNumber,
  asArray,
  asResource,
  asString,
  mismatch,
  NONE,
  ok,
  OK,
  Resource,
  some,
  type Value,
} from "../values/value.ts";
import {
  ADVICE,
  answer,
  DESCRIPTOR,
  DESCRIPTOR_FLAGS,
  DESCRIPTOR_TYPE,
  DIRECTORY_ENTRY,
  descriptorTypeOf,
  directoryOf,
  ENTRY_STREAM,
  EntryStream,
  ERROR_CODE,
  errorCodeOf,
  fileOf,
  FLAG,
  METADATA_HASH,
  NEW_TIMESTAMP,
  OPEN_FLAGS,
  openOf,
  OpenInode,
  or,
  PATH_FLAGS,
  STAT,
  statOf,
} from "./filesystem-types.ts";
import type { HostContext } from "./host-function.ts";
import type { HostInterface } from "./host-interface.ts";
import { borrow, host, type HostEntry, hostInterfaceOf, list, option, own, tuple } from "./signatures.ts";
import {
  INPUT_STREAM,
  InputStream,
  IO_ERROR,
  OUTPUT_STREAM,
  OutputStream,
  StreamFailure,
} from "./streams.ts";

/** Offsets beyond this answer `file-too-large`: no file in memory gets near it, and below it a number is exact. */
const MAX_OFFSET = 1n << 40n;

const SELF = borrow(DESCRIPTOR);

/** A function of a descriptor that may fail. */
function method(
  parameters: readonly string[],
  okType: string,
  run: (context: HostContext, self: Value | undefined, args: readonly Value[]) => Value,
): HostEntry {
  return host([SELF, ...parameters], or(okType), (context, [self, ...args]) =>
    answer(() => run(context, self, args)),
  );
}

function offsetOf(value: Value | undefined): number {
  const offset = asBigint(value);
  if (offset > MAX_OFFSET) throw new WasiError("fbig");
  return Number(offset);
}

function placeOf(context: HostContext, directory: Value | undefined, path: Value | undefined): Place {
  const text = asString(path);
  context.chargeBytes(text.length);
  if (text.includes("\0")) throw new WasiError("inval");
  return context.program.files.find(directoryOf(directory), text);
}

function inodeAt(context: HostContext, directory: Value | undefined, path: Value | undefined): Inode {
  const { inode, wantsDirectory } = placeOf(context, directory, path);
  if (inode === undefined) throw new WasiError("noent");
  if (wantsDirectory && inode.kind !== "directory") throw new WasiError("notdir");
  return inode;
}

function writeAt(context: HostContext, inode: FileInode, offset: number, bytes: Uint8Array): void {
  if (bytes.length === 0) return;
  inode.checkSize(Math.max(inode.size, offset + bytes.length));
  context.chargeBytes(bytes.length + Math.max(0, offset - inode.size));
  inode.write(offset, bytes);
  inode.times.modifiedNs = context.program.clock.realtimeNs;
}

function writer(inode: FileInode, startsAt: number | "end"): Resource {
  let offset = startsAt === "end" ? 0 : startsAt;
  const stream = new OutputStream((context, bytes) => {
    if (startsAt === "end") offset = inode.size;
    writeAt(context, inode, offset, bytes);
    offset += bytes.length;
  });
  return new Resource(OUTPUT_STREAM, stream);
}

function setTimes(
  context: HostContext,
  inode: Inode,
  access: Value | undefined,
  modify: Value | undefined,
): Value {
  const now = context.program.clock.realtimeNs;
  const { times } = inode;
  times.accessedNs = timeOf(access, times.accessedNs, now);
  times.modifiedNs = timeOf(modify, times.modifiedNs, now);
  times.changedNs = now;
  return OK;
}

function timeOf(value: Value | undefined, before: bigint, now: bigint): bigint {
  const { tag, payload } = asCase(value);
  if (tag < 2) return tag === 0 ? before : now;
  const [seconds, nanoseconds] = asArray(payload);
  return BigInt.asUintN(64, asBigint(seconds) * 1_000_000_000n + BigInt(asNumber(nanoseconds)));
}

const OPEN = { create: 1, directory: 2, exclusive: 4, truncate: 8 } as const;

function open(context: HostContext, place: Place, openFlags: number, flags: number): Value {
  const wants = (flag: number): boolean => (openFlags & flag) !== 0;
  if (place.inode !== undefined && wants(OPEN.create) && wants(OPEN.exclusive)) throw new WasiError("exist");
  if (place.inode === undefined && !wants(OPEN.create)) throw new WasiError("noent");
  if (wants(OPEN.directory) && wants(OPEN.create)) throw new WasiError("inval");
  const inode = place.inode ?? context.program.files.createFile(place);
  if (inode.kind === "file" && (wants(OPEN.directory) || place.wantsDirectory)) throw new WasiError("notdir");
  if (inode.kind === "directory" && (flags & FLAG.write) !== 0) throw new WasiError("isdir");
  if (inode.kind === "file" && wants(OPEN.truncate)) {
    inode.resize(0);
    inode.times.modifiedNs = context.program.clock.realtimeNs;
  }
  return ok(new Resource(DESCRIPTOR, new OpenInode(inode, flags)));
}

function hashOf(inode: Inode): Value {
  return ok([inode.number, 0n]);
}

const DESCRIPTOR_METHODS: Readonly<Record<string, HostEntry>> = {
  "read-via-stream": method(["u64"], own(INPUT_STREAM), (_context, self, [offset]) =>
    ok(new Resource(INPUT_STREAM, InputStream.ofFile(fileOf(self, FLAG.read), offsetOf(offset)))),
  ),
  "write-via-stream": method(["u64"], own(OUTPUT_STREAM), (_context, self, [offset]) =>
    ok(writer(fileOf(self, FLAG.write), offsetOf(offset))),
  ),
  "append-via-stream": method([], own(OUTPUT_STREAM), (_context, self) =>
    ok(writer(fileOf(self, FLAG.write), "end")),
  ),
  advise: method(["u64", "u64", ADVICE], "_", (_context, self) => {
    if (openOf(self).inode.kind === "directory") throw new WasiError("badf");
    return OK;
  }),
  "sync-data": method([], "_", () => OK),
  sync: method([], "_", () => OK),
  "get-flags": method([], DESCRIPTOR_FLAGS, (_context, self) => ok(openOf(self).flags)),
  "get-type": method([], DESCRIPTOR_TYPE, (_context, self) => ok(descriptorTypeOf(openOf(self).inode))),
  "set-size": method(["u64"], "_", (context, self, [size]) => {
    const inode = fileOf(self, FLAG.write);
    const length = offsetOf(size);
    inode.checkSize(length);
    context.chargeBytes(Math.max(0, length - inode.size));
    inode.resize(length);
    inode.times.modifiedNs = context.program.clock.realtimeNs;
    return OK;
  }),
  "set-times": method([NEW_TIMESTAMP, NEW_TIMESTAMP], "_", (context, self, [access, modify]) =>
    setTimes(context, openOf(self).inode, access, modify),
  ),
  read: method(["u64", "u64"], tuple("list<u8>", "bool"), (context, self, [length, offset]) => {
    const inode = fileOf(self, FLAG.read);
    const start = offsetOf(offset);
    const bytes = inode.read(start, offsetOf(length));
    context.chargeBytes(bytes.length);
    return ok([bytes, start + bytes.length >= inode.size]);
  }),
  write: method(["list<u8>", "u64"], "u64", (context, self, [buffer, offset]) => {
    const bytes = asBytes(buffer);
    writeAt(context, fileOf(self, FLAG.write), offsetOf(offset), bytes);
    return ok(BigInt(bytes.length));
  }),
  "read-directory": method([], own(ENTRY_STREAM), (context, self) => {
    const entries = new EntryStream(directoryOf(self));
    context.chargeBytes(64 * entries.length);
    return ok(new Resource(ENTRY_STREAM, entries));
  }),
  stat: method([], STAT, (_context, self) => statOf(openOf(self).inode)),
  "metadata-hash": method([], METADATA_HASH, (_context, self) => hashOf(openOf(self).inode)),
};

const PATH_METHODS: Readonly<Record<string, HostEntry>> = {
  "create-directory-at": method(["string"], "_", (context, self, [path]) => {
    context.program.files.createDirectory(placeOf(context, self, path));
    return OK;
  }),
  "stat-at": method([PATH_FLAGS, "string"], STAT, (context, self, [, path]) =>
    statOf(inodeAt(context, self, path)),
  ),
  "set-times-at": method(
    [PATH_FLAGS, "string", NEW_TIMESTAMP, NEW_TIMESTAMP],
    "_",
    (context, self, [, path, access, modify]) =>
      setTimes(context, inodeAt(context, self, path), access, modify),
  ),
  "link-at": method([PATH_FLAGS, "string", SELF, "string"], "_", (context, self, [, path, directory, to]) => {
    const inode = inodeAt(context, self, path);
    context.program.files.link(inode, placeOf(context, directory, to));
    return OK;
  }),
  "open-at": method(
    [PATH_FLAGS, "string", OPEN_FLAGS, DESCRIPTOR_FLAGS],
    own(DESCRIPTOR),
    (context, self, [, path, openFlags, flags]) =>
      open(context, placeOf(context, self, path), asNumber(openFlags), asNumber(flags)),
  ),
  "readlink-at": method(["string"], "string", (context, self, [path]) => {
    inodeAt(context, self, path);
    throw new WasiError("inval");
  }),
  "remove-directory-at": method(["string"], "_", (context, self, [path]) => {
    context.program.files.removeDirectory(placeOf(context, self, path));
    return OK;
  }),
  "rename-at": method(["string", SELF, "string"], "_", (context, self, [path, directory, to]) => {
    const from = placeOf(context, self, path);
    context.program.files.rename(from, placeOf(context, directory, to));
    return OK;
  }),
  "symlink-at": method(["string", "string"], "_", () => {
    throw new WasiError("notsup");
  }),
  "unlink-file-at": method(["string"], "_", (context, self, [path]) => {
    context.program.files.unlink(placeOf(context, self, path));
    return OK;
  }),
  "metadata-hash-at": method([PATH_FLAGS, "string"], METADATA_HASH, (context, self, [, path]) =>
    hashOf(inodeAt(context, self, path)),
  ),
};

function methodsOf(entries: Readonly<Record<string, HostEntry>>): Readonly<Record<string, HostEntry>> {
  return Object.fromEntries(
    Object.entries(entries).map(([name, entry]) => [`[method]descriptor.${name}`, entry]),
  );
}

export const FILESYSTEM_TYPES: HostInterface = hostInterfaceOf(
  { descriptor: DESCRIPTOR, "directory-entry-stream": ENTRY_STREAM },
  {
    ...methodsOf(DESCRIPTOR_METHODS),
    ...methodsOf(PATH_METHODS),
    "[method]descriptor.is-same-object": host(
      [SELF, SELF],
      "bool",
      (_context, [self, other]) => openOf(self).inode === openOf(other).inode,
    ),
    "[method]directory-entry-stream.read-directory-entry": host(
      [borrow(ENTRY_STREAM)],
      or(option(DIRECTORY_ENTRY)),
      (_context, [self]) => {
        const { representation } = asResource(self);
        return ok(representation instanceof EntryStream ? representation.next() : mismatch("entry stream"));
      },
    ),
    "filesystem-error-code": host([borrow(IO_ERROR)], option(ERROR_CODE), (_context, [failed]) => {
      const { representation } = asResource(failed);
      return representation instanceof StreamFailure ? some(errorCodeOf(representation.cause)) : NONE;
    }),
  },
);

function lookUp(program: Program, fd: number): DirectoryInode | undefined {
  try {
    const found = program.descriptors.get(fd);
    return found.kind === "directory" ? found.inode : undefined;
  } catch (failure) {
    if (failure instanceof WasiError) return undefined;
    throw failure;
  }
}

/** The root, when the task names any file; nothing otherwise. */
export const PREOPENS: HostInterface = hostInterfaceOf(
  {},
  {
    "get-directories": host([], list(tuple(own(DESCRIPTOR), "string")), ({ program }) => {
      const flags = FLAG.read | FLAG.mutateDirectory;
      // Preview 1 numbers what the program finds open from the start: three streams, and then the root.
      const directories: Value[] = [];
      const root = lookUp(program, 3);
      if (root !== undefined) directories.push([new Resource(DESCRIPTOR, new OpenInode(root, flags)), "/"]);
      return directories;
    }),
  },
);

import type { FileInode } from "../../wasi/inode.ts";
import type { HostResource } from "../types/resource-type.ts";
import type { ByteSink } from "../../wasi/byte-sinks.ts";
import { WasiError } from "../../wasi/errno.ts";
import {
  asBigint,
  asBytes,
  asResource,
  bare,
  error,
  mismatch,
  ok,
  OK,
  Resource,
  type Value,
} from "../values/value.ts";
import { type HostContext, HostObject } from "./host-function.ts";
import type { HostInterface } from "./host-interface.ts";
import { Pollable, POLLABLE } from "./poll.ts";
import {
  borrow,
  host,
  type HostEntry,
  hostInterfaceOf,
  hostResource,
  list,
  own,
  result,
} from "./signatures.ts";

export const IO_ERROR: HostResource = hostResource("wasi:io/error/error");
export const INPUT_STREAM: HostResource = hostResource("wasi:io/streams/input-stream");
export const OUTPUT_STREAM: HostResource = hostResource("wasi:io/streams/output-stream");

/** Bytes that one write may have, as check-write tells: any number that a list can hold. */
const PERMIT_BYTES = 1_048_576n;

/** Bytes that one read returns at most. */
const MAX_READ_BYTES = 1_048_576n;

/** Why a stream failed: a preview 1 error number. */
export class StreamFailure extends HostObject {
  readonly cause: WasiError;

  constructor(cause: WasiError) {
    super();
    this.cause = cause;
  }
}

/** Bytes that are read in order. Everything is in memory, so no read ever waits. */
export class InputStream extends HostObject {
  readonly #read: (offset: number, length: number) => Uint8Array;
  #offset: number;

  constructor(source: (offset: number, length: number) => Uint8Array, offset: number) {
    super();
    this.#read = source;
    this.#offset = offset;
  }

  static ofBytes(bytes: Uint8Array): InputStream {
    return new InputStream((offset, length) => bytes.subarray(offset, offset + length), 0);
  }

  static ofFile(inode: FileInode, offset: number): InputStream {
    return new InputStream((at, length) => inode.read(at, length), offset);
  }

  /** A view of the next bytes; empty at the end. */
  take(length: number): Uint8Array {
    const bytes = this.#read(this.#offset, length);
    this.#offset += bytes.length;
    return bytes;
  }
}

/** Takes bytes at once: nothing is ever buffered here. */
export class OutputStream extends HostObject {
  readonly write: (context: HostContext, bytes: Uint8Array) => void;

  constructor(write: (context: HostContext, bytes: Uint8Array) => void) {
    super();
    this.write = write;
  }

  static ofSink(sink: ByteSink): OutputStream {
    return new OutputStream((_context, bytes) => sink.write(bytes));
  }
}

/** @throws TypeError when a handle's type and object differ: a bug */
export function inputOf(value: Value | undefined): InputStream {
  const { representation } = asResource(value);
  return representation instanceof InputStream ? representation : mismatch("input-stream");
}

function outputOf(value: Value | undefined): OutputStream {
  const { representation } = asResource(value);
  return representation instanceof OutputStream ? representation : mismatch("output-stream");
}

const STREAM_ERROR = `variant { last-operation-failed: ${own(IO_ERROR)}, closed }`;
const CLOSED = error(bare(1));

/** Runs what may fail as the file system fails, and answers as streams do. */
function answering(run: () => Value): Value {
  try {
    return run();
  } catch (failure) {
    if (!(failure instanceof WasiError)) throw failure;
    return error({ tag: 0, payload: new Resource(IO_ERROR, new StreamFailure(failure)) });
  }
}

function lengthOf(value: Value | undefined): number {
  const length = asBigint(value);
  return Number(length > MAX_READ_BYTES ? MAX_READ_BYTES : length);
}

function read(context: HostContext, stream: InputStream, length: number): Value {
  if (length === 0) return ok(new Uint8Array(0));
  const bytes = stream.take(length);
  if (bytes.length === 0) return CLOSED;
  context.chargeBytes(bytes.length);
  return ok(bytes);
}

const reading = host(
  [borrow(INPUT_STREAM), "u64"],
  result("list<u8>", STREAM_ERROR),
  (context, [self, length]) => read(context, inputOf(self), lengthOf(length)),
);

const skipping = host(
  [borrow(INPUT_STREAM), "u64"],
  result("u64", STREAM_ERROR),
  (_context, [self, length]) => {
    const wanted = lengthOf(length);
    const skipped = inputOf(self).take(wanted).length;
    return skipped === 0 && wanted > 0 ? CLOSED : ok(BigInt(skipped));
  },
);

const writing = host(
  [borrow(OUTPUT_STREAM), list("u8")],
  result("_", STREAM_ERROR),
  (context, [self, contents]) =>
    answering(() => {
      const bytes = asBytes(contents);
      context.chargeBytes(bytes.length);
      outputOf(self).write(context, bytes);
      return OK;
    }),
);

const zeroing = host([borrow(OUTPUT_STREAM), "u64"], result("_", STREAM_ERROR), (context, [self, length]) =>
  answering(() => {
    const count = asBigint(length);
    if (count > PERMIT_BYTES) throw new WasiError("inval");
    context.chargeBytes(Number(count));
    outputOf(self).write(context, new Uint8Array(Number(count)));
    return OK;
  }),
);

const splicing = host(
  [borrow(OUTPUT_STREAM), borrow(INPUT_STREAM), "u64"],
  result("u64", STREAM_ERROR),
  (context, [self, source, length]) =>
    answering(() => {
      const wanted = lengthOf(length);
      const bytes = inputOf(source).take(wanted);
      if (bytes.length === 0 && wanted > 0) return CLOSED;
      context.chargeBytes(2 * bytes.length);
      outputOf(self).write(context, bytes);
      return ok(BigInt(bytes.length));
    }),
);

const flushing = host([borrow(OUTPUT_STREAM)], result("_", STREAM_ERROR), () => OK);

function subscribing(resource: typeof INPUT_STREAM): HostEntry {
  return host([borrow(resource)], own(POLLABLE), () => new Resource(POLLABLE, new Pollable(0n)));
}

export const STREAMS: HostInterface = hostInterfaceOf(
  { "input-stream": INPUT_STREAM, "output-stream": OUTPUT_STREAM },
  {
    "[method]input-stream.read": reading,
    "[method]input-stream.blocking-read": reading,
    "[method]input-stream.skip": skipping,
    "[method]input-stream.blocking-skip": skipping,
    "[method]input-stream.subscribe": subscribing(INPUT_STREAM),
    "[method]output-stream.check-write": host([borrow(OUTPUT_STREAM)], result("u64", STREAM_ERROR), () =>
      ok(PERMIT_BYTES),
    ),
    "[method]output-stream.write": writing,
    "[method]output-stream.blocking-write-and-flush": writing,
    "[method]output-stream.flush": flushing,
    "[method]output-stream.blocking-flush": flushing,
    "[method]output-stream.subscribe": subscribing(OUTPUT_STREAM),
    "[method]output-stream.write-zeroes": zeroing,
    "[method]output-stream.blocking-write-zeroes-and-flush": zeroing,
    "[method]output-stream.splice": splicing,
    "[method]output-stream.blocking-splice": splicing,
  },
);

export const ERRORS: HostInterface = hostInterfaceOf(
  { error: IO_ERROR },
  {
    "[method]error.to-debug-string": host([borrow(IO_ERROR)], "string", (_context, [self]) => {
      const { representation } = asResource(self);
      return representation instanceof StreamFailure ? representation.cause.message : mismatch("error");
    }),
  },
);

/** Bytes that are read piece by piece: a file on a disk, a File of a browser, an array. Files of many GB are read through it. */
export interface ByteSource {
  /** In bytes. */
  readonly size: number;
  /** Exactly `length` bytes from `offset` on. Called within `size` only, one call at a time. The caller may keep the array. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** A source over bytes in memory; what is read shares their memory. */
export function memorySource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
  };
}

/** @throws RangeError where the range is not inside the source, or the source gives another number of bytes */
export async function readExactly(source: ByteSource, offset: number, length: number): Promise<Uint8Array> {
  if (!(offset >= 0 && length >= 0 && offset + length <= source.size))
    throw new RangeError(`bytes ${offset} to ${offset + length} are beyond the file's ${source.size}`);
  const bytes = await source.read(offset, length);
  if (bytes.length !== length)
    throw new RangeError(`the file gave ${bytes.length} bytes at ${offset} in place of ${length}`);
  return bytes;
}

import { type ByteSource, readExactly } from "../byte-source.ts";
import { FIRST_HEADER_BYTES, MAX_DIMENSIONS, MAX_HEADER_BYTES } from "../limits.ts";
import { HeaderCut, HeaderReader } from "./header-reader.ts";
import { type GgufMetadata, readMetadata, readPairCount } from "./metadata.ts";
import { wholeNumber } from "./metadata-access.ts";
import { type TensorType, tensorType } from "./tensor-type.ts";

/** Where a tensor is. Rows lie one after another; GGUF names the length of a row first. */
export interface GgufTensor {
  readonly name: string;
  readonly type: TensorType;
  /** Values of a row, then rows, then what there are several of; 1 to 4 numbers. */
  readonly dimensions: readonly number[];
  /** From the beginning of the file, in bytes. */
  readonly offset: number;
  readonly bytes: number;
}

/** A GGUF whose header has been read and checked: every tensor lies inside the file, and none on another. */
export interface GgufFile {
  readonly source: ByteSource;
  readonly metadata: GgufMetadata;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

/** "GGUF", little-endian. */
const MAGIC = 0x4655_4747;
const VERSIONS: readonly number[] = [2, 3];
const DEFAULT_ALIGNMENT = 32;
const MAX_ALIGNMENT = 1 << 16;
/** Fewest bytes of a tensor's entry: an empty name, one dimension, type and offset. */
const ENTRY_BYTES = 32;

/**
 * Reads the header of a GGUF of version 2 or 3 (ggml's docs/gguf.md).
 * @throws RangeError that says what is wrong, and where
 */
export async function openGguf(source: ByteSource): Promise<GgufFile> {
  const most = Math.min(source.size, MAX_HEADER_BYTES);
  for (let length = Math.min(most, FIRST_HEADER_BYTES); ; length = Math.min(most, 4 * length)) {
    // The next length depends on what is found in this one.
    // oxlint-disable-next-line no-await-in-loop
    const bytes = await readExactly(source, 0, length);
    try {
      return { source, ...readHeader(new HeaderReader(bytes, source.size), source.size) };
    } catch (error) {
      if (!(error instanceof HeaderCut)) throw error;
      if (length === most)
        throw new RangeError(`the header is longer than ${MAX_HEADER_BYTES} bytes`, { cause: error });
    }
  }
}

function readHeader(reader: HeaderReader, fileBytes: number): Pick<GgufFile, "metadata" | "tensors"> {
  if (reader.u32() !== MAGIC) throw new RangeError("not a GGUF file: it does not begin with GGUF");
  const version = reader.u32();
  if (!VERSIONS.includes(version))
    throw new RangeError(
      version === 0x0300_0000 || version === 0x0200_0000
        ? "a GGUF for big-endian machines cannot be converted"
        : `GGUF version ${version} cannot be converted; these can: ${VERSIONS.join(", ")}`,
    );
  const count = reader.count(ENTRY_BYTES, "tensors");
  const metadata = readMetadata(reader, readPairCount(reader));
  const alignment = wholeNumber(metadata, "general.alignment") ?? DEFAULT_ALIGNMENT;
  if (alignment < 1 || alignment > MAX_ALIGNMENT || (alignment & (alignment - 1)) !== 0)
    throw new RangeError(
      `general.alignment is ${alignment}, which is no power of two up to ${MAX_ALIGNMENT}`,
    );
  const entries: GgufTensor[] = [];
  for (let i = 0; i < count; i += 1) entries.push(readEntry(reader, alignment));
  return { metadata, tensors: placeTensors(entries, align(reader.at, alignment), fileBytes) };
}

/** An entry whose offset is from the beginning of the data. */
function readEntry(reader: HeaderReader, alignment: number): GgufTensor {
  const name = reader.text("a tensor's name");
  const count = reader.u32();
  if (count < 1 || count > MAX_DIMENSIONS) throw new RangeError(`tensor ${name} has ${count} dimensions`);
  const dimensions: number[] = [];
  let values = 1;
  for (let i = 0; i < count; i += 1) {
    const size = Number(reader.u64());
    values *= size;
    if (size < 1 || !Number.isSafeInteger(values))
      throw new RangeError(`tensor ${name} has a dimension of ${size}`);
    dimensions.push(size);
  }
  const type = tensorType(reader.u32(), name);
  if ((dimensions[0] ?? 0) % type.blockValues !== 0)
    throw new RangeError(
      `tensor ${name} has rows of ${dimensions[0]} values, not whole blocks of ${type.name}`,
    );
  const offset = Number(reader.u64());
  if (!Number.isSafeInteger(offset) || offset % alignment !== 0)
    throw new RangeError(`tensor ${name} is at ${offset}, no multiple of the alignment ${alignment}`);
  return { name, type, dimensions, offset, bytes: (values / type.blockValues) * type.blockBytes };
}

function placeTensors(
  entries: readonly GgufTensor[],
  start: number,
  fileBytes: number,
): Map<string, GgufTensor> {
  const tensors = new Map<string, GgufTensor>();
  for (const entry of entries) {
    const tensor = { ...entry, offset: start + entry.offset };
    if (tensors.has(tensor.name)) throw new RangeError(`the file has tensor ${tensor.name} twice`);
    const missing = tensor.offset + tensor.bytes - fileBytes;
    if (!(missing <= 0))
      throw new RangeError(`the file ends ${missing} bytes before the end of tensor ${tensor.name}`);
    tensors.set(tensor.name, tensor);
  }
  let before: GgufTensor | undefined;
  for (const tensor of [...tensors.values()].toSorted((a, b) => a.offset - b.offset)) {
    if (before !== undefined && before.offset + before.bytes > tensor.offset)
      throw new RangeError(`tensors ${before.name} and ${tensor.name} lie on each other`);
    before = tensor;
  }
  return tensors;
}

function align(at: number, alignment: number): number {
  return Math.ceil(at / alignment) * alignment;
}

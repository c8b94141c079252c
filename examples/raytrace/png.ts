/** Writes PNG (ISO/IEC 15948): RGB8, no interlace. zlib comes from CompressionStream, in browsers and in Node alike. */

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] as const;
/** IHDR's last five bytes: 8 bits per channel, RGB, and the only methods there are. */
const RGB8 = [8, 2, 0, 0, 0] as const;

/** A picture of `width` × `height` pixels from `width * height * 3` bytes; throws a RangeError on a mismatch. */
export async function encodePng(rgb: Uint8Array, width: number, height: number): Promise<Uint8Array> {
  if (width < 1 || height < 1 || rgb.length !== width * height * 3) {
    throw new RangeError(
      `a picture of ${width}×${height} has ${width * height * 3} bytes, found ${rgb.length}`,
    );
  }
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set(RGB8, 8);
  const data = await deflate(filterRows(rgb, width, height));
  return concatenate([
    Uint8Array.from(SIGNATURE),
    chunk("IHDR", header),
    chunk("IDAT", data),
    chunk("IEND", new Uint8Array(0)),
  ]);
}

async function deflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Each row in the filter whose residues have the smallest sum, as the specification's section 12.8 suggests. */
function filterRows(rgb: Uint8Array, width: number, height: number): Uint8Array<ArrayBuffer> {
  const stride = width * 3;
  const filtered = new Uint8Array((stride + 1) * height);
  const candidate = new Uint8Array(stride);
  for (let row = 0; row < height; row++) {
    const start = row * (stride + 1);
    let smallest = Infinity;
    for (let filter = 0; filter < FILTERS.length; filter++) {
      const sum = filterRow(rgb, row * stride, stride, filter, candidate);
      if (sum >= smallest) continue;
      smallest = sum;
      filtered[start] = filter;
      filtered.set(candidate, start + 1);
    }
  }
  return filtered;
}

/** What each filter predicts from the bytes to the left, above, and above left. */
const FILTERS: readonly ((left: number, above: number, corner: number) => number)[] = [
  () => 0,
  (left) => left,
  (_left, above) => above,
  (left, above) => (left + above) >> 1,
  paeth,
];

function paeth(left: number, above: number, corner: number): number {
  const toLeft = Math.abs(above - corner);
  const toAbove = Math.abs(left - corner);
  const toCorner = Math.abs(left + above - 2 * corner);
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}

/** Fills `out` with one row's residues and returns the sum of their magnitudes as signed bytes. */
function filterRow(rgb: Uint8Array, start: number, stride: number, filter: number, out: Uint8Array): number {
  const predict = FILTERS[filter] ?? (() => 0);
  let sum = 0;
  for (let i = 0; i < stride; i++) {
    const left = i < 3 ? 0 : (rgb[start + i - 3] ?? 0);
    const above = start === 0 ? 0 : (rgb[start + i - stride] ?? 0);
    const corner = start === 0 || i < 3 ? 0 : (rgb[start + i - stride - 3] ?? 0);
    const residue = ((rgb[start + i] ?? 0) - predict(left, above, corner)) & 0xff;
    out[i] = residue;
    sum += residue < 128 ? residue : 256 - residue;
  }
  return sum;
}

/** Length, name, data, and CRC-32 of name and data. */
function chunk(name: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(data.length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(new TextEncoder().encode(name), 4);
  bytes.set(data, 8);
  view.setUint32(data.length + 8, crc32(bytes.subarray(4, data.length + 8)));
  return bytes;
}

const CRC_TABLE: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
  return value;
});

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ byte) & 0xff] ?? 0);
  return ~crc >>> 0;
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let next = 0;
  for (const part of parts) {
    bytes.set(part, next);
    next += part.length;
  }
  return bytes;
}

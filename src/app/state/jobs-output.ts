/** What an output seems to be. It was made by a stranger: it is shown as text or as a picture, never as a page. */
export type OutputLook =
  | { readonly kind: "picture"; readonly type: PictureType }
  | {
      readonly kind: "pixels";
      readonly width: number;
      readonly height: number;
      readonly rgba: Uint8ClampedArray<ArrayBuffer>;
    }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "bytes"; readonly hex: string }
  | { readonly kind: "empty" };

type PictureType = "image/png" | "image/jpeg" | "image/gif" | "image/webp" | "image/bmp";

/** Formats that hold pixels alone; SVG is a document and stays text. */
const SIGNATURES: readonly (readonly [PictureType, at: number, bytes: readonly number[]])[] = [
  ["image/png", 0, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ["image/jpeg", 0, [0xff, 0xd8, 0xff]],
  ["image/gif", 0, [0x47, 0x49, 0x46, 0x38]],
  ["image/webp", 8, [0x57, 0x45, 0x42, 0x50]],
  ["image/bmp", 0, [0x42, 0x4d]],
];

/** Of a text so much is shown, in bytes; the rest is in the file. */
const SHOWN_TEXT: number = 16 * 1024;
/** Of other bytes so many are shown. */
const SHOWN_BYTES = 256;
/** Pixels of a picture that is drawn here: 16 million take 64 MB. */
const MOST_PIXELS: number = 16 * 1024 * 1024;

export function lookOf(output: Uint8Array): OutputLook {
  if (output.length === 0) return { kind: "empty" };
  const picture = SIGNATURES.find(([, at, bytes]) => bytes.every((byte, i) => output[at + i] === byte));
  if (picture !== undefined) return { kind: "picture", type: picture[0] };
  return pixelsOf(output) ?? textOf(output) ?? { kind: "bytes", hex: hexOf(output.subarray(0, SHOWN_BYTES)) };
}

/** How much of an output is looked at to name its kind. */
const LOOKED_BYTES = 1_024;

const SUFFIXES: ReadonlyMap<string, string> = new Map([
  ["image/png", ".png"],
  ["image/jpeg", ".jpg"],
  ["image/gif", ".gif"],
  ["image/webp", ".webp"],
  ["image/bmp", ".bmp"],
]);

/** What a file of this output ends in: never in something that a system runs. */
export function suffixOf(output: Uint8Array): string {
  const look = lookOf(output.subarray(0, LOOKED_BYTES));
  if (look.kind === "picture") return SUFFIXES.get(look.type) ?? ".out";
  return look.kind === "text" ? ".txt" : ".out";
}

/** Whether a look is one that a grid of pictures can show. */
export function isPictureLook({ kind }: OutputLook): boolean {
  return kind === "picture" || kind === "pixels";
}

function textOf(output: Uint8Array): OutputLook | undefined {
  const shown = output.subarray(0, SHOWN_TEXT);
  // A character may be cut at the end.
  const text = new TextDecoder().decode(shown, { stream: true });
  // oxlint-disable-next-line no-control-regex -- what has control characters is no text
  return /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffd]/u.test(text)
    ? undefined
    : { kind: "text", text: printable(text) };
}

/** Characters that could turn the words around them are shown as what they are: the text is a stranger's. */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cf}\p{Zl}\p{Zp}]/gu,
    (letter) => `\\u{${(letter.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

function hexOf(bytes: Uint8Array): string {
  const pairs = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"));
  const rows: string[] = [];
  for (let at = 0; at < pairs.length; at += 16) rows.push(pairs.slice(at, at + 16).join(" "));
  return rows.join("\n");
}

/** Binary PPM and PGM (netpbm's P6 and P5) with 8 bits a sample: what small renderers write. */
function pixelsOf(output: Uint8Array): OutputLook | undefined {
  const isColor = output[1] === 0x36;
  if (output[0] !== 0x50 || !(isColor || output[1] === 0x35)) return undefined;
  const header = readHeader(output);
  if (header === undefined) return undefined;
  const { width, height, start } = header;
  const samples = isColor ? 3 : 1;
  if (width * height > MOST_PIXELS || output.length - start < width * height * samples) return undefined;
  return { kind: "pixels", width, height, rgba: spread(output.subarray(start), width * height, samples) };
}

/** RGB or grey samples as RGBA. */
export function spread(data: Uint8Array, pixels: number, samples: 1 | 3): Uint8ClampedArray<ArrayBuffer> {
  const rgba = new Uint8ClampedArray(pixels * 4);
  for (let pixel = 0; pixel < pixels; pixel += 1) {
    const from = pixel * samples;
    const to = pixel * 4;
    rgba[to] = data[from] ?? 0;
    rgba[to + 1] = data[samples === 3 ? from + 1 : from] ?? 0;
    rgba[to + 2] = data[samples === 3 ? from + 2 : from] ?? 0;
    rgba[to + 3] = 255;
  }
  return rgba;
}

interface PixmapHeader {
  readonly width: number;
  readonly height: number;
  /** Where the samples begin. */
  readonly start: number;
}

/** Width, height and 255, apart by white space, in which lines that begin with # may stand. */
function readHeader(output: Uint8Array): PixmapHeader | undefined {
  const head = String.fromCodePoint(...output.subarray(0, SHOWN_BYTES));
  const found = /^P[56](?:\s|#[^\n]*\n)+(\d{1,5})(?:\s|#[^\n]*\n)+(\d{1,5})(?:\s|#[^\n]*\n)+255\s/u.exec(
    head,
  );
  if (found === null) return undefined;
  const [width, height] = [Number(found[1]), Number(found[2])];
  return width > 0 && height > 0 ? { width, height, start: found[0].length } : undefined;
}

import { MAX_LIST_BYTES } from "../limits.ts";
import { refuseValue, type Side } from "./side.ts";

/** In latin1+utf16, a length with this bit set counts units of UTF-16. */
const UTF16_TAG = 0x8000_0000;

const UTF8_DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const UTF16_DECODER = new TextDecoder("utf-16le", { fatal: true, ignoreBOM: true });
const ENCODER = new TextEncoder();

/** Reads a string at `pointer`; `length` counts code units. @throws FailureError `trap-memory-bounds`, `bad-output` */
export function liftString(side: Side, pointer: number, length: number): string {
  const { encoding } = side.ports;
  if (encoding === "utf8") return decode(UTF8_DECODER, bytesAt(side, pointer, length, 1), "UTF-8");
  if (encoding === "utf16") return decode(UTF16_DECODER, bytesAt(side, pointer, length * 2, 2), "UTF-16");
  if (length < UTF16_TAG) return decodeLatin1(bytesAt(side, pointer, length, 2));
  const units = length - UTF16_TAG;
  return decode(UTF16_DECODER, bytesAt(side, pointer, units * 2, 2), "UTF-16");
}

function bytesAt(side: Side, pointer: number, bytes: number, alignment: number): Uint8Array {
  if (bytes > MAX_LIST_BYTES) refuseValue(`a string of ${bytes} bytes`);
  side.checkRange(pointer, bytes, alignment);
  side.move(bytes, 1, true);
  return side.memory.slice(pointer, bytes);
}

function decode(decoder: TextDecoder, bytes: Uint8Array, name: string): string {
  try {
    return decoder.decode(bytes);
  } catch {
    return refuseValue(`a string that is not ${name}`);
  }
}

/** Code points 0 to 255, one byte each; what TextDecoder calls latin1 is another encoding. */
function decodeLatin1(bytes: Uint8Array): string {
  const most = 4_096;
  let text = "";
  for (let at = 0; at < bytes.length; at += most)
    text += String.fromCharCode(...bytes.subarray(at, at + most));
  return text;
}

/** Writes a string to room that the component gives. @returns its pointer and its length in code units, tagged */
export function lowerString(side: Side, text: string): readonly [pointer: number, length: number] {
  const { encoding } = side.ports;
  if (encoding === "utf8") {
    // A character outside ASCII takes at most three bytes for each unit of UTF-16.
    side.move(text.length, 1, true);
    const bytes = ENCODER.encode(text);
    return [place(side, bytes, 1), bytes.length];
  }
  if (encoding === "utf16") return [place(side, utf16(side, text), 2), text.length];
  if (isLatin1(text)) {
    side.move(text.length, 1, true);
    return [
      place(
        side,
        Uint8Array.from(text, (letter) => letter.charCodeAt(0)),
        2,
      ),
      text.length,
    ];
  }
  return [place(side, utf16(side, text), 2), text.length + UTF16_TAG];
}

function place(side: Side, bytes: Uint8Array, alignment: number): number {
  if (bytes.length > MAX_LIST_BYTES) refuseValue(`a string of ${bytes.length} bytes`);
  const pointer = side.allocate(alignment, bytes.length);
  side.memory.slice(pointer, bytes.length).set(bytes);
  return pointer;
}

function utf16(side: Side, text: string): Uint8Array {
  side.move(text.length * 2, 1, true);
  const bytes = new Uint8Array(text.length * 2);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < text.length; i += 1) view.setUint16(i * 2, text.charCodeAt(i), true);
  return bytes;
}

function isLatin1(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) > 0xff) return false;
  return true;
}

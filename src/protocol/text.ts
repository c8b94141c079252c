import { WireError } from "./wire-error.ts";

/**
 * UTF-8 without a dependency on a runtime's TextEncoder type, strict in both directions: lone surrogates, overlong
 * forms and stray bytes are refused, so that text has one encoding.
 */
export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length * 3);
  let length = 0;
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    if (point < 0x80) {
      bytes[length++] = point;
    } else if (point < 0x800) {
      bytes[length++] = 0xc0 | (point >> 6);
      bytes[length++] = 0x80 | (point & 0x3f);
    } else if (point < 0x10000) {
      if (point >= 0xd800 && point <= 0xdfff) throw new WireError("text holds a lone surrogate");
      bytes[length++] = 0xe0 | (point >> 12);
      bytes[length++] = 0x80 | ((point >> 6) & 0x3f);
      bytes[length++] = 0x80 | (point & 0x3f);
    } else {
      bytes[length++] = 0xf0 | (point >> 18);
      bytes[length++] = 0x80 | ((point >> 12) & 0x3f);
      bytes[length++] = 0x80 | ((point >> 6) & 0x3f);
      bytes[length++] = 0x80 | (point & 0x3f);
    }
  }
  return bytes.slice(0, length);
}

/** The longest beginning of `text` that takes at most `maxBytes` in UTF-8; lone surrogates are replaced by U+FFFD. */
export function clipText(text: string, maxBytes: number): string {
  const whole = text.toWellFormed();
  const utf8 = encodeUtf8(whole);
  if (utf8.length <= maxBytes) return whole;
  let end = maxBytes;
  while (end > 0 && ((utf8[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return decodeUtf8(utf8.subarray(0, end));
}

function continuation(byte: number | undefined): number {
  if (byte === undefined || (byte & 0xc0) !== 0x80) throw new WireError("text is not UTF-8");
  return byte & 0x3f;
}

function wide(bytes: Uint8Array, at: number, first: number): readonly [point: number, size: number] {
  if ((first & 0xe0) === 0xc0) {
    const point = ((first & 0x1f) << 6) | continuation(bytes[at + 1]);
    if (point >= 0x80) return [point, 2];
  } else if ((first & 0xf0) === 0xe0) {
    const point = ((first & 0x0f) << 12) | (continuation(bytes[at + 1]) << 6) | continuation(bytes[at + 2]);
    if (point >= 0x800 && (point < 0xd800 || point > 0xdfff)) return [point, 3];
  } else if ((first & 0xf8) === 0xf0) {
    const point =
      ((first & 0x07) << 18) |
      (continuation(bytes[at + 1]) << 12) |
      (continuation(bytes[at + 2]) << 6) |
      continuation(bytes[at + 3]);
    if (point >= 0x10000 && point <= 0x10ffff) return [point, 4];
  }
  throw new WireError("text is not UTF-8");
}

/** @throws WireError when the bytes are not well-formed UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const first = bytes[at] ?? 0;
    if (first < 0x80) {
      text += String.fromCharCode(first);
      at += 1;
    } else {
      const [point, size] = wide(bytes, at, first);
      text += String.fromCodePoint(point);
      at += size;
    }
  }
  return text;
}

import { sha256 } from "@noble/hashes/sha2.js";

/**
 * What JavaScriptCore's shell lacks of what every browser's worker has, as far as the sandbox uses it. To be imported
 * before anything else.
 */

function encodeUtf8(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text.toWellFormed()) {
    const point = character.codePointAt(0) ?? 0;
    if (point < 0x80) bytes.push(point);
    else {
      const more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
      bytes.push(((0xf00 >> more) & 0xff) | (point >> (6 * more)));
      for (let left = more - 1; left >= 0; left -= 1) bytes.push(0x80 | ((point >> (6 * left)) & 0x3f));
    }
  }
  return Uint8Array.from(bytes);
}

/** @throws TypeError where the bytes are not UTF-8 and `fatal` is set */
function decodeUtf8(bytes: Uint8Array, fatal: boolean): string {
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const first = bytes[at] ?? 0;
    const more =
      first < 0x80 ? 0 : first < 0xc2 ? -1 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : first < 0xf5 ? 3 : -1;
    let point = more === 0 ? first : first & (0x3f >> more);
    let taken = 1;
    for (; taken <= more && ((bytes[at + taken] ?? 0) & 0xc0) === 0x80; taken += 1)
      point = (point << 6) | ((bytes[at + taken] ?? 0) & 0x3f);
    const least = [0, 0x80, 0x800, 0x10000][more] ?? 0;
    const right = more >= 0 && taken === more + 1 && point >= least && point <= 0x10ffff;
    if (!right || (point >= 0xd800 && point < 0xe000)) {
      if (fatal) throw new TypeError("not UTF-8");
      point = 0xfffd;
      taken = 1;
    }
    text += String.fromCodePoint(point);
    at += taken;
  }
  return text;
}

function decodeUtf16(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at + 1 < bytes.length; at += 2)
    text += String.fromCharCode((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8));
  return text;
}

class Encoder {
  encode(text = ""): Uint8Array {
    return encodeUtf8(text);
  }
}

class Decoder {
  readonly #label: string;
  readonly #fatal: boolean;

  constructor(label = "utf-8", options: { readonly fatal?: boolean } = {}) {
    this.#label = label;
    this.#fatal = options.fatal === true;
  }

  decode(bytes: Uint8Array = new Uint8Array(0)): string {
    return this.#label === "utf-16le" ? decodeUtf16(bytes) : decodeUtf8(bytes, this.#fatal);
  }
}

const subtle = { digest: async (_: string, bytes: Uint8Array) => sha256(bytes).slice().buffer };

Object.assign(globalThis, { TextEncoder: Encoder, TextDecoder: Decoder, crypto: { subtle } });

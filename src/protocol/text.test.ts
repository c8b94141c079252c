import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FailureError } from "./failure.ts";
import { clipText, decodeUtf8, encodeUtf8 } from "./text.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function strictly(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

function ours(bytes: Uint8Array): string | undefined {
  try {
    return decodeUtf8(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(FailureError);
    return undefined;
  }
}

describe("UTF-8", () => {
  test("of well-formed text is TextEncoder's, and comes back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(encodeUtf8(text)).toEqual(encoder.encode(text));
        expect(decodeUtf8(encodeUtf8(text))).toBe(text);
      }),
    );
  });

  test("agrees with TextDecoder on which bytes are text, and which text", () => {
    const byte = fc.oneof(
      fc.nat(255),
      fc.constantFrom(0x7f, 0x80, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff),
    );
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 8 }), (values) => {
        const bytes = Uint8Array.from(values);
        expect(ours(bytes)).toBe(strictly(bytes));
      }),
      { numRuns: 5_000 },
    );
  });

  test("agrees on every sequence of one or two bytes, and on the edges of three and four", () => {
    for (let pair = 0; pair < 65_536; pair += 1) {
      const bytes = Uint8Array.of(pair >> 8, pair & 255);
      if (ours(bytes) !== strictly(bytes)) expect.fail(`${pair.toString(16)} differs`);
    }
    for (const hex of [
      "eda080",
      "ed9fbf",
      "ee8080",
      "e09fbf",
      "e0a080",
      "f08fbfbf",
      "f0908080",
      "f48fbfbf",
      "f4908080",
    ]) {
      const bytes = Uint8Array.from(Buffer.from(hex, "hex"));
      expect(ours(bytes), hex).toBe(strictly(bytes));
    }
  });

  test("refuses lone surrogates instead of replacing them", () => {
    for (const text of ["\ud800", "a\udc00", "\udc00\ud800", "\ud83d"]) {
      expect(() => encodeUtf8(text)).toThrow(FailureError);
    }
  });
});

describe("Clipping", () => {
  test("keeps the longest beginning that fits, in whole characters", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 30 }), fc.nat(40), (text, room) => {
        const clipped = clipText(text, room);
        expect(text.startsWith(clipped)).toBe(true);
        expect(encodeUtf8(clipped).length).toBeLessThanOrEqual(room);
        const [next] = text.slice(clipped.length);
        if (next !== undefined) {
          const character = String.fromCodePoint(text.codePointAt(clipped.length)!);
          expect(encodeUtf8(clipped + character).length).toBeGreaterThan(room);
        }
      }),
    );
  });

  test("makes any string a text", () => {
    expect(clipText("a\ud800b", 10)).toBe("a\ufffdb");
  });
});

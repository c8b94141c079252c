import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concatBytes, u32be } from "./bytes.ts";
import { FailureError } from "./failure.ts";
import { decode, encode } from "./schema.ts";
import { failureSchema, FRAME, headerLength, splitHeader, splitSeq } from "./work-frame.ts";

describe("Frames", () => {
  test("have kinds of their own that fit a byte", () => {
    const kinds = Object.values(FRAME);
    expect(new Set(kinds).size).toBe(kinds.length);
    for (const kind of kinds) expect(kind).toBeGreaterThan(0);
    expect(Math.max(...kinds)).toBeLessThan(256);
  });

  test("split into the header and data they were made of", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 700 }), fc.uint8Array(), (header, data) => {
        const payload = concatBytes(headerLength(header), header, data);
        expect(splitHeader(payload)).toEqual([header, data]);
      }),
    );
  });

  test("split into the number and data they were made of", () => {
    fc.assert(
      fc.property(fc.nat(0xffff_ffff), fc.uint8Array(), (seq, data) => {
        expect(splitSeq(concatBytes(u32be(seq), data))).toEqual([seq, data]);
      }),
    );
  });

  test("that end too early are refused", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 8 }), (payload) => {
        const [high = 0, low = 0] = payload;
        if (payload.length < 2 || 2 + high * 256 + low > payload.length)
          expect(() => splitHeader(payload)).toThrow(FailureError);
        else expect(splitHeader(payload)[0]).toHaveLength(high * 256 + low);
        if (payload.length < 4) expect(() => splitSeq(payload)).toThrow(FailureError);
        else expect(splitSeq(payload)[1]).toHaveLength(payload.length - 4);
      }),
    );
  });

  test("tell a failure whatever its detail is: too long, or not even text", () => {
    for (const detail of ["short", "é".repeat(2_000), "\ud800", ""]) {
      const told = decode(failureSchema, encode(failureSchema, { code: 20_003, detail }));
      expect(told.code).toBe(20_003);
      expect(detail.toWellFormed().startsWith(told.detail)).toBe(true);
    }
    expect(
      decode(failureSchema, encode(failureSchema, { code: 20_003, detail: "é".repeat(2_000) })).detail,
    ).toHaveLength(512);
  });
});

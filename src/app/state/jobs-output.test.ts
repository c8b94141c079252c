import { describe, expect, it } from "vitest";
import { lookOf, printable, spread } from "./jobs-output.ts";

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

describe("what an output seems to be", () => {
  it("pictures are known by their first bytes, never by a name", () => {
    expect(lookOf(Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1))).toEqual({
      kind: "picture",
      type: "image/png",
    });
    expect(lookOf(Uint8Array.of(0xff, 0xd8, 0xff, 0xe0))).toMatchObject({ type: "image/jpeg" });
    expect(lookOf(Uint8Array.from([...bytes("RIFF"), 0, 0, 0, 0, ...bytes("WEBPVP8 ")]))).toMatchObject({
      type: "image/webp",
    });
  });

  it("a page or a drawing made of text stays text, so that nothing in it can run", () => {
    for (const page of ["<!doctype html><script>alert(1)</script>", "<svg onload='alert(1)'/>"])
      expect(lookOf(bytes(page))).toEqual({ kind: "text", text: page });
  });

  it("a pixmap is drawn: colours and greys, with comments in its head", () => {
    const color = lookOf(Uint8Array.from([...bytes("P6\n# made here\n2 1\n255\n"), 1, 2, 3, 4, 5, 6]));
    expect(color).toMatchObject({ kind: "pixels", width: 2, height: 1 });
    expect(color.kind === "pixels" && [...color.rgba]).toEqual([1, 2, 3, 255, 4, 5, 6, 255]);
    const grey = lookOf(Uint8Array.from([...bytes("P5 1 2 255\n"), 9, 200]));
    expect(grey.kind === "pixels" && [...grey.rgba]).toEqual([9, 9, 9, 255, 200, 200, 200, 255]);
  });

  it("a pixmap that is cut off, or larger than any screen, is not drawn", () => {
    expect(lookOf(Uint8Array.from([...bytes("P6 2 1 255\n"), 1, 2, 3])).kind).not.toBe("pixels");
    expect(lookOf(bytes("P6 99999 99999 255\n")).kind).not.toBe("pixels");
    expect(lookOf(bytes("P6 0 4 255\n")).kind).not.toBe("pixels");
  });

  it("other bytes are shown as what they are, and an empty output says so", () => {
    expect(lookOf(Uint8Array.of(0, 1, 255))).toEqual({ kind: "bytes", hex: "00 01 ff" });
    expect(lookOf(new Uint8Array(0))).toEqual({ kind: "empty" });
    expect(lookOf(new Uint8Array(100_000))).toMatchObject({ kind: "bytes" });
  });

  it("of a long text the beginning is shown, whole characters alone", () => {
    const look = lookOf(bytes(`a${"ü".repeat(10_000)}`));
    expect(look.kind === "text" && look.text.length).toBe(8_192);
    expect(look.kind === "text" && look.text.endsWith("ü")).toBe(true);
  });

  it("characters that turn words around are shown as what they are", () => {
    expect(printable("safe\u202Eexe.txt")).toBe("safe\\u{202e}exe.txt");
    expect(lookOf(bytes("x\u2066y"))).toEqual({ kind: "text", text: "x\\u{2066}y" });
  });

  it("missing samples are black", () => {
    expect([...spread(Uint8Array.of(7), 2, 3)]).toEqual([7, 0, 0, 255, 0, 0, 0, 255]);
  });
});

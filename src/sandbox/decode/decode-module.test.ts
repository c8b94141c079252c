import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FailureError } from "../../protocol/failure.ts";
import { meterModule } from "../meter.ts";
import { bytesModule, wat } from "../wat.contract.ts";

const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

/** Why a module is refused; undefined when it is accepted. Anything thrown but a FailureError is a bug. */
function refusalOf(bytes: ArrayLike<number>): string | undefined {
  try {
    meterModule(Uint8Array.from(bytes));
    return undefined;
  } catch (error) {
    if (error instanceof FailureError) return error.message;
    throw error;
  }
}

function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(Math.floor(value / 0x80))];
}

const section = (id: number, ...content: number[]): number[] => [id, ...leb(content.length), ...content];

const TYPES = section(1, 1, 0x60, 0, 0);
const FUNCTIONS = section(3, 1, 0);
const body = (...code: number[]): number[] => section(10, 1, ...leb(code.length), ...code);

const EVERYTHING = `(module
  (type $t (func (param i32 i64 f32 f64) (result i64 i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1 3) (table 4 8 funcref) (global $g (mut i32) (i32.const 7))
  (func $f (export "f") (type $t) (local v128 i32 i32)
    (block $out (loop $again (br_if $out (local.get 0)) (br_table $again $out (local.get 0))))
    (local.set 4 (v128.const i32x4 1 2 3 4)) (memory.fill (i32.const 0) (i32.const 1) (i32.const 2))
    (if (result i64) (local.get 0) (then (i64.const -5)) (else (i64.const 5))) (call_indirect (type $v) (i32.const 0)) (global.get $g))
  (type $v (func))
  (func $start (call $exit (i32.const 0)))
  (start $start) (elem (i32.const 0) $start) (elem declare func $f) (data (i32.const 3) "abc") (data "passive"))`;

describe("decoding a module", () => {
  it("survives being cut off at every byte", async () => {
    const bytes = await wat(EVERYTHING);
    expect(refusalOf(bytes)).toBeUndefined();
    const refused = Array.from(bytes, (_, length) => refusalOf(bytes.subarray(0, length)));
    // Cut between sections it may be a smaller module, but not one that lost its bodies or header.
    expect(refused.filter((reason) => reason !== undefined).length).toBeGreaterThan(bytes.length * 0.95);
    expect(refused[7]).toMatch(/^invalid-module: .* at byte/);
  });

  it("survives every single changed byte", async () => {
    const bytes = await wat(EVERYTHING);
    for (let at = 0; at < bytes.length; at += 1)
      for (const flip of [0x01, 0x80, 0xff]) {
        const changed = bytes.slice();
        changed[at] = changed[at]! ^ flip;
        refusalOf(changed);
      }
  });

  it("survives noise after the header", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        refusalOf([...HEADER, ...noise]);
      }),
      { numRuns: 2_000 },
    );
  });

  it("survives noise in a body", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (noise) => {
        refusalOf([...HEADER, ...TYPES, ...FUNCTIONS, ...body(0, ...noise, 0x0b)]);
      }),
      { numRuns: 2_000 },
    );
  });

  const HUGE = [0xff, 0xff, 0xff, 0xff, 0x0f];
  it.each<[string, number[], RegExp]>([
    ["an empty file", [], /magic/],
    ["a text", [...new TextEncoder().encode("(module)")], /magic/],
    ["a component", [0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0], /component/],
    ["another version", [0, 0x61, 0x73, 0x6d, 2, 0, 0, 0], /version/],
    ["four billion types", [...HEADER, ...section(1, ...HUGE)], /4294967295 types/],
    ["four billion imports", [...HEADER, ...section(2, ...HUGE)], /imports/],
    ["four billion functions", [...HEADER, ...TYPES, ...section(3, ...HUGE)], /functions/],
    ["four billion exports", [...HEADER, ...section(7, ...HUGE)], /exports/],
    ["four billion elements", [...HEADER, ...section(9, 1, 1, 0, ...HUGE)], /elements/],
    ["four billion data segments", [...HEADER, ...section(11, ...HUGE)], /data segments/],
    ["a data segment of 4 GiB", [...HEADER, ...section(11, 1, 1, ...HUGE)], /cut off/],
    ["a section longer than the file", [...HEADER, 1, ...HUGE], /cut off/],
    ["sections out of order", [...HEADER, ...FUNCTIONS, ...TYPES], /out of order|does not exist/],
    ["a section twice", [...HEADER, ...TYPES, ...TYPES], /repeated/],
    ["an unknown section", [...HEADER, ...section(14)], /unknown section/],
    ["a section with bytes too many", [...HEADER, ...section(1, 0, 0)], /too many/],
    ["a number that does not end", [...HEADER, ...section(1, 0x80, 0x80, 0x80, 0x80, 0x80, 0)], /five bytes/],
    ["four billion locals", [...HEADER, ...TYPES, ...FUNCTIONS, ...body(1, ...HUGE, 0x7f, 0x0b)], /locals/],
    ["a type of 2,000 parameters", [...HEADER, ...section(1, 1, 0x60, ...leb(2000))], /2000 parameters/],
    ["a function without a body", [...HEADER, ...TYPES, ...FUNCTIONS], /bodies/],
    ["a body without its end", [...HEADER, ...TYPES, ...FUNCTIONS, ...body(0, 1, 1)], /cut off/],
    ["bytes after a body's end", [...HEADER, ...TYPES, ...FUNCTIONS, ...body(0, 0x0b, 1)], /too many/],
    [
      "a local that does not exist",
      [...HEADER, ...TYPES, ...FUNCTIONS, ...body(0, 0x20, 0, 0x1a, 0x0b)],
      /local 0/,
    ],
    [
      "a function that the rewriter would add",
      [...HEADER, ...TYPES, ...FUNCTIONS, ...body(0, 0x10, 1, 0x0b)],
      /function 1/,
    ],
    [
      "a global that the rewriter would add",
      [...HEADER, ...TYPES, ...FUNCTIONS, ...body(0, 0x23, 0, 0x1a, 0x0b)],
      /global 0/,
    ],
    [
      "a label that the rewriter would add",
      [...HEADER, ...TYPES, ...FUNCTIONS, ...body(0, 0x0c, 1, 0x0b)],
      /label 1/,
    ],
    [
      "an operand that is missing",
      [...HEADER, ...TYPES, ...FUNCTIONS, ...body(0, 0x1a, 0x0b)],
      /lacks operands/,
    ],
    ["a giant table", [...HEADER, ...section(4, 1, 0x70, 0, ...HUGE)], /entries/],
    ["a giant memory", [...HEADER, ...section(5, 1, 0, ...leb(65_536))], /65536 pages/],
    ["a name that is not UTF-8", [...HEADER, ...section(7, 1, 1, 0xff, 0, 0)], /UTF-8/],
    [
      "blocks nested too deep",
      [
        ...HEADER,
        ...TYPES,
        ...FUNCTIONS,
        ...body(0, ...Array.from({ length: 20_001 }, () => [0x02, 0x40]).flat()),
      ],
      /nested deeper/,
    ],
  ])("refuses %s", (_what, bytes, reason) => {
    expect(refusalOf(bytes)).toMatch(reason);
  });

  it.each([
    ["atomics", "(memory 1 1 shared)", /shared between threads/],
    ["atomic instructions", `(memory 1) (func i32.const 0 i32.atomic.load drop)`, /atomics/],
    [
      "relaxed SIMD",
      "(func (param v128) local.get 0 local.get 0 i8x16.relaxed_swizzle drop)",
      /relaxed SIMD/,
    ],
    ["64-bit memory", "(memory i64 1)", /64-bit/],
    ["exceptions", "(tag) (func throw 0)", /exception/],
    ["extended constants", "(global i32 (i32.add (i32.const 1) (i32.const 2)))", /constant expression/],
  ])("refuses %s, and says why", async (_what, text, reason) => {
    expect(refusalOf(await wat(`(module ${text})`))).toMatch(reason);
  });

  it("refuses a module that exports what is the rewriter's", async () => {
    const text = `(module (global (export "tabmesh:fuel") (mut i64) (i64.const 0)))`;
    expect(refusalOf(await wat(text))).toMatch(/reserved prefix/);
  });

  it("accepts odd export names and keeps them apart", async () => {
    const odd = ["__proto__", "constructor", "", "tabmesh", "toString"];
    const text = odd
      .map((name) => `(func (export "${name}") (result i32) i32.const ${name.length})`)
      .join(" ");
    const { module, instance } = await WebAssembly.instantiate(
      meterModule(await wat(`(module ${text})`)).bytes,
    );
    expect(WebAssembly.Module.exports(module).map(({ name }) => name)).toEqual(expect.arrayContaining(odd));
    expect(Object.getPrototypeOf(instance.exports)).toBe(null);
  });

  it("rewrites 100,000 functions", async () => {
    const count = 100_000;
    const many = (id: number, item: readonly number[]): number[] => {
      const items = Array.from({ length: count }, () => item).flat();
      return [id, ...leb(leb(count).length + items.length), ...leb(count)].concat(items);
    };
    const module = [...HEADER, ...TYPES].concat(many(3, [0]), many(10, [3, 0, 1, 0x0b]));
    const { bytes } = meterModule(Uint8Array.from(module));
    expect(WebAssembly.validate(bytes)).toBe(true);
  });

  it("keeps the name section, so that traps have readable stacks", async () => {
    const { bytes } = meterModule(
      await wat(bytesModule("call $deep i64.const 0", "(func $deep unreachable)")),
    );
    const { instance } = await WebAssembly.instantiate(bytes);
    const run = instance.exports["tabmesh_run"];
    expect(() => typeof run === "function" && run(0, 0)).toThrow(
      expect.objectContaining({ stack: expect.stringContaining("deep") }),
    );
  });
});

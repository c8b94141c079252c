import { describe, expect, test } from "vitest";
import { createSandbox } from "../sandbox.ts";
import type { TaskRequest } from "../task.ts";
import { bytesOf, requestFor, text } from "../wat.contract.ts";
import { answer, component, type Encoding, REALLOC } from "./build-component.contract.ts";

const BODY = `(memory (export "memory") 4) ${REALLOC}`;

/** One function `f`, of this type, with this core. */
function single(type: string, core: string, encoding: Encoding = "utf8"): Promise<Uint8Array> {
  return component(`package t:t; world w { export f: func${type}; }`, `(module ${BODY} ${core})`, encoding);
}

const PAIR =
  "(i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1)) (i32.const 16)";
const ECHO = `(func (export "f") (param i32 i32) (result i32) ${PAIR})`;

const echoString = (encoding: Encoding): Promise<Uint8Array> =>
  single("(s: string) -> string", ECHO, encoding);

/** Returns the string or list at this place. */
function returning(
  type: string,
  pointer: number,
  length: number,
  encoding: Encoding = "utf8",
): Promise<Uint8Array> {
  const core = `(func (export "f") (result i32)
    (i32.store (i32.const 16) (i32.const ${pointer})) (i32.store (i32.const 20) (i32.const ${length})) (i32.const 16))`;
  return single(`() -> ${type}`, core, encoding);
}

interface Ended {
  readonly fuel: bigint;
  readonly output?: string;
  readonly code?: number;
  readonly detail?: string;
}

/** Loads and runs it as a thread does. */
async function run(
  bytes: Uint8Array,
  changes: Partial<TaskRequest> & { readonly entry?: string } = {},
): Promise<Ended> {
  const sandbox = createSandbox();
  const loaded = await sandbox.load("c", bytes);
  if (loaded.kind === "failed") return { code: loaded.code, detail: loaded.detail, fuel: 0n };
  const { entry = "", ...more } = changes;
  const request = {
    ...requestFor("wasi-p1", more),
    function: { cid: "c", abi: "component-1", entry } as const,
  };
  const result = await sandbox.run(request);
  if (result.kind === "failed") return { code: result.code, detail: result.detail, fuel: result.fuel };
  return { output: text(result.output), fuel: result.fuel };
}

describe("arguments and results as JSON", () => {
  test("are taken in order or by name, and options may be left out", async () => {
    const add = await single(
      "(a: s32, b: s32) -> s32",
      '(func (export "f") (param i32 i32) (result i32) (i32.sub (local.get 0) (local.get 1)))',
    );
    expect(await answer(add, "f", "[5, 7]")).toBe("-2");
    expect(await answer(add, "f", '{"b": 7, "a": 5}')).toBe("-2");
    const maybe = await single(
      "(a: option<u8>) -> u32",
      '(func (export "f") (param i32 i32) (result i32) (local.get 0))',
    );
    expect(await answer(maybe, "f", "{}")).toBe("0");
    expect(await answer(maybe, "f", "[3]")).toBe("1");
  });

  test.each([
    ["[1]", "$ holds 1 arguments, the function takes 2"],
    ['{"a":1}', '$ lacks "b"'],
    ['{"a":1,"b":2,"c":3}', '$ has no "c"'],
    ["[1, 2.5]", "$[1] is not a s32"],
    ["[1, 2147483648]", "$[1] is not a s32"],
    ["[1, 2", "the input is not JSON in UTF-8"],
    ["7", "$ is neither an array of arguments nor an object of them by name"],
    ["[".repeat(200), "$ is nested deeper than 160"],
  ])("are refused where they do not fit: %s", async (json, detail) => {
    const add = await single(
      "(a: s32, b: s32) -> s32",
      '(func (export "f") (param i32 i32) (result i32) (local.get 0))',
    );
    expect(await run(add, { input: bytesOf(json) })).toMatchObject({ code: 40_006, detail });
  });

  test("name no inherited property", async () => {
    const one = await single("(a: s32) -> s32", '(func (export "f") (param i32) (result i32) (local.get 0))');
    expect(await run(one, { input: bytesOf('{"__proto__": 1}') })).toMatchObject({ code: 40_006 });
  });

  test("hold 64-bit integers as strings, floats that are no numbers by name, bytes as base64", async () => {
    const long = await single(
      "(a: u64) -> u64",
      '(func (export "f") (param i64) (result i64) (local.get 0))',
    );
    expect(await answer(long, "f", '["18446744073709551615"]')).toBe('"18446744073709551615"');
    expect(await answer(long, "f", "[9007199254740991]")).toBe('"9007199254740991"');
    await expect(answer(long, "f", "[9007199254740992]")).rejects.toThrow("is not a u64");
    const float = await single(
      "(a: f32) -> f32",
      '(func (export "f") (param f32) (result f32) (local.get 0))',
    );
    expect(await answer(float, "f", '["NaN"]')).toBe('"NaN"');
    expect(await answer(float, "f", "[-0]")).toBe("-0");
    expect(await answer(float, "f", "[0.1]")).toBe("0.10000000149011612");
    const bytes = await single("(a: list<u8>) -> list<u8>", ECHO);
    expect(await answer(bytes, "f", '["AAEC/w=="]')).toBe('"AAEC/w=="');
    expect(await answer(bytes, "f", "[[0,1,2,255]]")).toBe('"AAEC/w=="');
    await expect(answer(bytes, "f", '["AAEC/x=="]')).rejects.toThrow("is not base64");
  });

  test("give way to the bytes themselves where the entry says so", async () => {
    const bytes = await single("(a: list<u8>) -> list<u8>", ECHO);
    expect(await run(bytes, { entry: "raw+f", input: bytesOf("as they are") })).toMatchObject({
      output: "as they are",
    });
    expect(await run(await echoString("utf8"), { entry: "raw+f" })).toMatchObject({ code: 30_017 });
  });
});

describe("strings", () => {
  test.each<Encoding>(["utf8", "utf16", "compact-utf16"])(
    "of every kind come back in %s",
    async (encoding) => {
      const echo = await echoString(encoding);
      for (const each of ["", "plain", "ÿ latin", "€ and 😀", "\u0000\u{10ffff}", "a".repeat(70_000)])
        expect(JSON.parse(await answer(echo, "f", JSON.stringify([each])))).toBe(each);
    },
  );

  test("that are not what they claim are refused", async () => {
    const core = `(data (i32.const 64) "\\ff\\fe\\00\\d8") (func (export "f") (result i32)
      (i32.store (i32.const 16) (i32.const 64)) (i32.store (i32.const 20) (i32.const 2)) (i32.const 16))`;
    expect(await run(await single("() -> string", core))).toMatchObject({
      code: 30_012,
      detail: "a component passed a string that is not UTF-8",
    });
    expect(await run(await single("() -> string", core, "utf16"))).toMatchObject({ code: 30_012 });
  });

  test("with half a surrogate pair are no arguments", async () => {
    expect(await run(await echoString("utf8"), { input: bytesOf('["\\ud800"]') })).toMatchObject({
      code: 40_006,
    });
  });
});

describe("what a component hands out", () => {
  test.each([
    ["a string beyond its memory", "string", 0x4_0000 - 1, 2, 30_004],
    ["a string of four gigabytes", "string", 0, -1, 30_012],
    ["a list beyond its memory", "list<u32>", 0x4_0000 - 4, 2, 30_004],
    ["a list that is not aligned", "list<u32>", 2, 1, 30_004],
    ["a list whose size wraps around", "list<u64>", 0, 0x2000_0001, 30_012],
  ])("is refused: %s", async (_what, type, pointer, length, code) => {
    expect(await run(await returning(type, pointer, length))).toMatchObject({ code });
  });

  test("is refused: a result that is not aligned, a char that is none, a case that is not there", async () => {
    const odd = '(func (export "f") (result i32) (i32.const 18))';
    expect(await run(await single("() -> string", odd))).toMatchObject({ code: 30_004 });
    const surrogate = '(func (export "f") (result i32) (i32.const 0xd800))';
    expect(await run(await single("() -> char", surrogate))).toMatchObject({ code: 30_012 });
    const third = '(func (export "f") (result i32) (i32.const 2))';
    const two = await component(
      "package t:t; interface i { enum e { a, b } f: func() -> e; } world w { export i; }",
      `(module ${BODY} ${third.replace('"f"', '"t:t/i#f"')})`,
    );
    expect(await run(two)).toMatchObject({ code: 30_012 });
  });

  test("ends the task before the host holds much more than the component itself", async () => {
    // A hundred thousand strings that are all the same 128 KiB: 12 GiB if each were taken out.
    const core = `(func (export "f") (result i32) (local $i i32)
      (loop $more
        (i32.store (i32.add (i32.const 1048576) (i32.shl (local.get $i) (i32.const 3))) (i32.const 0))
        (i32.store offset=4 (i32.add (i32.const 1048576) (i32.shl (local.get $i) (i32.const 3))) (i32.const 131072))
        (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 100000))))
      (i32.store (i32.const 262144) (i32.const 1048576)) (i32.store (i32.const 262148) (i32.const 100000))
      (i32.const 262144))`;
    const bomb = await component(
      "package t:t; world w { export f: func() -> list<string>; }",
      `(module (memory (export "memory") 40) ${REALLOC} ${core})`,
    );
    expect(
      await run(bomb, { limits: { fuel: 10n ** 12n, memoryBytes: 2 ** 26, outputBytes: 1_000 } }),
    ).toMatchObject({
      code: 30_002,
    });
  });

  test("is charged by the byte, and ends with the fuel", async () => {
    const limits = { fuel: 100_000_000n, memoryBytes: 2 ** 24, outputBytes: 2 ** 22 };
    const small = await run(await returning("list<u8>", 0, 8), { limits });
    const large = await run(await returning("list<u8>", 0, 200_008), { limits });
    expect(large.output).toBeDefined();
    expect(large.fuel - small.fuel).toBeGreaterThan(25_000n);
    const tight = { ...limits, fuel: large.fuel - 10n };
    expect(await run(await returning("list<u8>", 0, 200_008), { limits: tight })).toMatchObject({
      code: 30_001,
      fuel: tight.fuel,
    });
  });

  test("is at most as long as the output may be", async () => {
    const limits = { fuel: 100_000_000n, memoryBytes: 2 ** 24, outputBytes: 20 };
    expect(await run(await returning("list<u8>", 0, 12), { limits })).toMatchObject({
      output: '"AAAAAAAAAAAAAAAA"',
    });
    expect(await run(await returning("list<u8>", 0, 17), { limits })).toMatchObject({ code: 30_013 });
  });
});

describe("a component that fails", () => {
  test("traps with its own code and its exact fuel, the same each time", async () => {
    const core = '(func (export "f") (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))';
    const divides = await single("(a: u32) -> u32", core);
    const first = await run(divides, { input: bytesOf("[0]") });
    expect(first).toMatchObject({ code: 30_006 });
    expect(await run(divides, { input: bytesOf("[0]") })).toEqual(first);
  });

  test("overflows the stack in its allocator as anywhere else", async () => {
    const core = `(module (memory (export "memory") 1)
      (func $deeper (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
        (i32.add (i32.const 1) (call $deeper (local.get 0) (local.get 1) (local.get 2) (local.get 3))))
      (func (export "f") (param i32 i32)))`;
    const deep = await component("package t:t; world w { export f: func(s: string); }", core);
    expect(await run(deep, { input: bytesOf('["x"]') })).toMatchObject({ code: 30_010 });
  });

  test("needs an entry that exists and takes no resources", async () => {
    const echo = await echoString("utf8");
    expect(await run(echo, { entry: "g" })).toMatchObject({
      code: 30_017,
      detail: "there is no exported function g; exported are: f",
    });
  });

  test("is not for another interface, nor a core module for this one", async () => {
    const sandbox = createSandbox();
    await sandbox.load("c", await echoString("utf8"));
    expect(
      await sandbox.run({ ...requestFor("wasi-p1"), function: { cid: "c", abi: "bytes-1", entry: "" } }),
    ).toMatchObject({
      code: 30_015,
    });
  });
});

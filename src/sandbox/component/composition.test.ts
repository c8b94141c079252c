import { parse } from "@bytecodealliance/jco";
import { describe, expect, test } from "vitest";
import { answer, component, REALLOC } from "./build-component.contract.ts";

/** A component from its text. */
const written = (text: string): Promise<Uint8Array> => parse(text);

/** A component whose function `f`, of this core signature and type, has these modules and instances before it. */
function withCore(definitions: string, type: string, core: string): Promise<Uint8Array> {
  return written(`(component ${definitions} (func (export "f") ${type} (canon lift (core func ${core}))))`);
}

/** A component with a resource; `use` is what `f` does with a fresh handle. */
const withResource = (use: string): Promise<Uint8Array> =>
  written(`(component
      (core module $d (global $dropped (export "dropped") (mut i32) (i32.const 0))
        (func (export "dtor") (param i32) (global.set $dropped (i32.add (global.get $dropped) (local.get 0)))))
      (core instance $d (instantiate $d))
      (type $r (resource (rep i32) (dtor (core func $d "dtor"))))
      (core func $new (canon resource.new $r)) (core func $rep (canon resource.rep $r)) (core func $drop (canon resource.drop $r))
      (core module $m
        (import "r" "new" (func $new (param i32) (result i32))) (import "r" "rep" (func $rep (param i32) (result i32)))
        (import "r" "drop" (func $drop (param i32))) (import "d" "dropped" (global $dropped (mut i32)))
        (func (export "f") (result i32) (local $h i32) (local.set $h (call $new (i32.const 42))) ${use}))
      (core instance $m (instantiate $m
        (with "r" (instance (export "new" (func $new)) (export "rep" (func $rep)) (export "drop" (func $drop))))
        (with "d" (instance $d))))
      (func (export "f") (result u32) (canon lift (core func $m "f"))))`);

const importing = (wit: string, imported: string): Promise<Uint8Array> =>
  component(
    `package t:t; ${wit} `,
    `(module ${imported} (memory (export "memory") 2) ${REALLOC} (func (export "f") (result i64) (call $i)))`,
  );

describe("core modules of one component", () => {
  /** Two modules that call each other through a table that they share: no function passes through the host. */
  const PINGPONG = `
    (core module $a
      (type $t (func (param i32) (result i32)))
      (table (export "t") 2 2 funcref)
      (elem (i32.const 0) $a)
      (func $a (export "a") (param i32) (result i32)
        (if (result i32) (local.get 0)
          (then (i32.add (i32.const 1) (call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1)) (i32.const 1))))
          (else (i32.const 0)))))
    (core module $b
      (type $t (func (param i32) (result i32)))
      (import "a" "t" (table 2 2 funcref))
      (elem (i32.const 1) $b)
      (func $b (param i32) (result i32)
        (if (result i32) (local.get 0)
          (then (i32.add (i32.const 1) (call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1)) (i32.const 0))))
          (else (i32.const 0)))))
    (core instance $ia (instantiate $a))
    (core instance $ib (instantiate $b (with "a" (instance $ia))))`;
  const TYPE = '(param "n" u32) (result u32)';

  test("count on one tank, whoever calls whom", async () => {
    const bytes = await withCore(PINGPONG, TYPE, '$ia "a"');
    expect(await answer(bytes, "f", "[500]")).toBe("500");
    const limits = { fuel: 2_000n, memoryBytes: 65_536, outputBytes: 100 };
    await expect(answer(bytes, "f", "[500]", { limits })).rejects.toThrow("30001");
  });

  test("share one stack", async () => {
    const bytes = await withCore(PINGPONG, TYPE, '$ia "a"');
    await expect(answer(bytes, "f", "[100000]")).rejects.toThrow("30010");
  });

  test("keep their own globals, with the values that they begin with", async () => {
    const definitions = `
      (core module $a (global (export "g") i32 (i32.const 7)) (global (export "m") (mut i32) (i32.const 100)))
      (core module $b
        (import "a" "g" (global $g i32)) (import "a" "m" (global $m (mut i32)))
        (global $own (mut i32) (global.get $g)) (global $long i64 (i64.const -3)) (global $f f64 (f64.const 0.5))
        (func (export "f") (result i32)
          (global.set $own (i32.add (global.get $own) (i32.const 1)))
          (global.set $m (i32.add (global.get $m) (global.get $own)))
          (i32.add (global.get $m) (i32.add (i32.wrap_i64 (global.get $long)) (i32.trunc_f64_u (f64.mul (f64.const 4) (global.get $f)))))))
      (core instance $ia (instantiate $a))
      (core instance $ib (instantiate $b (with "a" (instance $ia))))`;
    expect(await answer(await withCore(definitions, "(result u32)", '$ib "f"'), "f", "[]")).toBe("107");
  });

  test("run their start functions in order, metered", async () => {
    const definitions = `
      (core module $a (global $g (export "g") (mut i32) (i32.const 1)) (func $s (global.set $g (i32.const 5))) (start $s))
      (core module $b (import "a" "g" (global $g (mut i32)))
        (func $s (global.set $g (i32.mul (global.get $g) (i32.const 3)))) (start $s)
        (func (export "f") (result i32) (global.get $g)))
      (core instance $ia (instantiate $a))
      (core instance $ib (instantiate $b (with "a" (instance $ia))))`;
    expect(await answer(await withCore(definitions, "(result u32)", '$ib "f"'), "f", "[]")).toBe("15");
    const endless = definitions.replace("(func $s (global.set $g (i32.const 5)))", "(func $s (loop (br 0)))");
    await expect(answer(await withCore(endless, "(result u32)", '$ib "f"'), "f", "[]")).rejects.toThrow(
      "30001",
    );
  });

  test("share the memory limit in equal parts", async () => {
    const grower = `(memory 1) (func (export "f") (result i32) (drop (memory.grow (i32.const 3))) (memory.grow (i32.const 100)))`;
    const definitions = `
      (core module $a ${grower}) (core module $b ${grower})
      (core instance $ia (instantiate $a)) (core instance $ib (instantiate $b))`;
    const limits = { fuel: 10_000_000n, memoryBytes: 10 * 65_536, outputBytes: 100 };
    expect(await answer(await withCore(definitions, "(result s32)", '$ib "f"'), "f", "[]", { limits })).toBe(
      "-1",
    );
    const one = `(core module $a ${grower}) (core instance $ia (instantiate $a))`;
    expect(
      await answer(await withCore(one, "(result s32)", '$ia "f"'), "f", "[]", {
        limits: { ...limits, memoryBytes: 200 * 65_536 },
      }),
    ).toBe("4");
    const tight = { ...limits, memoryBytes: 65_536 };
    await expect(
      answer(await withCore(definitions, "(result s32)", '$ib "f"'), "f", "[]", { limits: tight }),
    ).rejects.toThrow("30002");
  });
});

describe("components of one component", () => {
  /** An inner component answers in UTF-16, the outer one asks in UTF-8; each has its own memory. */
  const NESTED = `(component
    (component $inner
      (core module $m (memory (export "memory") 4) ${REALLOC}
        (func (export "f") (param i32 i32) (result i32)
          (i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1)) (i32.const 16)))
      (core instance $i (instantiate $m))
      (func (export "echo") (param "s" string) (result string)
        (canon lift (core func $i "f") (memory (core memory $i "memory")) (realloc (core func $i "cabi_realloc")) string-encoding=utf16)))
    (instance $inner (instantiate $inner))
    (core module $libc (memory (export "memory") 4) ${REALLOC})
    (core instance $libc (instantiate $libc))
    (core func $echo (canon lower (func $inner "echo") (memory (core memory $libc "memory")) (realloc (core func $libc "cabi_realloc"))))
    (core module $main
      (import "libc" "memory" (memory 1)) (import "inner" "echo" (func $echo (param i32 i32 i32)))
      (func (export "f") (param i32 i32) (result i32)
        (call $echo (local.get 0) (local.get 1) (i32.const 32)) (i32.const 32)))
    (core instance $main (instantiate $main
      (with "libc" (instance $libc)) (with "inner" (instance (export "echo" (func $echo))))))
    (func (export "f") (param "s" string) (result string)
      (canon lift (core func $main "f") (memory (core memory $libc "memory")) (realloc (core func $libc "cabi_realloc")))))`;

  test("pass values from one memory and encoding to another", async () => {
    expect(await answer(await written(NESTED), "f", '["grüße 😀"]')).toBe('"grüße 😀"');
  });

  test("make resources, open them, and have their destructor called", async () => {
    expect(await answer(await withResource("(call $rep (local.get $h))"), "f", "[]")).toBe("42");
    expect(
      await answer(await withResource("(call $drop (local.get $h)) (global.get $dropped)"), "f", "[]"),
    ).toBe("42");
  });

  test.each([
    ["twice", "(call $drop (local.get $h)) (call $drop (local.get $h)) (i32.const 0)"],
    ["that they never had", "(call $rep (i32.add (local.get $h) (i32.const 1)))"],
    ["number zero", "(call $rep (i32.const 0))"],
  ])("are stopped when they use a handle %s", async (_what, use) => {
    await expect(answer(await withResource(use), "f", "[]")).rejects.toThrow("30012");
  });

  /** A destructor makes another resource and drops it, through a table that is filled once all functions are there. */
  const ENDLESS = `(component
    (core module $late (type $t (func (param i32))) (table (export "t") 1 1 funcref)
      (func (export "dtor") (param i32) (call_indirect (type $t) (local.get 0) (i32.const 0))))
    (core instance $late (instantiate $late))
    (type $r (resource (rep i32) (dtor (core func $late "dtor"))))
    (core func $new (canon resource.new $r)) (core func $drop (canon resource.drop $r))
    (core module $m
      (import "late" "t" (table 1 1 funcref))
      (import "r" "new" (func $new (param i32) (result i32))) (import "r" "drop" (func $drop (param i32)))
      (func $again (param i32) (call $drop (call $new (local.get 0))))
      (elem (i32.const 0) $again)
      (func (export "f") (call $again (i32.const 1))))
    (core instance $m (instantiate $m (with "late" (instance $late))
      (with "r" (instance (export "new" (func $new)) (export "drop" (func $drop))))))
    (func (export "f") (canon lift (core func $m "f"))))`;

  test("overflow the stack of the profile, not the machine's, by way of the host", async () => {
    await expect(answer(await written(ENDLESS), "f", "[]")).rejects.toThrow("30010 stack-overflow");
  });

  test("that instantiate each other without end in sight are refused", async () => {
    let inner = "(component)";
    for (let depth = 0; depth < 10; depth += 1)
      inner = `(component (component $c ${inner.slice(10)} ${"(instance (instantiate $c))".repeat(8)})`;
    await expect(answer(await written(inner), "f", "[]")).rejects.toThrow("steps");
  });
});

describe("imports", () => {
  const RANDOM = `world w { import wasi:random/random@0.2.3; export f: func() -> u64; }
    package wasi:random@0.2.3 { interface random { get-random-u64: func() -> u64; } }`;
  const IMPORT = '(import "wasi:random/random@0.2.3" "get-random-u64" (func $i (result i64)))';

  test("of WASI are served from the task's seed alone, in any release of 0.2", async () => {
    const bytes = await importing(RANDOM, IMPORT);
    const first = await answer(bytes, "f", "[]");
    expect(await answer(bytes, "f", "[]")).toBe(first);
    expect(await answer(bytes, "f", "[]", { seed: new Uint8Array(32).fill(1) })).not.toBe(first);
    const later = await importing(RANDOM.replaceAll("0.2.3", "0.2.99"), IMPORT.replaceAll("0.2.3", "0.2.99"));
    expect(await answer(later, "f", "[]")).toBe(first);
  });

  test.each([
    ["another version", RANDOM.replaceAll("0.2.3", "0.3.0"), IMPORT.replaceAll("0.2.3", "0.3.0")],
    [
      "another type",
      RANDOM.replaceAll("get-random-u64: func() -> u64", "get-random-u64: func() -> s64"),
      IMPORT,
    ],
    [
      "sockets",
      RANDOM.replaceAll("random/random", "sockets/tcp")
        .replaceAll("random@", "sockets@")
        .replace("interface random", "interface tcp"),
      IMPORT.replace("random/random", "sockets/tcp"),
    ],
    [
      "a function of one's own",
      "world w { import g: func() -> u64; export f: func() -> u64; }",
      '(import "$root" "g" (func $i (result i64)))',
    ],
  ])("are refused before anything runs: %s", async (_what, wit, imported) => {
    await expect(answer(await importing(wit, imported), "f", "[]")).rejects.toThrow("import-refused");
  });
});

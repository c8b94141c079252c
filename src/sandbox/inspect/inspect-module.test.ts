import { describe, expect, it } from "vitest";
import { component } from "../component/build-component.contract.ts";
import { bytesModule, wasiModule, wat } from "../wat.contract.ts";
import { inspectModule } from "./inspect-module.ts";

const WRITE = `(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))`;

async function inspect(source: string, entry = "") {
  return inspectModule(await wat(source), entry);
}

async function reasonsOf(source: string): Promise<readonly string[]> {
  return (await inspect(source)).reasons.map(({ name, detail }) => `${name}: ${detail}`);
}

describe("inspecting a function", () => {
  it("one of bytes is accepted, and fits its interface alone", async () => {
    const { verdict, reasons, interfaces, outline, meteredBytes } = await inspect(
      bytesModule("i64.const 0", "(table 3 7 funcref)"),
    );
    expect([verdict, reasons]).toEqual(["accepted", []]);
    expect(interfaces.filter(({ fits }) => fits).map(({ abi }) => abi)).toEqual(["bytes-1"]);
    expect(outline).toMatchObject({
      memories: [{ imported: false, minimum: 1, maximum: 4 }],
      tables: [{ imported: false, minimum: 3, maximum: 7 }],
      functions: 2,
      importedFunctions: 0,
      hasNames: true,
      isComplete: true,
    });
    expect(outline.exports).toContainEqual({
      name: "tabmesh_run",
      kind: "function",
      type: "(i32, i32) -> i64",
    });
    expect(meteredBytes).toBeGreaterThan(0);
  });

  it("a WASI program is accepted, with its imports and who offers them", async () => {
    const { verdict, imports } = await inspect(wasiModule(WRITE, ""));
    expect(verdict).toBe("accepted");
    expect(imports).toEqual([
      {
        module: "wasi_snapshot_preview1",
        name: "fd_write",
        kind: "function",
        type: "(i32, i32, i32, i32) -> i32",
        abis: ["wasi-p1"],
      },
    ]);
  });

  it("every import that is refused is named, and those of a wrong type with the right one", async () => {
    const imports = `
      (import "env" "fetch" (func (param i32)))
      (import "env" "memory" (memory 1))
      (import "wasi_snapshot_preview1" "proc_exit" (func (param i64)))`;
    expect(await reasonsOf(`(module ${imports} (func (export "_start")))`)).toEqual([
      "import-refused: env.fetch",
      "import-refused: env.memory, a memory",
      "import-refused: wasi_snapshot_preview1.proc_exit has the type (i64) -> (), not (i32) -> ()",
    ]);
  });

  it("what the exports lack is told for each interface", async () => {
    expect(await reasonsOf(`(module (func (export "tabmesh_run") (param f32)))`)).toEqual([
      "export-missing: wasi-p1: there is no exported memory",
      "export-missing: wasi-p1: there is no exported function _start",
      "export-missing: bytes-1: there is no exported memory",
      "export-missing: bytes-1: tabmesh_run has the type (f32) -> (), not (i32, i32) -> i64",
      "export-missing: bytes-1: there is no exported function tabmesh_alloc",
    ]);
  });

  it("a job that calls another export asks for that one", async () => {
    const source = `(module (memory (export "memory") 1) (func (export "main")))`;
    expect((await inspect(source)).verdict).toBe("refused");
    expect((await inspect(source, "main")).verdict).toBe("accepted");
  });

  it("imports of two interfaces at once fit none", async () => {
    const both = `${WRITE} (import "env" "abort" (func (param i32 i32 i32 i32)))`;
    expect(await reasonsOf(`(module ${both} (memory (export "memory") 1))`)).toEqual([
      "import-refused: no one interface offers all that it imports",
    ]);
  });

  it("all extensions that the profile refuses are told, not the first alone", async () => {
    const { reasons, outline, verdict } = await inspect(`(module
      (memory (export "memory") 1 1 shared)
      (func (export "_start")
        i32.const 0 i32.const 1 i32.atomic.rmw.add drop
        v128.const i64x2 0 0 i8x16.relaxed_swizzle (v128.const i64x2 0 0) drop))`);
    expect(verdict).toBe("refused");
    expect(outline.features).toEqual(["relaxed-simd", "simd128", "threads"]);
    expect(reasons.map(({ detail }) => detail)).toEqual([
      expect.stringMatching(/shared between threads/),
      expect.stringMatching(/^relaxed-simd: relaxed SIMD is refused/),
    ]);
  });

  it.each([
    ["bulk-memory", "i32.const 0 i32.const 0 i32.const 0 memory.fill"],
    ["multi-value", "(block (result i32 i32) i32.const 0 i32.const 0) drop drop"],
    ["reference-types", "ref.null extern drop"],
    ["saturating-truncation", "f32.const 0 i32.trunc_sat_f32_s drop"],
    ["sign-extension", "i32.const 0 i32.extend8_s drop"],
    ["simd128", "v128.const i64x2 0 0 drop"],
    ["tail-call", "return_call 0"],
    ["threads", "atomic.fence"],
  ])("%s is found in the code", async (feature, body) => {
    const { outline } = await inspect(wasiModule("", `${body} br 0 call_indirect`, "(table 1 funcref)"));
    expect([outline.features, outline.isComplete]).toEqual([[feature], true]);
  });

  it("code beyond what it knows is reported as far as it goes", async () => {
    const { outline, verdict } = await inspectModule(
      Uint8Array.of(
        0,
        0x61,
        0x73,
        0x6d,
        1,
        0,
        0,
        0,
        1,
        4,
        1,
        0x60,
        0,
        0,
        3,
        2,
        1,
        0,
        10,
        5,
        1,
        3,
        0,
        0xff,
        0x0b,
      ),
    );
    expect([verdict, outline.isComplete, outline.functions]).toEqual(["refused", false, 1]);
  });

  it("what the engine refuses is refused", async () => {
    expect(await reasonsOf(wasiModule("", "i32.const 0 f32.neg drop"))).toEqual([
      "invalid-module: the engine's type check failed",
    ]);
  });

  it.each([
    ["no bytes", [], "unknown", /magic/],
    ["text", [0x28, 0x6d], "unknown", /magic/],
    ["a module cut off", [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 9], "module", /cut off/],
  ])("%s is refused as what it is", async (_, bytes, kind, why) => {
    const inspection = await inspectModule(Uint8Array.from(bytes));
    expect([inspection.kind, inspection.verdict]).toEqual([kind, "refused"]);
    expect(inspection.reasons[0]?.detail).toMatch(why);
  });

  it("a component is told from a module, also one that cannot be read", async () => {
    const { kind, verdict } = await inspectModule(Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0, 99));
    expect([kind, verdict]).toEqual(["component", "refused"]);
  });

  it("a component is accepted with what it exports in the words of WIT", async () => {
    const bytes = await component(
      "package a:b; world w { export add: func(x: u32, y: u32) -> u32; }",
      `(module (memory 1) (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))`,
    );
    const { verdict, interfaces, outline } = await inspectModule(bytes);
    expect([verdict, interfaces]).toMatchObject(["accepted", [{ abi: "component-1", fits: true }]]);
    expect(outline).toMatchObject({
      coreModules: 1,
      functions: 1,
      exports: [{ name: "add", kind: "function", type: "func(u32, u32) -> u32" }],
      isComplete: true,
    });
    expect((await inspectModule(bytes, "subtract")).reasons).toMatchObject([
      { name: "export-missing", detail: expect.stringMatching(/no exported function subtract/) },
    ]);
  });

  it("a component's imports that nobody offers are named", async () => {
    const wit = `package a:b;
      interface fetch { get: func() -> u32; }
      interface store { put: func() -> u32; }
      world w { import fetch; import store; export run: func() -> u32; }`;
    const core = `(module
      (import "a:b/fetch" "get" (func (result i32))) (import "a:b/store" "put" (func (result i32)))
      (func (export "run") (result i32) call 0 call 1 i32.add))`;
    const { verdict, reasons, imports } = await inspectModule(await component(wit, core));
    expect(verdict).toBe("refused");
    expect(imports.map(({ name, kind, abis }) => [name, kind, abis])).toEqual([
      ["a:b/fetch", "instance", []],
      ["a:b/store", "instance", []],
    ]);
    const told = reasons.map(({ name, detail }) => `${name}: ${detail}`).join("\n");
    expect(told).toMatch(/import-refused: .*a:b\/fetch/);
    expect(told).toMatch(/import-refused: .*a:b\/store/);
  });
});

import wabt from "wabt";
import type { TaskArgs, TaskRequest } from "./task.ts";

/** One for all: to load it takes longer than to compile a small module. */
let loading: ReturnType<typeof wabt> | undefined;

/** Compiles WebAssembly text. Also to what the sandbox refuses, so that tests can show it. */
export async function wat(text: string): Promise<Uint8Array> {
  loading ??= wabt();
  const toolkit = await loading;
  const features = {
    simd: true,
    threads: true,
    tail_call: true,
    exceptions: true,
    memory64: true,
    bulk_memory: true,
    reference_types: true,
    multi_value: true,
    relaxed_simd: true,
    extended_const: true,
  };
  const parsed = toolkit.parseWat("test.wat", text, features);
  const { buffer } = parsed.toBinary({ write_debug_names: true });
  parsed.destroy();
  return new Uint8Array(buffer);
}

export const NO_ARGS: TaskArgs = { args: [], env: {}, files: [] };

export const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
export const bytesOf = (value: string): Uint8Array => new TextEncoder().encode(value);

/** A request with generous limits, to be narrowed by the test. */
export function requestFor(abi: "bytes-1" | "wasi-p1", changes: Partial<TaskRequest> = {}): TaskRequest {
  return {
    function: { cid: "f", abi, entry: "" },
    args: NO_ARGS,
    input: new Uint8Array(0),
    seed: new Uint8Array(32),
    limits: { fuel: 100_000_000n, memoryBytes: 64 * 1024 * 1024, outputBytes: 1024 * 1024 },
    ...changes,
  };
}

/** A bytes-1 module whose `tabmesh_run` has this body. `$in` and `$len` are its parameters; allocation costs 1 fuel. */
export function bytesModule(body: string, more = ""): string {
  return `(module
    (memory (export "memory") 1 4)
    (func (export "tabmesh_alloc") (param i32) (result i32) i32.const 1024)
    (func $run (export "tabmesh_run") (param $in i32) (param $len i32) (result i64) ${body})
    ${more})`;
}

/** A WASI command whose `_start` has this body; 64 KiB of memory. */
export function wasiModule(imports: string, body: string, more = ""): string {
  return `(module ${imports} (memory (export "memory") 1) (func (export "_start") ${body}) ${more})`;
}

import wabtInit from "wabt";

const wabt = await wabtInit();

/** Functions of the bytes-1 interface, written where they are used. */
export function wat(body: string, memory: string = '(memory (export "memory") 2 64)'): Uint8Array {
  const text = `(module ${memory}
    (func (export "tabmesh_alloc") (param i32) (result i32) (i32.const 1024))
    (func (export "tabmesh_run") (param $at i32) (param $length i32) (result i64) ${body}))`;
  return new Uint8Array(wabt.parseWat("function.wat", text).toBinary({}).buffer);
}

const RETURN_INPUT =
  "(i64.or (i64.shl (i64.extend_i32_u (local.get $at)) (i64.const 32)) (i64.extend_i32_u (local.get $length)))";

/** Returns its input. */
export const ECHO: Uint8Array = wat(RETURN_INPUT);

/** Works for a while, then returns its input. @param turns of a loop of about ten instructions. */
export function slowEcho(turns: number): Uint8Array {
  return wat(`(local $i i32)
    (loop (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if 0 (i32.lt_u (local.get $i) (i32.const ${turns}))))
    ${RETURN_INPUT}`);
}

/** Never returns. */
export const ENDLESS: Uint8Array = wat("(loop (br 0)) (unreachable)");

/** Asks for memory until there is none, then touches beyond it. */
export const GREEDY: Uint8Array = wat(
  `(loop (br_if 0 (i32.ne (memory.grow (i32.const 64)) (i32.const -1))))
   (i32.store (i32.const -8) (i32.const 1)) (i64.const 0)`,
  '(memory (export "memory") 2)',
);

/**
 * Burns little fuel for its time: each step writes and reads somewhere else in 256 MiB and waits for the one before.
 * Pages that are only read would all be one page of zeros, and quick. Never returns.
 */
export const SLUGGISH: Uint8Array = wat(
  `(local $x i32) (local $place i32)
  (loop
    (local.set $place (i32.and (local.get $x) (i32.const 0xffffffc)))
    (local.set $x (i32.add
      (i32.mul (local.get $x) (i32.const 1664525))
      (i32.add (i32.const 1013904223) (i32.load (local.get $place)))))
    (i32.store (local.get $place) (local.get $x))
    (br 0))
  (unreachable)`,
  '(memory (export "memory") 4096 4096)',
);

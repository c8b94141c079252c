import { expect, it } from "vitest";
import { createSandbox } from "./sandbox.ts";
import { bytesModule, bytesOf, requestFor, wat } from "./wat.contract.ts";

/**
 * Answers eight bytes: what it finds in its memory, its global, its table's size and entry, its memory's size, its passive
 * segments. Then it changes all of them.
 */
const NOSY = bytesModule(
  `(local $r i64)
  i32.const 9000 i32.load8_u i64.extend_i32_u local.set $r
  global.get $g i64.extend_i32_u i64.const 8 i64.shl local.get $r i64.or local.set $r
  table.size 0 i64.extend_i32_u i64.const 16 i64.shl local.get $r i64.or local.set $r
  i32.const 0 table.get 0 ref.is_null i64.extend_i32_u i64.const 24 i64.shl local.get $r i64.or local.set $r
  memory.size i64.extend_i32_u i64.const 32 i64.shl local.get $r i64.or local.set $r
  i32.const 9100 i32.const 0 i32.const 1 memory.init $d
  i32.const 9100 i32.load8_u i64.extend_i32_u i64.const 40 i64.shl local.get $r i64.or local.set $r
  i32.const 9000 local.get $in i32.load8_u i32.store8
  i32.const 77 global.set $g
  ref.func $run i32.const 3 table.grow 0 drop
  i32.const 0 ref.func $run table.set 0
  i32.const 1 memory.grow drop
  data.drop $d
  i32.const 0 local.get $r i64.store i64.const 8`,
  `(global $g (mut i32) (i32.const 5)) (table 2 20 funcref) (data $d "\\2a") (elem declare func $run)`,
);

const UNTOUCHED = Uint8Array.of(0, 5, 2, 1, 1, 42, 0, 0);

it("memory, globals, tables and segments that one task has changed are as new for the next, whoever asks", async () => {
  const sandbox = createSandbox();
  const request = requestFor("bytes-1", {});
  expect(await sandbox.load(request.function.cid, await wat(NOSY))).toMatchObject({ kind: "loaded" });
  for (const [requester, secret] of ["first", "first", "second", "third"].entries()) {
    const seed = new Uint8Array(32).fill(requester);
    // oxlint-disable-next-line no-await-in-loop -- one after the other in one thread
    const result = await sandbox.run({ ...request, seed, input: bytesOf(secret) });
    expect(result).toMatchObject({ kind: "done", output: UNTOUCHED });
  }
});

it("a task that traps leaves nothing for the next either", async () => {
  const sandbox = createSandbox();
  const request = requestFor("bytes-1", {});
  const trapping = NOSY.replace(
    "i32.const 0 local.get $r i64.store i64.const 8",
    "local.get $in i32.load8_u i32.const 33 i32.eq if unreachable end i32.const 0 local.get $r i64.store i64.const 8",
  );
  expect(await sandbox.load(request.function.cid, await wat(trapping))).toMatchObject({ kind: "loaded" });
  expect(await sandbox.run({ ...request, input: bytesOf("!") })).toMatchObject({ kind: "failed" });
  expect(await sandbox.run({ ...request, input: bytesOf("x") })).toMatchObject({ output: UNTOUCHED });
});

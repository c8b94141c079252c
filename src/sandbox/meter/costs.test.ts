import { expect, it } from "vitest";
import { OP, PLAIN, SHAPE, VECTOR } from "../decode/opcodes.ts";
import { BULK_BYTES_PER_FUEL, GROWN_PAGE_COST, PLAIN_COST, VECTOR_COST } from "./costs.ts";

/** Instructions that name a value or a place; compilers make nothing of them. */
const FREE: ReadonlySet<number> = new Set([
  0x01,
  OP.block,
  OP.loop,
  OP.else,
  OP.end,
  0x1a,
  OP.localGet,
  OP.localSet,
  OP.localTee,
  OP.i32Const,
  OP.i64Const,
  OP.f32Const,
  OP.f64Const,
  OP.refNull,
]);

it("everything costs something that is not only a name", () => {
  const free = Array.from(PLAIN_COST.keys()).filter(
    (opcode) => PLAIN.shape[opcode] !== SHAPE.refused && PLAIN_COST[opcode] === 0,
  );
  expect(new Set(free)).toEqual(FREE);
  const freeVectors = Array.from(VECTOR_COST.keys()).filter((code) => VECTOR_COST[code] === 0);
  expect(freeVectors).toEqual([12]);
});

it("no way round a loop and no recursion is free", () => {
  for (const opcode of [OP.br, OP.brIf, 0x0e, OP.call, 0x11, 0x12, 0x13])
    expect(PLAIN_COST[opcode], opcode.toString(16)).toBeGreaterThan(0);
});

it("what a processor takes long for costs more than an addition", () => {
  const [add, divide, divideLong, root] = [0x6a, 0x6d, 0x7f, 0x9f].map((opcode) => PLAIN_COST[opcode] ?? 0);
  expect(add).toBe(1);
  expect(divide).toBeGreaterThan(10);
  expect(divideLong).toBeGreaterThan(divide ?? 0);
  expect(root).toBeGreaterThan(10);
});

it("every vector instruction that is accepted has a cost by design", () => {
  const accepted = Array.from(VECTOR.shape.keys()).filter((code) => VECTOR.shape[code] !== SHAPE.refused);
  expect(accepted.filter((code) => code !== 12 && (VECTOR_COST[code] ?? 0) < 1)).toEqual([]);
});

it("a page that is grown costs as much as filling it", () => {
  expect(GROWN_PAGE_COST).toBe(65_536 / BULK_BYTES_PER_FUEL);
});

import type { Draw } from "../../../e2e/soak/chance.ts";
import {
  canTrap,
  chosen,
  constant,
  type Instruction,
  instruction,
  type Operation,
  OPERATIONS,
  signed,
  TYPE_BYTE,
  unsigned,
  type ValueType,
} from "./instructions.contract.ts";
import { BUDGET_GLOBAL, type Outline, TABLES } from "./outline.contract.ts";
import type { Signature } from "./program.contract.ts";

const RESULTS: readonly ValueType[] = ["i32", "i64", "f32", "f64", "v128"];
const BY_RESULT: ReadonlyMap<ValueType, readonly Operation[]> = new Map(
  RESULTS.map((type) => [type, OPERATIONS.filter((each) => each.result === type)]),
);

/** Makes instructions that leave one value. What goes on between blocks is ControlMaker's. */
export abstract class ValueMaker {
  readonly code: Instruction[] = [];
  protected readonly outline: Outline;
  protected readonly by: Draw;
  protected readonly own: Signature;
  /** Parameters and locals. */
  protected readonly locals: readonly ValueType[];
  /** Instructions that may still be made, roughly. */
  protected left: number;

  constructor(outline: Outline, by: Draw, own: Signature, locals: readonly ValueType[], size: number) {
    this.outline = outline;
    this.by = by;
    this.own = own;
    this.locals = locals;
    this.left = size;
  }

  protected put(code: number, ...immediates: readonly number[]): void {
    this.code.push(instruction(code, ...immediates));
    this.left -= 1;
  }

  protected i32(value: number): void {
    this.put(0x41, ...signed(BigInt(value)));
  }

  /** One in `odds`. */
  protected rarely(odds: number): boolean {
    return this.by(odds) === 0;
  }

  protected values(types: readonly ValueType[], depth: number): void {
    for (const type of types) this.value(type, depth);
  }

  /** Leaves one value of this type. */
  value(type: ValueType, depth: number): void {
    if (depth <= 0 || this.left <= 0 || this.rarely(4)) return this.leaf(type);
    if (this.rarely(7)) return this.compound(type, depth - 1);
    if (type === "funcref" || type === "externref") return this.reference(type, depth - 1);
    if (this.rarely(12)) return this.select(type, depth - 1);
    if (type === "i32" && this.rarely(12)) return this.question(depth - 1);
    const operations = (BY_RESULT.get(type) ?? []).filter(
      ({ code, operands }) =>
        this.outline.features.vectors || !(code >> 8 === 0xfd || operands.includes("v128")),
    );
    this.operation(chosen(operations, this.by), depth - 1);
  }

  /** A value that comes out of a block, a call or a branch not taken. */
  protected abstract compound(type: ValueType, depth: number): void;

  protected leaf(type: ValueType): void {
    const locals = [...this.locals.keys()].filter((index) => this.locals[index] === type);
    const globals = this.outline.globalsOf(type);
    if (locals.length > 0 && !this.rarely(3)) return this.put(0x20, ...unsigned(chosen(locals, this.by)));
    if (globals.length > 0 && this.rarely(2)) return this.put(0x23, ...unsigned(chosen(globals, this.by)));
    if (type === "funcref" && this.rarely(2))
      return this.put(0xd2, ...unsigned(this.by(this.outline.functions.length)));
    this.code.push(constant(type, this.by));
    this.left -= 1;
  }

  private reference(type: "funcref" | "externref", depth: number): void {
    if (type === "externref") return this.select(type, depth);
    const table = this.by(2);
    this.entry(table, depth);
    this.put(0x25, table);
  }

  /** An index into a table, nearly always of an entry that exists. */
  protected entry(table: number, depth: number): void {
    if (this.rarely(60)) return this.value("i32", depth);
    this.i32(this.by(TABLES[table === 0 ? 0 : 1].minimum));
  }

  private select(type: ValueType, depth: number): void {
    this.values([type, type, "i32"], depth);
    const typed = type === "funcref" || type === "externref" || this.rarely(2);
    if (typed) this.put(0x1c, 1, TYPE_BYTE[type]);
    else this.put(0x1b);
  }

  /** What the module can ask about itself. */
  private question(depth: number): void {
    switch (this.by(6)) {
      case 0:
        return this.put(0x3f, 0);
      case 1:
        this.i32(this.rarely(3) ? this.by(1 << 16) : this.by(2));
        return this.put(0x40, 0);
      case 2:
        return this.put(0xfc10, this.by(2));
      case 3:
        this.value("funcref", depth);
        this.i32(this.by(4));
        return this.put(0xfc0f, this.by(2));
      default:
        this.value(this.rarely(2) ? "funcref" : "externref", depth);
        return this.put(0xd1);
    }
  }

  operation(operation: Operation, depth: number): void {
    const { code, operands, immediate, width } = operation;
    const memory = immediate === "memory" || immediate === "memory-lane";
    const guarded = canTrap(code) && !this.rarely(30);
    if (guarded && operands.length === 1) this.smallNumber(operands[0] === "f32", depth);
    else
      operands.forEach((type, index) => {
        if (memory && index === 0) this.address(depth);
        else this.value(type, depth);
      });
    if (guarded && operands.length === 2) {
      this.code.push(operands[0] === "i32" ? instruction(0x41, 1) : instruction(0x42, 1));
      this.put(operands[0] === "i32" ? 0x72 : 0x84);
    }
    this.put(code, ...this.immediates(immediate, width));
  }

  private immediates(kind: Operation["immediate"], width: number): number[] {
    switch (kind) {
      case "none":
        return [];
      case "lane":
        return [this.by(width)];
      case "shuffle":
        return Array.from({ length: 16 }, () => this.by(width));
      case "memory":
        return this.access(width);
      case "memory-lane":
        return [...this.access(width), this.by(16 / width)];
      default:
        return kind satisfies never;
    }
  }

  private access(width: number): number[] {
    const alignment = this.by(Math.log2(width) + 1);
    const offset = this.rarely(150) ? 0xffff_fff0 + this.by(16) : this.by(this.rarely(3) ? 60_000 : 64);
    return [alignment, ...unsigned(offset)];
  }

  /** An address, nearly always of memory that is there from the start. */
  protected address(depth: number): void {
    this.value("i32", depth);
    if (this.rarely(120)) return;
    this.i32(0xffff);
    this.put(0x71);
  }

  /** A float that every integer type can hold. */
  private smallNumber(single: boolean, depth: number): void {
    this.value("i32", depth);
    this.i32(0xffff);
    this.put(0x71);
    this.put(single ? 0xb3 : 0xb8);
  }

  /** Leaves 0 when the budget is used up, otherwise the lowest bit of a value. */
  protected goOn(depth: number): void {
    this.put(0x23, BUDGET_GLOBAL);
    this.i32(0);
    this.put(0x4a);
    this.value("i32", depth);
    this.put(0x71);
  }

  /** Takes one from the budget. */
  protected spend(): void {
    this.put(0x23, BUDGET_GLOBAL);
    this.i32(1);
    this.put(0x6b);
    this.put(0x24, BUDGET_GLOBAL);
  }

  /** Takes the topmost value off the stack. */
  protected sink(type: ValueType): void {
    const locals = [...this.locals.keys()].filter((index) => this.locals[index] === type);
    const globals = this.outline.globalsOf(type);
    if (locals.length > 0 && this.rarely(2)) return this.put(0x21, ...unsigned(chosen(locals, this.by)));
    if (globals.length > 0 && this.rarely(2)) return this.put(0x24, ...unsigned(chosen(globals, this.by)));
    this.put(0x1a);
  }
}

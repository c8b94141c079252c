import type { ByteWriter } from "../decode/byte-writer.ts";
import type { FunctionType } from "../decode/module-shape.ts";
import { NAN, OP } from "../decode/opcodes.ts";
import { TYPE } from "../decode/value-types.ts";
import { type BodyPlan, EVENT } from "./body-plan.ts";
import { type NanLocals, writeCanonical } from "./canonical-nan.ts";
import type { Layout } from "./layout.ts";

const I64_SUB = 0x7d;
const I64_LT_S = 0x53;
const I32_LT_S = 0x48;
const I32_ADD = 0x6a;
const I32_SUB = 0x6b;
const UNREACHABLE_IF = [OP.if, TYPE.empty, OP.unreachable, OP.end];

/** Traps when no fuel is left. The fuel stays below 0, which tells this trap from the program's own. */
export function writeFuelCheck(writer: ByteWriter, fuelGlobal: number): void {
  writer.u8(OP.globalGet);
  writer.u32(fuelGlobal);
  writer.bytes([OP.i64Const, 0, I64_LT_S, ...UNREACHABLE_IF]);
}

/** Writes one function body as planned. */
export class BodyEmitter {
  readonly #writer: ByteWriter;
  readonly #source: Uint8Array;
  readonly #layout: Layout;
  readonly #check: Uint8Array;

  constructor(writer: ByteWriter, source: Uint8Array, layout: Layout, check: Uint8Array) {
    this.#writer = writer;
    this.#source = source;
    this.#layout = layout;
    this.#check = check;
  }

  /** @param end offset after the body's last `end` in the source */
  emit(plan: BodyPlan, type: FunctionType, end: number): void {
    const writer = this.#writer;
    const sized = writer.beginSized();
    const nanLocals = this.#locals(plan);
    this.#charge(plan, 0);
    if (plan.counted) this.#prologue(plan.frameWords, type.results);
    let copied = plan.localsEnd;
    for (let i = 1; i < plan.events; i += 1) {
      const offset = plan.offsets[i] ?? 0;
      writer.copy(this.#source, copied, offset);
      copied = offset + this.#event(plan, i, nanLocals);
    }
    writer.copy(this.#source, copied, end);
    if (plan.counted) this.#epilogue(plan.frameWords);
    writer.endSized(sized);
  }

  /** The declarations of locals, with one more per kind of NaN that is canonicalised. */
  #locals(plan: BodyPlan): NanLocals {
    const writer = this.#writer;
    const f32 = (plan.nanKinds & (1 << NAN.f32)) !== 0;
    const f64 = (plan.nanKinds & (1 << NAN.f64)) !== 0;
    const v128 = (plan.nanKinds & ((1 << NAN.f32x4) | (1 << NAN.f64x2))) !== 0;
    writer.u32(plan.localGroups + Number(f32) + Number(f64) + Number(v128));
    writer.copy(this.#source, plan.localsStart, plan.localsEnd);
    if (f32) writer.bytes([1, TYPE.f32]);
    if (f64) writer.bytes([1, TYPE.f64]);
    if (v128) writer.bytes([1, TYPE.v128]);
    const first = plan.variables;
    return { f32: first, f64: first + Number(f32), v128: first + Number(f32) + Number(f64) };
  }

  /** Does what an event asks for; returns how many bytes of the source it replaces. */
  #event(plan: BodyPlan, index: number, nanLocals: NanLocals): number {
    const writer = this.#writer;
    const operand = plan.operands[index] ?? 0;
    const kind = plan.kinds[index] ?? EVENT.charge;
    switch (kind) {
      case EVENT.charge:
        this.#charge(plan, operand);
        return 0;
      case EVENT.canonicalise:
        writeCanonical(writer, operand, nanLocals);
        return 0;
      case EVENT.call:
        this.#call(operand);
        return 0;
      case EVENT.replaceGrow:
        this.#call(operand);
        return 2;
      case EVENT.replaceReturn:
        if (!plan.counted) return 0;
        writer.u8(OP.br);
        writer.u32(operand);
        return 1;
      default:
        writer.u8(OP.i32Const);
        writer.positive(operand);
        this.#global(OP.globalSet, this.#layout.globals.hint);
        return 0;
    }
  }

  #charge(plan: BodyPlan, block: number): void {
    const cost = plan.costs[block] ?? 0;
    const writer = this.#writer;
    const { fuel } = this.#layout.globals;
    if (cost > 0) {
      this.#global(OP.globalGet, fuel);
      writer.u8(OP.i64Const);
      writer.positive(cost);
      writer.u8(I64_SUB);
      this.#global(OP.globalSet, fuel);
    }
    if (plan.checked[block] === 1) writer.copy(this.#check, 0, this.#check.length);
  }

  #global(opcode: number, index: number): void {
    this.#writer.u8(opcode);
    this.#writer.u32(index);
  }

  #call(helper: number): void {
    this.#writer.u8(OP.call);
    this.#writer.u32(this.#layout.helper(helper));
  }

  /** Takes the frame's words, traps below zero, and opens a block around the body, which every exit leaves by its end. */
  #prologue(words: number, results: Uint8Array): void {
    const writer = this.#writer;
    const { stack } = this.#layout.globals;
    this.#addWords(I32_SUB, words);
    this.#global(OP.globalGet, stack);
    writer.bytes([OP.i32Const, 0, I32_LT_S, ...UNREACHABLE_IF, OP.block]);
    if (results.length === 0) writer.u8(TYPE.empty);
    else if (results.length === 1) writer.bytes(results);
    else writer.signed(this.#layout.returning(results));
  }

  /** After the block: gives the words back. */
  #epilogue(words: number): void {
    this.#addWords(I32_ADD, words);
    this.#writer.u8(OP.end);
  }

  #addWords(opcode: number, words: number): void {
    const { stack } = this.#layout.globals;
    this.#global(OP.globalGet, stack);
    this.#writer.u8(OP.i32Const);
    this.#writer.positive(words);
    this.#writer.u8(opcode);
    this.#global(OP.globalSet, stack);
  }
}

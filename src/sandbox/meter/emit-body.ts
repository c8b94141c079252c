import type { ByteWriter } from "../decode/byte-writer.ts";
import type { FunctionType } from "../decode/module-shape.ts";
import { NAN, OP } from "../decode/opcodes.ts";
import { TYPE } from "../decode/value-types.ts";
import { BodyPlan, EVENT, FLUSH } from "./body-plan.ts";
import { CanonicalWriter } from "./canonical-nan.ts";
import {
  writeGlobalCheck,
  writeIndexed,
  writeIsOut,
  writeTake,
  writeWithConstant,
  WRITTEN,
} from "./code-writer.ts";
import type { FloatTrack } from "./float-track.ts";
import type { AddedGlobals, Layout } from "./layout.ts";

/**
 * Writes one function body as planned.
 *
 * Where fuel is in a local, the whole body stands in a block whose end is reached by running out only:
 *
 *     block $out
 *       entry: charge, checks            br_if $out
 *       block $function  body  end       only if a branch goes to the function's own label
 *       flush, return
 *     end
 *     flush, unreachable
 */
export class BodyEmitter {
  readonly #writer: ByteWriter;
  readonly #source: Uint8Array;
  readonly #layout: Layout;
  readonly #globals: AddedGlobals;
  readonly #floats: FloatTrack;
  readonly #canonical: CanonicalWriter;
  #plan: BodyPlan = new BodyPlan();
  /** Whether fuel is in the local `#fuel`; else it is in the global. */
  #local = false;
  #counted = false;
  #fuel = 0;
  #stack = 0;

  constructor(writer: ByteWriter, source: Uint8Array, layout: Layout, floats: FloatTrack) {
    this.#writer = writer;
    this.#source = source;
    this.#layout = layout;
    this.#globals = layout.globals;
    this.#floats = floats;
    this.#canonical = new CanonicalWriter(writer);
  }

  /** @param end offset after the body's last `end` in the source */
  emit(plan: BodyPlan, type: FunctionType, end: number): void {
    const writer = this.#writer;
    this.#plan = plan;
    this.#local = plan.loops && this.#layout.form === "fast";
    this.#counted = plan.counted && !this.#layout.standalone;
    const sized = writer.beginSized();
    this.#declareLocals();
    if (this.#local) writer.bytes([OP.block, TYPE.empty]);
    this.#entry();
    if (this.#local && plan.branchesOut) this.#openFunctionBlock(type.results);
    let copied = plan.localsEnd;
    for (let i = 1; i < plan.events; i += 1) {
      const offset = plan.offsets[i] ?? 0;
      if (offset > copied) writer.copy(this.#source, copied, offset);
      copied = offset + this.#event(plan.kinds[i] ?? EVENT.charge, plan.operands[i] ?? 0);
    }
    if (this.#local) this.#close(copied, end);
    else writer.copy(this.#source, copied, end);
    writer.endSized(sized);
  }

  /** The declarations of locals, with those added for fuel, stack, and each kind of NaN made canonical. */
  #declareLocals(): void {
    const writer = this.#writer;
    const { temporaries } = this.#floats;
    const f32 = (temporaries & (1 << NAN.f32)) !== 0;
    const f64 = (temporaries & (1 << NAN.f64)) !== 0;
    const v128 = (temporaries & ((1 << NAN.f32x4) | (1 << NAN.f64x2))) !== 0;
    const added = Number(this.#local) + Number(this.#counted) + Number(f32) + Number(f64) + Number(v128);
    writer.u32(this.#plan.localGroups + added);
    writer.copy(this.#source, this.#plan.localsStart, this.#plan.localsEnd);
    let next = this.#plan.variables;
    const declare = (wanted: boolean, type: number): number => {
      if (!wanted) return -1;
      writer.u8(1);
      writer.u8(type);
      next += 1;
      return next - 1;
    };
    this.#fuel = declare(this.#local, TYPE.i64);
    this.#stack = declare(this.#counted, TYPE.i32);
    this.#canonical.f32 = declare(f32, TYPE.f32);
    this.#canonical.f64 = declare(f64, TYPE.f64);
    this.#canonical.v128 = declare(v128, TYPE.v128);
  }

  /** Charges the first block, then looks for the end of fuel and of stack. */
  #entry(): void {
    const writer = this.#writer;
    const cost = this.#plan.costs[0] ?? 0;
    if (this.#local) {
      writeIndexed(writer, OP.globalGet, this.#globals.fuel);
      if (cost > 0) writeWithConstant(writer, OP.i64Const, cost, WRITTEN.i64Sub);
      writeIndexed(writer, this.#plan.checksEntry ? OP.localTee : OP.localSet, this.#fuel);
      if (this.#plan.checksEntry) this.#leaveIfOut(0);
    } else {
      this.#takeFromGlobal(cost);
      if (this.#plan.checksEntry) writeGlobalCheck(writer, this.#globals.fuel);
    }
    if (this.#counted) this.#enterFrame();
  }

  /** Takes the frame's words into a local; the global shows it only to what is called, and when there are too few. */
  #enterFrame(): void {
    const writer = this.#writer;
    writeIndexed(writer, OP.globalGet, this.#globals.stack);
    writeWithConstant(writer, OP.i32Const, this.#plan.frameWords, WRITTEN.i32Sub);
    writeIndexed(writer, OP.localTee, this.#stack);
    writeWithConstant(writer, OP.i32Const, 0, WRITTEN.i32LtS);
    if (this.#local) return writeIndexed(writer, OP.brIf, 0);
    writer.bytes([OP.if, TYPE.empty]);
    this.#passStack();
    writer.bytes([OP.unreachable, OP.end]);
  }

  /** A block that takes the place of the function's own label. */
  #openFunctionBlock(results: Uint8Array): void {
    const writer = this.#writer;
    writer.u8(OP.block);
    if (results.length === 0) writer.u8(TYPE.empty);
    else if (results.length === 1) writer.bytes(results);
    else writer.signed(this.#layout.returning(results));
  }

  /** The end of a body whose fuel is in a local; a flush has been planned where no branch goes there. */
  #close(copied: number, end: number): void {
    const writer = this.#writer;
    writer.copy(this.#source, copied, end - 1);
    if (this.#plan.branchesOut) {
      writer.u8(OP.end);
      this.#flush(FLUSH.store);
    }
    writer.bytes([OP.return, OP.end]);
    this.#flush(FLUSH.store);
    if (this.#counted) this.#passStack();
    writer.bytes([OP.unreachable, OP.end]);
  }

  /** Does what an event asks for; returns how many bytes of the source it replaces. */
  #event(kind: number, operand: number): number {
    switch (kind) {
      case EVENT.charge:
        this.#charge(operand);
        return 0;
      case EVENT.canonicalise: {
        const nan = this.#floats.kindToWrite(operand);
        if (nan !== NAN.none) this.#canonical.write(nan, this.#floats.readFrom(operand));
        return 0;
      }
      case EVENT.flush:
        if (this.#local) this.#flush(operand);
        return 0;
      case EVENT.call:
        if (this.#local) this.#flush(operand);
        if (this.#counted) this.#passStack();
        return 0;
      case EVENT.reload:
        if (this.#local) this.#reload();
        return 0;
      case EVENT.tailCall:
        this.#tailCall(operand);
        return 0;
      default:
        return this.#helperEvent(kind, operand);
    }
  }

  #helperEvent(kind: number, operand: number): number {
    const precise = this.#layout.form === "precise";
    if (kind === EVENT.hint) {
      if (!precise) return 0;
      this.#writer.u8(OP.i32Const);
      this.#writer.positive(operand);
      writeIndexed(this.#writer, OP.globalSet, this.#globals.hint);
      return 0;
    }
    if (kind === EVENT.checkTable && !precise) return 0;
    writeIndexed(this.#writer, OP.call, this.#layout.helper(operand));
    return kind === EVENT.replaceGrow ? 2 : 0;
  }

  #charge(block: number): void {
    const cost = this.#plan.costs[block] ?? 0;
    const header = this.#plan.headers[block] ?? 0;
    if (!this.#local) {
      this.#takeFromGlobal(cost);
      if (header > 0) writeGlobalCheck(this.#writer, this.#globals.fuel);
    } else if (header > 0) {
      this.#takeFromLocal(cost, OP.localTee);
      this.#leaveIfOut(this.#plan.branchesOut ? header : header - 1);
    } else if (cost > 0 && this.#plan.deferred[block] === 0) this.#takeFromLocal(cost, OP.localSet);
  }

  #takeFromLocal(cost: number, keep: number): void {
    writeIndexed(this.#writer, OP.localGet, this.#fuel);
    if (cost > 0) writeWithConstant(this.#writer, OP.i64Const, cost, WRITTEN.i64Sub);
    else if (keep === OP.localTee) return;
    writeIndexed(this.#writer, keep, this.#fuel);
  }

  #takeFromGlobal(cost: number): void {
    if (cost === 0) return;
    writeTake(this.#writer, this.#globals.fuel, () => {
      this.#writer.u8(OP.i64Const);
      this.#writer.positive(cost);
    });
  }

  /** On top of the stack is the fuel left. @param label of the block `$out` */
  #leaveIfOut(label: number): void {
    writeIsOut(this.#writer);
    writeIndexed(this.#writer, OP.brIf, label);
  }

  /** Brings the local's fuel into the global. @param how see FLUSH */
  #flush(how: number): void {
    if (how === FLUSH.nothing) return;
    const cost = how === FLUSH.store ? 0 : (this.#plan.costs[how] ?? 0);
    writeIndexed(this.#writer, OP.localGet, this.#fuel);
    if (cost > 0) writeWithConstant(this.#writer, OP.i64Const, cost, WRITTEN.i64Sub);
    writeIndexed(this.#writer, OP.globalSet, this.#globals.fuel);
  }

  #reload(): void {
    writeIndexed(this.#writer, OP.globalGet, this.#globals.fuel);
    writeIndexed(this.#writer, OP.localSet, this.#fuel);
  }

  /** What is called next has the words that this frame leaves. */
  #passStack(): void {
    writeIndexed(this.#writer, OP.localGet, this.#stack);
    writeIndexed(this.#writer, OP.globalSet, this.#globals.stack);
  }

  /** What is called takes the place of this frame, so it has its words as well. */
  #tailCall(flush: number): void {
    if (this.#local) this.#flush(flush);
    if (!this.#counted) return;
    writeIndexed(this.#writer, OP.localGet, this.#stack);
    writeWithConstant(this.#writer, OP.i32Const, this.#plan.frameWords, WRITTEN.i32Add);
    writeIndexed(this.#writer, OP.globalSet, this.#globals.stack);
  }
}

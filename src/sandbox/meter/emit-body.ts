import type { ByteWriter } from "../decode/byte-writer.ts";
import type { FunctionType } from "../decode/module-shape.ts";
import { NAN, OP } from "../decode/opcodes.ts";
import { TYPE } from "../decode/value-types.ts";
import { BodyPlan, EVENT, FLUSH } from "./body-plan.ts";
import { CanonicalWriter } from "./canonical-nan.ts";
import { writeGlobalCheck, writeIndexed, writeIsOut, writeWithConstant, WRITTEN } from "./code-writer.ts";
import type { FloatTrack } from "./float-track.ts";
import type { AddedGlobals, Layout } from "./layout.ts";

const I32_AND = 0x71;

/**
 * Writes one function body as planned. In the fast form fuel is in a local of functions with loops, and in its global in
 * others, where a local may hold a copy: a processor waits for what it has just stored.
 *
 * Where there is such a local, the whole body stands in a block whose end is reached by running out only:
 *
 *     block $out
 *       charge of the first block
 *       block $function  body  end       with the results of the function
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
  /** Whether `#fuel` may hold a copy of the global. */
  #copied = false;
  /**
   * Whether the first block's charge is stored by the branch that ends it and by the block after, or by both arms of the
   * `if` that ends it, each once: to store it at the start as well would make the next function wait.
   */
  #leavesEarly = false;
  /** Whether the body stands in the block `$out`. */
  #wrapped = false;
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
    const fast = this.#layout.form === "fast";
    this.#local = fast && plan.loops;
    this.#copied = fast && !plan.loops && plan.keepCopies();
    this.#counted = plan.counted && !this.#layout.standalone;
    const forks = plan.earlyExit > 0 || plan.otherArm > 0;
    this.#leavesEarly = this.#copied && forks && (plan.entry > 0 || !plan.checksEntry);
    this.#wrapped = this.#local || (this.#copied && plan.checksEntry);
    const sized = writer.beginSized();
    this.#declareLocals();
    if (this.#wrapped) writer.bytes([OP.block, TYPE.empty]);
    this.#start();
    if (this.#wrapped) this.#openFunctionBlock(type.results);
    let copied = plan.localsEnd;
    for (let i = 1; i < plan.events; i += 1) {
      const offset = plan.offsets[i] ?? 0;
      if (plan.kinds[i] === EVENT.enter && i !== plan.entry) continue;
      if (offset > copied) writer.copy(this.#source, copied, offset);
      copied = offset + this.#event(plan.kinds[i] ?? EVENT.charge, plan.operands[i] ?? 0);
    }
    if (this.#wrapped) this.#close(copied, end);
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
    const added =
      Number(this.#local || this.#copied) + Number(this.#counted) + Number(f32) + Number(f64) + Number(v128);
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
    this.#fuel = declare(this.#local || this.#copied, TYPE.i64);
    this.#stack = declare(this.#counted, TYPE.i32);
    this.#canonical.f32 = declare(f32, TYPE.f32);
    this.#canonical.f64 = declare(f64, TYPE.f64);
    this.#canonical.v128 = declare(v128, TYPE.v128);
  }

  /** Charges the first block. */
  #start(): void {
    const writer = this.#writer;
    const cost = this.#plan.costs[0] ?? 0;
    const entersHere = this.#plan.entry === 0;
    if (this.#local || this.#leavesEarly) {
      writeIndexed(writer, OP.globalGet, this.#globals.fuel);
      if (cost > 0) writeWithConstant(writer, OP.i64Const, cost, WRITTEN.i64Sub);
      writeIndexed(writer, OP.localSet, this.#fuel);
    } else this.#chargeGlobal(0);
    if (entersHere) this.#enter(0);
  }

  /** Looks for the end of fuel and of stack. @param out label of the block `$out` */
  #enter(out: number): void {
    if (this.#wrapped) return this.#enterWrapped(out);
    const writer = this.#writer;
    if (this.#plan.checksEntry) writeGlobalCheck(writer, this.#globals.fuel);
    if (!this.#counted) return;
    this.#takeFrame();
    writeWithConstant(writer, OP.i32Const, 0, WRITTEN.i32LtS);
    writer.bytes([OP.if, TYPE.empty]);
    if (this.#layout.form === "precise") this.#passStack();
    writer.bytes([OP.unreachable, OP.end]);
  }

  /**
   * One branch for both: whether the fuel or the words left are below 0. That no fuel is left is seen later then, as it is
   * by any function that only charges. The global does not show that the stack has ended: to store it at the end of
   * `$out` costs more than all the rest.
   */
  #enterWrapped(out: number): void {
    const writer = this.#writer;
    const { checksEntry, entryCopy } = this.#plan;
    if (checksEntry) {
      if (this.#local || entryCopy >= 0) writeIndexed(writer, OP.localGet, this.#fuel);
      else writeIndexed(writer, OP.globalGet, this.#globals.fuel);
    }
    if (this.#counted) {
      this.#takeFrame();
      writer.u8(WRITTEN.i64ExtendI32S);
      if (checksEntry) writer.u8(WRITTEN.i64Or);
    }
    if (!checksEntry && !this.#counted) return;
    writeWithConstant(writer, OP.i64Const, 0, WRITTEN.i64LtS);
    writeIndexed(writer, OP.brIf, out);
  }

  /** Takes the frame's words into a local, and leaves them on the operand stack. */
  #takeFrame(): void {
    const writer = this.#writer;
    writeIndexed(writer, OP.globalGet, this.#globals.stack);
    writeWithConstant(writer, OP.i32Const, this.#plan.frameWords, WRITTEN.i32Sub);
    writeIndexed(writer, OP.localTee, this.#stack);
  }

  /** A block that takes the place of the function's own label, and sees to it that the body leaves no operand too many. */
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
    writer.copy(this.#source, copied, end);
    if (this.#local && this.#plan.branchesOut) this.#flush(FLUSH.store);
    writer.bytes([OP.return, OP.end]);
    if (this.#local) this.#flush(FLUSH.store);
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
      case EVENT.earlyExit:
        return this.#earlyExit(operand);
      case EVENT.enter:
        this.#enter(operand);
        return 0;
      case EVENT.tailCall:
        this.#tailCall(operand);
        return 0;
      case EVENT.maskCount:
        writeWithConstant(this.#writer, OP.i32Const, 31, I32_AND);
        return 0;
      case EVENT.hideSign:
        this.#hideSign(operand === NAN.f32 ? this.#canonical.f32 : this.#canonical.f64);
        return 0;
      default:
        return this.#helperEvent(kind, operand);
    }
  }

  /** Puts the operand on top of the stack through a local. */
  #hideSign(local: number): void {
    writeIndexed(this.#writer, OP.localSet, local);
    writeIndexed(this.#writer, OP.localGet, local);
  }

  #earlyExit(label: number): number {
    if (!this.#leavesEarly) return 0;
    const writer = this.#writer;
    writer.bytes([OP.if, TYPE.empty]);
    this.#flush(FLUSH.store);
    writeIndexed(writer, OP.br, label + 1);
    writer.u8(OP.end);
    return this.#plan.earlyExit;
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
      this.#chargeGlobal(block);
      if (header > 0) writeGlobalCheck(this.#writer, this.#globals.fuel);
    } else if (header > 0) {
      this.#takeFromLocal(cost, OP.localTee);
      this.#leaveIfOut(header);
    } else if (cost > 0 && this.#plan.deferred[block] === 0) this.#takeFromLocal(cost, OP.localSet);
  }

  #takeFromLocal(cost: number, keep: number): void {
    writeIndexed(this.#writer, OP.localGet, this.#fuel);
    if (cost > 0) writeWithConstant(this.#writer, OP.i64Const, cost, WRITTEN.i64Sub);
    else if (keep === OP.localTee) return;
    writeIndexed(this.#writer, keep, this.#fuel);
  }

  /** Charges a block to the global, by way of the copy where there is one. */
  #chargeGlobal(block: number): void {
    const writer = this.#writer;
    const cost = this.#plan.costs[block] ?? 0;
    const kept = this.#copied && this.#plan.kept[block] === 1;
    const copy = this.#copied && (this.#plan.copies[block] ?? -1) >= 0;
    if (this.#leavesEarly && (block === 1 || block === this.#plan.otherArm)) {
      if (cost === 0) return this.#flush(FLUSH.store);
    } else if (cost === 0 && (copy || !kept)) return;
    writeIndexed(writer, copy ? OP.localGet : OP.globalGet, copy ? this.#fuel : this.#globals.fuel);
    if (cost === 0) return writeIndexed(writer, OP.localSet, this.#fuel);
    writeWithConstant(writer, OP.i64Const, cost, WRITTEN.i64Sub);
    if (kept) writeIndexed(writer, OP.localTee, this.#fuel);
    writeIndexed(writer, OP.globalSet, this.#globals.fuel);
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

import { failureCode } from "../../protocol/failure-code.ts";
import { ByteReader, refuseModule } from "../decode/byte-reader.ts";
import type { ModuleShape } from "../decode/module-shape.ts";
import { NAN, OP, PLAIN, PLAIN_NAN, refusalOf, SHAPE } from "../decode/opcodes.ts";
import { isValueType, readReferenceType, readValueType, TYPE } from "../decode/value-types.ts";
import { FRAME_WORDS, MAX_BRANCH_TARGETS, MAX_LOCALS, UNCOUNTED_LEAF_WORDS } from "../limits.ts";
import { BodyPlan, EVENT, HELPER } from "./body-plan.ts";
import { ControlStack } from "./control-stack.ts";
import {
  canonicalise,
  hintAround,
  readMemoryAccess,
  readMemoryIndex,
  type ScanContext,
  scanBulk,
  scanVector,
} from "./scan-prefixed.ts";

const TRAP_OVERFLOW = failureCode("trap-integer-overflow");

/**
 * Reads function bodies one after another, refuses what the profile does not accept, and plans how each is rewritten.
 * Checks every index against the module as it was, so that code cannot name what the rewriter adds.
 *
 * Metered blocks: instructions that are executed equally often form one block, charged at its first instruction. A
 * block begins at the body's start, inside `loop`, `if` and `else`, after a branch, and after an `end` whose frame a
 * branch may leave beyond that `end`. Every instruction costs 1 except `end` and `else`; a body's start costs 1 per local.
 */
export class BodyScanner {
  readonly #context: ScanContext;
  #calls = false;
  #vectors = false;
  /** Offset at which the operand on top of the stack is certainly a constant other than -1. */
  #harmlessDivisorAt = -1;

  constructor(shape: ModuleShape) {
    this.#context = {
      shape,
      plan: new BodyPlan(),
      control: new ControlStack(),
      reader: new ByteReader(shape.bytes),
    };
  }

  /** Plans the body of the `index`th function that is not imported. The plan is valid until the next call. */
  scan(index: number): BodyPlan {
    const context = this.#context;
    const { shape, plan, control } = context;
    const range = shape.bodies[index];
    const type = shape.types[shape.functionTypes[shape.importedFunctions + index] ?? 0];
    if (range === undefined || type === undefined) return refuseModule(`function ${index} does not exist`, 0);
    plan.reset();
    control.reset();
    this.#calls = false;
    this.#vectors = shape.namesVectors;
    this.#harmlessDivisorAt = -1;
    context.reader = new ByteReader(shape.bytes, range.start, range.end);
    const parameters = type.parameters.length;
    const variableWords = parameters + vectorsIn(type.parameters) + this.#readLocals(parameters);
    const first = plan.addBlock(context.reader.at, true);
    plan.charge(first, plan.variables - parameters);
    control.enter(OP.block, 0, type.results.length, first, context.reader.at);
    while (control.depth > 0) this.#instruction();
    context.reader.finish("body");
    const operands = control.maximumHeight + 2 * type.results.length;
    plan.frameWords = FRAME_WORDS + variableWords + operands * (this.#vectors ? 2 : 1);
    plan.counted = this.#calls || plan.frameWords > UNCOUNTED_LEAF_WORDS;
    return plan;
  }

  /** Reads the declarations of locals; returns the words they take. */
  #readLocals(parameters: number): number {
    const { reader, plan } = this.#context;
    plan.localGroups = reader.count("groups of locals", MAX_LOCALS);
    plan.localsStart = reader.at;
    let locals = 0;
    let words = 0;
    for (let i = 0; i < plan.localGroups; i += 1) {
      const at = reader.at;
      const count = reader.u32("number of locals");
      const type = readValueType(reader, "type of locals");
      locals += count;
      if (type === TYPE.v128) this.#vectors = true;
      words += count * (type === TYPE.v128 ? 2 : 1);
      if (parameters + locals > MAX_LOCALS) refuseModule(`more than ${MAX_LOCALS} locals`, at);
    }
    plan.localsEnd = reader.at;
    plan.variables = parameters + locals;
    return words;
  }

  #instruction(): void {
    const { reader } = this.#context;
    const at = reader.at;
    const opcode = reader.u8("body");
    const shape = PLAIN.shape[opcode] ?? SHAPE.refused;
    if (shape === SHAPE.end) return this.#end();
    if (shape === SHAPE.else) return this.#else(at);
    this.#context.plan.charge(this.#context.control.block, 1);
    this.#context.control.pop(PLAIN.pops[opcode] ?? 0, at);
    if (shape === SHAPE.none) this.#numeric(opcode, at);
    else this.#immediates(shape, opcode, at);
    this.#context.control.push(PLAIN.pushes[opcode] ?? 0);
  }

  #numeric(opcode: number, at: number): void {
    const nan = PLAIN_NAN[opcode] ?? NAN.none;
    if (nan !== NAN.none) canonicalise(this.#context, nan);
    else if ((opcode === OP.i32DivS || opcode === OP.i64DivS) && this.#harmlessDivisorAt !== at)
      hintAround(this.#context, at, TRAP_OVERFLOW);
  }

  #immediates(shape: number, opcode: number, at: number): void {
    const { reader } = this.#context;
    switch (shape) {
      case SHAPE.local:
        reader.index("local", this.#context.plan.variables);
        return;
      case SHAPE.i32:
        if (reader.skipSigned("i32 constant", 5)) this.#harmlessDivisorAt = reader.at;
        return;
      case SHAPE.memoryAccess:
        return readMemoryAccess(this.#context);
      case SHAPE.block:
        return this.#block(opcode, at);
      case SHAPE.branch:
        return this.#branch(opcode, at);
      case SHAPE.call:
        return this.#call(reader.index("function", this.#context.shape.functionTypes.length), at);
      case SHAPE.global:
        reader.index("global", this.#context.shape.globals);
        return;
      case SHAPE.i64:
        if (reader.skipSigned("i64 constant", 10)) this.#harmlessDivisorAt = reader.at;
        return;
      case SHAPE.f32:
        return reader.skip(4, "f32 constant");
      case SHAPE.f64:
        return reader.skip(8, "f64 constant");
      default:
        return this.#rareImmediates(shape, opcode, at);
    }
  }

  #rareImmediates(shape: number, opcode: number, at: number): void {
    const { reader } = this.#context;
    switch (shape) {
      case SHAPE.branchTable:
        return this.#branchTable(at);
      case SHAPE.callIndirect:
        return this.#callIndirect(at);
      case SHAPE.return:
        return this.#return(at);
      case SHAPE.unreachable:
        this.#context.control.markUnreachable();
        return this.#beginBlock(false);
      case SHAPE.memoryIndex:
        return this.#memoryIndex(opcode, at);
      case SHAPE.selectTypes:
        if (reader.count("types of a select", 1) === 1) readValueType(reader, "type of a select");
        return;
      case SHAPE.referenceType:
        readReferenceType(reader, "type of a null reference");
        return;
      case SHAPE.functionIndex:
        reader.index("function", this.#context.shape.functionTypes.length);
        return;
      case SHAPE.tableIndex:
        reader.index("table", this.#context.shape.tables.length);
        return;
      case SHAPE.bulkPrefix:
        return scanBulk(this.#context, at);
      case SHAPE.vectorPrefix:
        this.#vectors = true;
        return scanVector(this.#context, at);
      default:
        return refuseModule(`${refusalOf(opcode)} (0x${opcode.toString(16)})`, at);
    }
  }

  /** Begins a metered block at the next instruction. */
  #beginBlock(checked: boolean): void {
    this.#context.control.block = this.#context.plan.addBlock(this.#context.reader.at, checked);
  }

  #block(opcode: number, at: number): void {
    const { parameters, results } = this.#blockType();
    if (opcode === OP.if) this.#context.control.pop(1, at);
    this.#context.control.pop(parameters, at);
    this.#context.control.enter(opcode, parameters, results, this.#context.control.block, at);
    if (opcode !== OP.block) this.#beginBlock(opcode === OP.loop);
  }

  #blockType(): { parameters: number; results: number } {
    const { reader } = this.#context;
    const byte = reader.bytes[reader.at] ?? 0;
    if (byte === TYPE.empty || isValueType(byte)) {
      reader.u8("type of a block");
      return { parameters: 0, results: byte === TYPE.empty ? 0 : 1 };
    }
    // A type index is a non-negative signed LEB128, which has the same bytes as an unsigned one below 2^31 (and one
    // more where its highest bit would read as a sign; the engine refuses the other way round).
    const type = this.#context.shape.types[reader.index("type of a block", this.#context.shape.types.length)];
    return { parameters: type?.parameters.length ?? 0, results: type?.results.length ?? 0 };
  }

  #else(at: number): void {
    this.#context.control.switchToElse(at);
    this.#beginBlock(false);
  }

  #end(): void {
    const skipped = this.#context.control.leave();
    if (skipped) this.#beginBlock(false);
  }

  #branch(opcode: number, at: number): void {
    this.#context.control.branchTo(this.#context.reader.u32("label"), at);
    if (opcode === OP.brIf) this.#context.control.pop(1, at);
    else this.#context.control.markUnreachable();
    this.#beginBlock(false);
  }

  #branchTable(at: number): void {
    const targets = this.#context.reader.count("targets of a br_table", MAX_BRANCH_TARGETS);
    for (let i = 0; i <= targets; i += 1)
      this.#context.control.branchTo(this.#context.reader.u32("label"), at);
    this.#context.control.markUnreachable();
    this.#beginBlock(false);
  }

  #return(at: number): void {
    const outermost = this.#context.control.depth - 1;
    this.#context.plan.addEvent(at, EVENT.replaceReturn, outermost);
    this.#context.control.branchTo(outermost, at);
    this.#context.control.markUnreachable();
    this.#beginBlock(false);
  }

  #call(target: number, at: number): void {
    const type = this.#context.shape.types[this.#context.shape.functionTypes[target] ?? 0];
    this.#calls = true;
    this.#context.control.call(type?.parameters.length ?? 0, type?.results.length ?? 0, at);
  }

  #callIndirect(at: number): void {
    const type =
      this.#context.shape.types[this.#context.reader.index("type", this.#context.shape.types.length)];
    const table = this.#context.reader.index("table", this.#context.shape.tables.length);
    this.#calls = true;
    this.#context.plan.addEvent(at, EVENT.call, HELPER.checkTable + table);
    this.#context.control.call(type?.parameters.length ?? 0, type?.results.length ?? 0, at);
  }

  #memoryIndex(opcode: number, at: number): void {
    readMemoryIndex(this.#context);
    if (opcode === OP.memoryGrow) this.#context.plan.addEvent(at, EVENT.replaceGrow, HELPER.grow);
  }
}

function vectorsIn(types: Uint8Array): number {
  let count = 0;
  for (const type of types) if (type === TYPE.v128) count += 1;
  return count;
}

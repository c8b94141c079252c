import { failureCode } from "../../protocol/failure-code.ts";
import { ByteReader, refuseModule } from "../decode/byte-reader.ts";
import type { FunctionType, ModuleShape } from "../decode/module-shape.ts";
import { NAN, OP, PLAIN, PLAIN_NAN, refusalOf, SHAPE } from "../decode/opcodes.ts";
import { readReferenceType, readValueType, TYPE } from "../decode/value-types.ts";
import { FRAME_WORDS, MAX_LOCALS, MAX_FRAME_WORDS, UNCOUNTED_LEAF_WORDS } from "../limits.ts";
import { BodyPlan, EVENT, HELPER } from "./body-plan.ts";
import { ControlStack } from "./control-stack.ts";
import { LOCALS_PER_FUEL, PLAIN_COST } from "./costs.ts";
import { FloatTrack, OPERAND } from "./float-track.ts";
import { HIDES_CONSTANTS, hideConstants } from "./hide-constants.ts";
import { PLAIN_NUMBER, PLAIN_USE } from "./float-use.ts";
import {
  endOfPath,
  scanBlock,
  scanBranch,
  scanBranchTable,
  scanCall,
  scanCallIndirect,
  scanElse,
  scanEnd,
  scanReturn,
} from "./scan-control.ts";
import {
  flush,
  hintAround,
  keepResult,
  leaveArithmetic,
  leaveValue,
  type ScanContext,
} from "./scan-context.ts";
import { readMemoryAccess, readMemoryIndex, scanBulk, scanVector } from "./scan-prefixed.ts";

const TRAP_OVERFLOW = failureCode("trap-integer-overflow");

/**
 * Reads function bodies one after another, refuses what the profile does not accept, and plans how each is rewritten.
 * Checks every index against the module as it was, so that code cannot name what the rewriter adds.
 *
 * Metered blocks: instructions that are executed equally often form one block, charged at its first instruction. A
 * block begins at the body's start, inside `loop`, `if` and `else`, after a branch, and after an `end` whose frame a
 * branch may leave beyond that `end`. Costs are those of costs.ts; a body's start costs 1 per LOCALS_PER_FUEL locals.
 */
export class BodyScanner {
  readonly #context: ScanContext;
  /** Offset at which the operand on top of the stack is certainly a constant other than -1. */
  #harmlessDivisorAt = -1;
  /** Offset behind the newest literal that is a count every engine shifts by alike. */
  #smallCountAt = -1;

  /** @param canonicalNaN false: NaNs are left as the machine makes them */
  constructor(shape: ModuleShape, canonicalNaN: boolean) {
    const floats = new FloatTrack(canonicalNaN);
    this.#context = {
      shape,
      plan: new BodyPlan(),
      control: new ControlStack(floats),
      floats,
      reader: new ByteReader(shape.bytes),
      calls: false,
      tailCalls: false,
      vectors: false,
      result: OPERAND.exact,
      pending: -1,
      stale: false,
      starting: true,
      firstIf: 0,
      copy: -1,
      copyDepth: 1,
      entry: { event: 0, depth: 1, fixed: false, lost: false },
    };
  }

  get floats(): FloatTrack {
    return this.#context.floats;
  }

  /** Plans the body of the `index`th function that is not imported. The plan is valid until the next call. */
  scan(index: number): BodyPlan {
    const context = this.#context;
    const { shape, plan, control } = context;
    const range = shape.bodies[index];
    const type = shape.types[shape.functionTypes[shape.importedFunctions + index] ?? 0];
    if (range === undefined || type === undefined) return refuseModule(`function ${index} does not exist`, 0);
    this.#reset(range.start, range.end);
    const parameters = type.parameters.length;
    const variableWords = parameters + vectorsIn(type.parameters) + this.#readLocals(type);
    const first = plan.addBlock(context.reader.at, 0, -1);
    plan.charge(first, Math.floor((plan.variables - parameters) / LOCALS_PER_FUEL));
    control.enter(OP.block, 0, type.results.length, first, context.reader.at);
    while (control.depth > 0) this.#instruction();
    context.reader.finish("body");
    context.floats.resolve();
    const operands = control.maximumHeight + 2 * type.results.length;
    const words = FRAME_WORDS + variableWords + operands * (context.vectors ? 2 : 1);
    if (words > MAX_FRAME_WORDS)
      refuseModule(`a frame of ${words} words, more than ${MAX_FRAME_WORDS},`, range.start);
    plan.frameWords = words;
    plan.counted = context.calls || plan.frameWords > UNCOUNTED_LEAF_WORDS;
    plan.checksEntry = context.calls || context.tailCalls;
    // The engine makes room for a large frame at the function's start.
    const waits = plan.checksEntry && plan.frameWords <= UNCOUNTED_LEAF_WORDS;
    plan.entry = waits ? context.entry.event : 0;
    if (plan.entry === 0) {
      plan.entryCopy = 0;
      plan.entryBlock = 1;
    }
    return plan;
  }

  #reset(start: number, end: number): void {
    const context = this.#context;
    context.floats.reset(context.control.maximumHeight);
    context.plan.reset();
    context.control.reset();
    context.reader = new ByteReader(context.shape.bytes, start, end);
    context.calls = false;
    context.tailCalls = false;
    context.vectors = context.shape.namesVectors;
    context.pending = -1;
    context.stale = false;
    context.starting = true;
    context.firstIf = 0;
    context.copy = 0;
    context.copyDepth = 1;
    Object.assign(context.entry, { event: 0, depth: 1, fixed: false, lost: false });
    this.#harmlessDivisorAt = -1;
    this.#smallCountAt = -1;
  }

  /** Reads the declarations of locals; returns the words they take. */
  #readLocals(type: FunctionType): number {
    const { reader, plan } = this.#context;
    const parameters = type.parameters.length;
    plan.localGroups = reader.count("groups of locals", MAX_LOCALS);
    plan.localsStart = reader.at;
    let locals = 0;
    let words = 0;
    let floats = type.parameters.some((parameter) => kindOf(parameter) !== NAN.none);
    for (let i = 0; i < plan.localGroups; i += 1) {
      const at = reader.at;
      const count = reader.u32("number of locals");
      const local = readValueType(reader, "type of locals");
      locals += count;
      if (local === TYPE.v128) this.#context.vectors = true;
      if (kindOf(local) !== NAN.none) floats = true;
      words += count * (local === TYPE.v128 ? 2 : 1);
      if (parameters + locals > MAX_LOCALS) refuseModule(`more than ${MAX_LOCALS} locals`, at);
    }
    plan.localsEnd = reader.at;
    plan.variables = parameters + locals;
    if (floats) this.#declareFloats(type.parameters);
    return words;
  }

  /** Tells FloatTrack the types of all locals. */
  #declareFloats(parameters: Uint8Array): void {
    const { plan, floats, shape } = this.#context;
    floats.activate(plan.variables);
    if (!floats.active) return;
    parameters.forEach((type, i) => {
      if (kindOf(type) !== NAN.none) floats.declare(i, 1, kindOf(type));
    });
    const reader = new ByteReader(shape.bytes, plan.localsStart, plan.localsEnd);
    let next = parameters.length;
    for (let i = 0; i < plan.localGroups; i += 1) {
      const count = reader.u32("number of locals");
      const kind = kindOf(reader.u8("type of locals"));
      if (kind !== NAN.none) floats.declare(next, count, kind);
      next += count;
    }
    floats.follow(parameters.length);
  }

  #instruction(): void {
    const context = this.#context;
    const { reader, control, floats } = context;
    const at = reader.at;
    const opcode = reader.u8("body");
    const shape = PLAIN.shape[opcode] ?? SHAPE.refused;
    if (shape === SHAPE.end) return scanEnd(context, at);
    if (shape === SHAPE.else) return scanElse(context, at);
    if (opcode < OP.bulkPrefix) context.plan.charge(control.block, PLAIN_COST[opcode] ?? 0);
    const pops = PLAIN.pops[opcode] ?? 0;
    if (floats.active && pops > 0)
      context.result = floats.consume(PLAIN_USE[opcode] ?? 0, pops, control.height);
    control.pop(pops, at);
    if (shape === SHAPE.none) this.#numeric(opcode, at);
    else this.#immediates(shape, opcode, at);
    control.push(PLAIN.pushes[opcode] ?? 0);
    keepResult(context);
  }

  #numeric(opcode: number, at: number): void {
    const context = this.#context;
    const nan = PLAIN_NAN[opcode] ?? NAN.none;
    if (HIDES_CONSTANTS[opcode] === 1) hideConstants(context, opcode, at, this.#smallCountAt);
    if (nan !== NAN.none) leaveArithmetic(context, nan);
    else if (opcode === OP.select) this.#select();
    else if (PLAIN_NUMBER[opcode] === 1 && context.floats.active) context.result = OPERAND.number;
    else if ((opcode === OP.i32DivS || opcode === OP.i64DivS) && this.#harmlessDivisorAt !== at)
      hintAround(context, at, TRAP_OVERFLOW);
  }

  #select(): void {
    const { plan, reader, result } = this.#context;
    if (result > 0) plan.addEvent(reader.at, EVENT.canonicalise, result / 2 - 1);
  }

  #immediates(shape: number, opcode: number, at: number): void {
    const context = this.#context;
    const { reader } = context;
    switch (shape) {
      case SHAPE.local:
        return this.#local(opcode, reader.index("local", context.plan.variables));
      case SHAPE.i32:
        if (reader.skipSigned("i32 constant", 5)) this.#harmlessDivisorAt = reader.at;
        if (reader.at === at + 2 && (reader.bytes[at + 1] ?? 32) < 32) this.#smallCountAt = reader.at;
        return;
      case SHAPE.memoryAccess:
        return readMemoryAccess(context);
      case SHAPE.block:
        return scanBlock(context, opcode, at);
      case SHAPE.branch:
        return scanBranch(context, opcode, at);
      case SHAPE.call:
        return scanCall(context, at, opcode === OP.returnCall);
      case SHAPE.global:
        reader.index("global", context.shape.globals);
        return;
      case SHAPE.i64:
        if (reader.skipSigned("i64 constant", 10)) this.#harmlessDivisorAt = reader.at;
        return;
      case SHAPE.f32:
        return this.#floatConstant(4);
      case SHAPE.f64:
        return this.#floatConstant(8);
      default:
        return this.#rareImmediates(shape, opcode, at);
    }
  }

  #local(opcode: number, local: number): void {
    const context = this.#context;
    const { floats, control } = context;
    if (!floats.active || !floats.isFloat(local)) return;
    if (opcode === OP.localGet) {
      const known = floats.flow.read(local);
      if (known === undefined) leaveValue(context, floats.read(local));
      else context.result = known;
      return;
    }
    const held = floats.assign(local, floats.operand(control.height));
    if (opcode === OP.localTee) context.result = held;
  }

  #floatConstant(bytes: number): void {
    const context = this.#context;
    const { reader } = context;
    reader.skip(bytes, "float constant");
    const high = ((reader.bytes[reader.at - 1] ?? 0) << 8) | (reader.bytes[reader.at - 2] ?? 0);
    const exponent = bytes === 4 ? 0x7f80 : 0x7ff0;
    // Infinity is taken for a NaN here: rare, and only less is saved.
    if (context.floats.active && (high & exponent) !== exponent) context.result = OPERAND.number;
  }

  #rareImmediates(shape: number, opcode: number, at: number): void {
    const context = this.#context;
    const { reader } = context;
    switch (shape) {
      case SHAPE.branchTable:
        return scanBranchTable(context, at);
      case SHAPE.callIndirect:
        return scanCallIndirect(context, at, opcode === OP.returnCallIndirect);
      case SHAPE.return:
        return scanReturn(context, at);
      case SHAPE.unreachable:
        return endOfPath(context);
      case SHAPE.memoryIndex:
        return this.#memoryIndex(opcode, at);
      case SHAPE.selectTypes:
        if (reader.count("types of a select", 1) === 1) readValueType(reader, "type of a select");
        return this.#select();
      case SHAPE.referenceType:
        readReferenceType(reader, "type of a null reference");
        return;
      case SHAPE.functionIndex:
        reader.index("function", context.shape.functionTypes.length);
        return;
      case SHAPE.tableIndex:
        reader.index("table", context.shape.tables.length);
        return;
      case SHAPE.bulkPrefix:
        return scanBulk(context, at);
      case SHAPE.vectorPrefix:
        context.vectors = true;
        return scanVector(context, at);
      default:
        return refuseModule(`${refusalOf(opcode)} (0x${opcode.toString(16)})`, at);
    }
  }

  #memoryIndex(opcode: number, at: number): void {
    readMemoryIndex(this.#context);
    if (opcode !== OP.memoryGrow) return;
    flush(this.#context, EVENT.flush, at);
    this.#context.plan.addEvent(at, EVENT.replaceGrow, HELPER.grow);
  }
}

/** How a value of this type can be a NaN; see FloatTrack. */
function kindOf(type: number): number {
  if (type === TYPE.f64) return NAN.f64;
  if (type === TYPE.f32) return NAN.f32;
  return type === TYPE.v128 ? NAN.f32x4 : NAN.none;
}

function vectorsIn(types: Uint8Array): number {
  let count = 0;
  for (const type of types) if (type === TYPE.v128) count += 1;
  return count;
}

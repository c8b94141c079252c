import type { ByteReader } from "../decode/byte-reader.ts";
import type { ModuleShape } from "../decode/module-shape.ts";
import { type BodyPlan, EVENT, FLUSH } from "./body-plan.ts";
import type { ControlStack } from "./control-stack.ts";
import { type FloatTrack, OPERAND, operandOf } from "./float-track.ts";

/** Where the scanner is: the module, the body it reads, and what it has found in it so far. */
export interface ScanContext {
  readonly shape: ModuleShape;
  readonly plan: BodyPlan;
  readonly control: ControlStack;
  readonly floats: FloatTrack;
  reader: ByteReader;
  calls: boolean;
  tailCalls: boolean;
  vectors: boolean;
  /** What is known of the result of the instruction that is read; see OPERAND. */
  result: number;
  /** The metered block whose charge can wait for the next flush, because nothing but straight code followed; -1: none. */
  pending: number;
  /** Whether fuel is in its global only: since a call there was straight code only. */
  stale: boolean;
  /** Nothing but straight code has come in this body so far. */
  starting: boolean;
  /** Labels open in an `if` that ended that straight code, its own included; 0: there is none, or it has ended. */
  firstIf: number;
  /** The block since which nothing but charges happened to fuel on every path that comes here; -1: a call may have. */
  copy: number;
  /** Labels open where that block began: when its frame ends, other paths join. */
  copyDepth: number;
  readonly entry: EntryPlace;
}

/**
 * The latest place known that comes before every call on every path, once each: there the function is entered, so that
 * a path that calls nothing need not look at fuel and stack.
 */
export interface EntryPlace {
  /** The event there; 0: the start of the body. */
  event: number;
  /** Labels open there, the function's own included. */
  depth: number;
  /** A call or loop has come, so that a later place is too late. */
  fixed: boolean;
  /** The block that it stands in has ended, so that calls from here on may be reached without it. */
  lost: boolean;
}

/** The next instruction's place is later than the one known: take it, unless it would be too late. */
export function offerEntry({ control, copy, entry, plan, reader }: ScanContext): void {
  if (entry.fixed) return;
  plan.addEvent(reader.at, EVENT.enter, control.depth);
  entry.event = plan.events - 1;
  entry.depth = control.depth;
  entry.lost = false;
  plan.entryCopy = copy;
  plan.entryBlock = plan.blocks;
}

/** A call or loop stands here. */
export function fixEntry({ entry }: ScanContext, isCall: boolean): void {
  entry.fixed = true;
  if (isCall && entry.lost) entry.event = 0;
}

/** The innermost of `depth` frames ends, or its first arm does. */
export function closeFrame(context: ScanContext, depth: number): void {
  const { entry } = context;
  if (context.copyDepth >= depth) context.copy = -1;
  if (entry.depth >= depth && entry.event > 0) entry.lost = true;
}

/** The instruction read last has left a value that may have to be made canonical. */
export function leaveValue(context: ScanContext, value: number): void {
  context.plan.addEvent(context.reader.at, EVENT.canonicalise, value);
  context.result = operandOf(value);
}

/** The instruction read last was arithmetic. @param kind of NAN, not none */
export function leaveArithmetic(context: ScanContext, kind: number): void {
  const { floats, plan } = context;
  floats.activate(plan.variables);
  if (floats.active) leaveValue(context, floats.addValue(kind, -1));
}

/** The bits of the topmost operands can be seen from here on. */
export function observe({ floats, control }: ScanContext, count: number): void {
  if (floats.active && count > 0) floats.observe(count, control.height);
}

/** Writes down what is known of the operand that the instruction read last has pushed. */
export function keepResult(context: ScanContext): void {
  if (context.result === OPERAND.exact) return;
  context.floats.setOperand(context.control.height - 1, context.result);
  context.result = OPERAND.exact;
}

/** Plans that fuel is in its global at `at`. @param kind of EVENT: flush, call or tailCall */
export function flush(context: ScanContext, kind: number, at: number): void {
  const { plan, pending } = context;
  if (pending >= 0) plan.deferred[pending] = 1;
  const how = pending >= 0 ? pending : context.stale ? FLUSH.nothing : FLUSH.store;
  plan.addEvent(at, kind, how);
  context.pending = -1;
  context.starting = false;
  context.stale = true;
  context.copy = -1;
}

/** Straight code ends at `at`: fuel has to be in its local, and charged. */
export function settle(context: ScanContext, at: number): void {
  context.pending = -1;
  context.starting = false;
  if (!context.stale) return;
  context.plan.addEvent(at, EVENT.reload, 0);
  context.stale = false;
}

/** Begins a metered block at the next instruction. */
export function beginBlock(context: ScanContext): void {
  const { control, plan, reader } = context;
  control.block = plan.addBlock(reader.at, 0, context.copy);
  if (context.copy < 0) {
    context.copy = control.block;
    context.copyDepth = control.depth;
  }
  context.pending = control.block;
  context.stale = false;
  offerEntry(context);
}

/** Engines report the trap of this instruction in the same words as another's; the hint tells them apart. */
export function hintAround({ plan, reader }: ScanContext, at: number, code: number): void {
  plan.addEvent(at, EVENT.hint, code);
  plan.addEvent(reader.at, EVENT.hint, 0);
}

import { refuseModule } from "../decode/byte-reader.ts";
import { OP } from "../decode/opcodes.ts";
import { MAX_NESTING } from "../limits.ts";
import type { FloatTrack } from "./float-track.ts";

/**
 * The blocks that are open at a place of a function body, and the height of the operand stack. Heights are counted
 * without types: enough to bound a frame; the engine checks types. Frame 0 is the function itself.
 */
export class ControlStack {
  depth = 0;
  height = 0;
  maximumHeight = 0;
  #opcode: Uint8Array = new Uint8Array(MAX_NESTING + 1);
  #base: Int32Array = new Int32Array(MAX_NESTING + 1);
  #parameters: Int32Array = new Int32Array(MAX_NESTING + 1);
  #results: Int32Array = new Int32Array(MAX_NESTING + 1);
  #unreachable: Uint8Array = new Uint8Array(MAX_NESTING + 1);
  /** Metered block that the instructions of this frame are charged to. */
  #block: Int32Array = new Int32Array(MAX_NESTING + 1);
  /** The outermost frame that a branch inside this frame goes to. */
  #outermostTarget: Int32Array = new Int32Array(MAX_NESTING + 1);
  readonly #floats: FloatTrack;

  constructor(floats: FloatTrack) {
    this.#floats = floats;
  }

  reset(): void {
    this.depth = 0;
    this.height = 0;
    this.maximumHeight = 0;
  }

  enter(opcode: number, parameters: number, results: number, block: number, at: number): void {
    const frame = this.depth;
    if (frame > MAX_NESTING) refuseModule(`blocks nested deeper than ${MAX_NESTING}`, at);
    this.#opcode[frame] = opcode;
    this.#base[frame] = this.height;
    this.#parameters[frame] = parameters;
    this.#results[frame] = results;
    this.#unreachable[frame] = 0;
    this.#block[frame] = block;
    this.#outermostTarget[frame] = frame;
    this.depth = frame + 1;
    this.push(parameters);
  }

  /** The metered block of the innermost frame. */
  get block(): number {
    return this.#block[this.depth - 1] ?? 0;
  }

  set block(block: number) {
    this.#block[this.depth - 1] = block;
  }

  push(count: number): void {
    if (this.#floats.active) this.#floats.pushExact(this.height, count);
    this.height += count;
    if (this.height > this.maximumHeight) this.maximumHeight = this.height;
  }

  /** A call: besides operands there are an area for arguments and one for results on the native stack. */
  call(parameters: number, results: number, at: number): void {
    const peak = this.height + parameters + results;
    if (peak > this.maximumHeight) this.maximumHeight = peak;
    this.pop(parameters, at);
    this.push(results);
  }

  pop(count: number, at: number): void {
    const frame = this.depth - 1;
    const left = this.height - count;
    const base = this.#base[frame] ?? 0;
    if (left >= base) this.height = left;
    else if (this.#unreachable[frame] === 1) this.height = base;
    else refuseModule("an instruction lacks operands", at);
  }

  /** What follows in this frame is never executed. */
  markUnreachable(): void {
    const frame = this.depth - 1;
    this.#unreachable[frame] = 1;
    this.height = this.#base[frame] ?? 0;
  }

  /** Notes a branch to the `label`th frame from the innermost; returns how many operands it takes along. */
  branchTo(label: number, at: number): number {
    const target = this.depth - 1 - label;
    if (target < 0) refuseModule(`label ${label} does not exist`, at);
    const frame = this.depth - 1;
    if (target < (this.#outermostTarget[frame] ?? 0)) this.#outermostTarget[frame] = target;
    return (this.#opcode[target] === OP.loop ? this.#parameters[target] : this.#results[target]) ?? 0;
  }

  /** Results of the innermost frame. */
  get results(): number {
    return this.#results[this.depth - 1] ?? 0;
  }

  /** Turns the innermost `if` into its other arm. */
  switchToElse(at: number): void {
    const frame = this.depth - 1;
    if (this.#opcode[frame] !== OP.if) refuseModule("else without if", at);
    this.#opcode[frame] = OP.else;
    this.#unreachable[frame] = 0;
    this.height = this.#base[frame] ?? 0;
    this.push(this.#parameters[frame] ?? 0);
  }

  /**
   * Closes the innermost frame. Returns whether a branch inside it may skip what follows it, so that what follows is
   * not executed as often as what stands before it.
   */
  leave(): boolean {
    const frame = this.depth - 1;
    const target = this.#outermostTarget[frame] ?? 0;
    this.depth = frame;
    this.height = this.#base[frame] ?? 0;
    if (frame === 0) return false;
    this.push(this.#results[frame] ?? 0);
    if (target < (this.#outermostTarget[frame - 1] ?? 0)) this.#outermostTarget[frame - 1] = target;
    return target < frame;
  }
}

import { OP } from "../decode/opcodes.ts";
import { MAX_NESTING } from "../limits.ts";
import { grown } from "./body-plan.ts";

/** Locals that are followed, one bit each: compilers seldom use more floats in one function. Others count as always read. */
const MOST_LOCALS = 32;

/** Passes over the edges before everything counts as read. Nested loops take one each. */
const MOST_PASSES = 16;

/** Stands in `#heads` for a loop, and for a frame that is no `if` without `else`. */
const LOOP = -2;
const PLAIN = -1;

/**
 * Of which float locals of a function body the bits may be seen after a stretch of straight code, so that a value that is
 * stored for a moment only does not decide what its local is taken for elsewhere. Compilers give one local to many values.
 */
export class LocalFlow {
  active = false;
  /** Stretches of straight code, and labels, which are empty ones. Masks of locals, by node. */
  #nodes = 0;
  #assigned: Int32Array = new Int32Array(64);
  #liveIn: Int32Array = new Int32Array(64);
  #liveOut: Int32Array = new Int32Array(64);
  #edges = 0;
  #from: Int32Array = new Int32Array(64);
  #to: Int32Array = new Int32Array(64);
  /** The stretch that is read. */
  #here = 0;

  /** Bit number plus 1 by local; 0: not followed. */
  #bits: Uint8Array = new Uint8Array(256);
  readonly #locals: Int32Array = new Int32Array(MOST_LOCALS);
  #followed = 0;
  /** What was assigned last in this stretch, by bit number. */
  readonly #operands: Int32Array = new Int32Array(MOST_LOCALS);

  /** Node of each open frame's label, and of what stands before an `if`. */
  readonly #labels: Int32Array = new Int32Array(MAX_NESTING + 1);
  readonly #heads: Int32Array = new Int32Array(MAX_NESTING + 1);

  /** Reads of what another stretch assigned: where, which local, and the value that stands for it. */
  #reads = 0;
  #readNodes: Int32Array = new Int32Array(64);
  #readMasks: Int32Array = new Int32Array(64);
  #readValues: Int32Array = new Int32Array(64);

  /** What locals hold at the end of a stretch that assigned them. */
  #kept = 0;
  #keptNodes: Int32Array = new Int32Array(64);
  #keptLocals: Int32Array = new Int32Array(64);
  #keptOperands: Int32Array = new Int32Array(64);

  start(variables: number): void {
    this.active = true;
    this.#nodes = 0;
    this.#edges = 0;
    this.#reads = 0;
    this.#kept = 0;
    this.#followed = 0;
    if (this.#bits.length < variables) this.#bits = new Uint8Array(variables * 2);
    this.#bits.fill(0, 0, variables);
    this.#here = this.#node();
    this.#labels[0] = this.#node();
    this.#heads[0] = PLAIN;
  }

  #node(): number {
    const node = this.#nodes;
    if (node === this.#assigned.length) {
      this.#assigned = grown(this.#assigned);
      this.#liveIn = grown(this.#liveIn);
      this.#liveOut = grown(this.#liveOut);
    }
    this.#liveIn[node] = 0;
    this.#assigned[node] = 0;
    this.#liveOut[node] = 0;
    this.#nodes = node + 1;
    return node;
  }

  #edge(from: number, to: number): void {
    const edge = this.#edges;
    if (edge === this.#from.length) {
      this.#from = grown(this.#from);
      this.#to = grown(this.#to);
    }
    this.#from[edge] = from;
    this.#to[edge] = to;
    this.#edges = edge + 1;
  }

  /** Mask of a local; 0 when it is not followed. */
  #mask(local: number): number {
    const bit = this.#bits[local] ?? 0;
    if (bit > 0) return 1 << (bit - 1);
    if (this.#followed === MOST_LOCALS) return 0;
    this.#locals[this.#followed] = local;
    this.#followed += 1;
    this.#bits[local] = this.#followed;
    return 1 << (this.#followed - 1);
  }

  /** What a local holds for certain, because this stretch assigned it; undefined when another did. */
  read(local: number): number | undefined {
    const assigned = (this.#assigned[this.#here] ?? 0) & this.#mask(local);
    return assigned === 0 ? undefined : this.#operands[(this.#bits[local] ?? 1) - 1];
  }

  /** A local that another stretch assigned is read; `value` stands for it. */
  noteRead(local: number, value: number): void {
    if (this.#reads === this.#readNodes.length) {
      this.#readNodes = grown(this.#readNodes);
      this.#readMasks = grown(this.#readMasks);
      this.#readValues = grown(this.#readValues);
    }
    this.#readNodes[this.#reads] = this.#here;
    this.#readMasks[this.#reads] = this.#mask(local);
    this.#readValues[this.#reads] = value;
    this.#reads += 1;
  }

  /** Whether the local is followed: else the caller has to take it for read later. */
  assign(local: number, operand: number): boolean {
    const mask = this.#mask(local);
    if (mask === 0) return false;
    this.#assigned[this.#here] = (this.#assigned[this.#here] ?? 0) | mask;
    this.#operands[(this.#bits[local] ?? 1) - 1] = operand;
    return true;
  }

  /** Begins a stretch. @param falls whether the one before runs into it */
  #begin(falls: boolean): void {
    this.#keep();
    const next = this.#node();
    if (falls) this.#edge(this.#here, next);
    this.#here = next;
  }

  #keep(): void {
    let rest = this.#assigned[this.#here] ?? 0;
    while (rest !== 0) {
      const bit = 31 - Math.clz32(rest);
      rest &= ~(1 << bit);
      if (this.#kept === this.#keptNodes.length) {
        this.#keptNodes = grown(this.#keptNodes);
        this.#keptLocals = grown(this.#keptLocals);
        this.#keptOperands = grown(this.#keptOperands);
      }
      this.#keptNodes[this.#kept] = this.#here;
      this.#keptLocals[this.#kept] = this.#locals[bit] ?? 0;
      this.#keptOperands[this.#kept] = this.#operands[bit] ?? 0;
      this.#kept += 1;
    }
  }

  /** A frame begins. @param frame its number, the function's being 0, here and below */
  enter(frame: number, opcode: number): void {
    this.#heads[frame] = PLAIN;
    if (opcode === OP.loop) {
      this.#begin(true);
      this.#labels[frame] = this.#here;
      this.#heads[frame] = LOOP;
      return;
    }
    this.#labels[frame] = this.#node();
    if (opcode !== OP.if) return;
    this.#heads[frame] = this.#here;
    this.#begin(true);
  }

  switchToElse(frame: number): void {
    const head = this.#heads[frame] ?? PLAIN;
    this.#edge(this.#here, this.#labels[frame] ?? 0);
    this.#heads[frame] = PLAIN;
    this.#begin(false);
    if (head >= 0) this.#edge(head, this.#here);
  }

  leave(frame: number): void {
    const head = this.#heads[frame] ?? PLAIN;
    if (head === LOOP) return;
    const label = this.#labels[frame] ?? 0;
    this.#edge(this.#here, label);
    if (head >= 0) this.#edge(head, label);
    this.#begin(false);
    this.#edge(label, this.#here);
  }

  branch(frame: number): void {
    this.#edge(this.#here, this.#labels[frame] ?? 0);
  }

  /** After all branches of an instruction. @param falls whether the next instruction may follow */
  afterBranch(falls: boolean): void {
    this.#begin(falls);
  }

  /** The body is read: finds out what may be seen later. @param isSeen whether somebody may see the bits of a value */
  finish(isSeen: (value: number) => boolean): void {
    this.#keep();
    for (let i = 0; i < this.#reads; i += 1) {
      const node = this.#readNodes[i] ?? 0;
      if (isSeen(this.#readValues[i] ?? 0))
        this.#liveIn[node] = (this.#liveIn[node] ?? 0) | (this.#readMasks[i] ?? 0);
    }
    for (let pass = 0; pass < MOST_PASSES; pass += 1) if (!this.#spread()) return;
    this.#liveIn.fill(-1, 0, this.#nodes);
    this.#liveOut.fill(-1, 0, this.#nodes);
  }

  #spread(): boolean {
    let changed = false;
    for (let edge = this.#edges - 1; edge >= 0; edge -= 1) {
      const from = this.#from[edge] ?? 0;
      const known = this.#liveOut[from] ?? 0;
      const out = known | (this.#liveIn[this.#to[edge] ?? 0] ?? 0);
      if (out === known) continue;
      changed = true;
      this.#liveOut[from] = out;
      this.#liveIn[from] = (this.#liveIn[from] ?? 0) | (out & ~(this.#assigned[from] ?? 0));
    }
    return changed;
  }

  /** Whether what a local holds when the function is called may be seen. */
  isSeenFromStart(local: number): boolean {
    const mask = this.#mask(local);
    return mask === 0 || ((this.#liveIn[0] ?? 0) & mask) !== 0;
  }

  /** What is kept in locals beyond its stretch and may be seen. */
  forEachKept(visit: (local: number, operand: number) => void): void {
    for (let i = 0; i < this.#kept; i += 1) {
      const local = this.#keptLocals[i] ?? 0;
      const live = this.#liveOut[this.#keptNodes[i] ?? 0] ?? 0;
      if ((live & this.#mask(local)) !== 0) visit(local, this.#keptOperands[i] ?? 0);
    }
  }
}

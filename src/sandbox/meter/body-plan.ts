/** What happens at a place of a function body when it is rewritten. Numbers: there is one per few instructions. */
export const EVENT = {
  /** A metered block begins; argument: its index. */
  charge: 0,
  /** The instruction that ends here may leave a NaN to canonicalise; argument: its value in FloatTrack. */
  canonicalise: 1,
  /** Fuel has to be in its global; argument: see FLUSH. */
  flush: 2,
  /** The same before a call, which needs the stack's global as well. */
  call: 3,
  /** The same before a call that takes this frame's place. */
  tailCall: 4,
  /** Fuel has to be in its local again. */
  reload: 5,
  /** A helper looks at the operand on top of the stack; argument: its id. */
  helper: 6,
  /** `memory.grow` (two bytes) becomes a call; argument: the helper's id. */
  replaceGrow: 7,
  /** Only in the precise form: the trap hint is set; argument: a failure code, or 0 to clear it. */
  hint: 8,
  /** Only in the precise form: a helper looks whether a table has the entry on top of the stack; argument: its id. */
  checkTable: 9,
  /** A place where the function may be entered; it is where the event is `BodyPlan.entry`. Argument: labels open here. */
  enter: 10,
  /** A `br_if` without operands that ends the first block; argument: its label. See `BodyPlan.earlyExit`. */
  earlyExit: 11,
  /** The count of a shift is masked; see hide-constants.ts. */
  maskCount: 12,
  /** The operand on top of the stack goes through a local; argument: a value of NAN, not none. See hide-constants.ts. */
  hideSign: 13,
} as const;

/** What a flush has to do where fuel is kept in a local; otherwise the index of the block that is charged with it. */
export const FLUSH = { store: -1, nothing: -2 } as const;

/** Functions that the rewriter appends to a module when something needs them. All take and return one i32. */
export const HELPER = {
  chargeBytes: 0,
  chargeEntries: 1,
  grow: 2,
  /** Plus the index of the table. */
  checkTable: 3,
} as const;

/**
 * How one function body is to be rewritten: places in ascending order with what to do there, and the cost of each
 * metered block. One plan is reused for all bodies of a module, its arrays grow to the largest.
 */
export class BodyPlan {
  /** Range of the local declarations' groups, after their count. */
  localsStart = 0;
  localsEnd = 0;
  localGroups = 0;
  /** Parameters and locals. */
  variables = 0;
  /** Words of stack that one call takes. */
  frameWords = 0;
  /** Whether calls are counted on the stack. */
  counted = false;
  /** Whether running out of fuel is looked for where the function is entered. */
  checksEntry = false;
  /** The event at which the function is entered; 0: at its start. */
  entry = 0;
  /** Bytes of the `br_if` that ends the first block, straight code before it; 0: something else ends that block. */
  earlyExit = 0;
  /** The block that begins the `else` of an `if` that ends the first block, which is still copied there; 0: there is none. */
  otherArm = 0;
  loops = false;
  /** Whether a branch goes to the label of the function itself. */
  branchesOut = false;

  events = 0;
  offsets: Int32Array = new Int32Array(256);
  kinds: Uint8Array = new Uint8Array(256);
  operands: Int32Array = new Int32Array(256);

  blocks = 0;
  costs: Int32Array = new Int32Array(256);
  /** Of a loop's header: how many labels are open in it, its own included. 0: not a header. */
  headers: Int32Array = new Int32Array(256);
  /** The block since which a local may hold a copy of the global's fuel; -1: none does. */
  copies: Int32Array = new Int32Array(256);
  /** 1 where the copy has to be made or kept up to date; see `keepCopies`. */
  kept: Uint8Array = new Uint8Array(256);
  /** The block since which there is a copy where the function is entered; -1: none. */
  entryCopy = -1;
  /** The block before which that is. */
  entryBlock = 0;
  /** 1 where a flush charges the block as well, if fuel is kept in a local. */
  deferred: Uint8Array = new Uint8Array(256);

  reset(): void {
    this.events = 0;
    this.blocks = 0;
    this.loops = false;
    this.branchesOut = false;
    this.earlyExit = 0;
    this.otherArm = 0;
  }

  addEvent(offset: number, kind: number, operand: number): void {
    const at = this.events;
    if (at === this.offsets.length) {
      this.offsets = grown(this.offsets);
      this.operands = grown(this.operands);
      this.kinds = grownBytes(this.kinds);
    }
    this.offsets[at] = offset;
    this.kinds[at] = kind;
    this.operands[at] = operand;
    this.events = at + 1;
  }

  /** Begins a metered block at `offset` and returns its index. @param header see `headers` @param copy see `copies` */
  addBlock(offset: number, header: number, copy: number): number {
    const block = this.blocks;
    if (block === this.costs.length) {
      this.costs = grown(this.costs);
      this.headers = grown(this.headers);
      this.copies = grown(this.copies);
      this.kept = grownBytes(this.kept);
      this.deferred = grownBytes(this.deferred);
    }
    this.costs[block] = 0;
    this.headers[block] = header;
    this.copies[block] = copy;
    this.kept[block] = 0;
    this.deferred[block] = 0;
    this.blocks = block + 1;
    this.addEvent(offset, EVENT.charge, block);
    return block;
  }

  /** Marks the blocks from which on copies of the fuel are wanted; returns whether any is. */
  keepCopies(): boolean {
    if (this.checksEntry) this.#keep(this.entryCopy, this.entryBlock, 0);
    let kept = 0;
    for (let block = 0; block < this.blocks; block += 1)
      if ((this.costs[block] ?? 0) > 0) kept = this.#keep(this.copies[block] ?? -1, block, kept);
    return kept > 0 || (this.checksEntry && this.entryCopy >= 0);
  }

  /** Keeps the copy made in block `from` until `to`, where all before `kept` are kept; returns before which they are now. */
  #keep(from: number, to: number, kept: number): number {
    if (from < 0) return kept;
    for (let block = Math.max(from, kept); block < to; block += 1) this.kept[block] = 1;
    return Math.max(kept, to);
  }

  charge(block: number, cost: number): void {
    this.costs[block] = (this.costs[block] ?? 0) + cost;
  }
}

/** A copy of twice the length. */
export function grown(array: Int32Array): Int32Array {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}

/** A copy of twice the length. */
export function grownBytes(array: Uint8Array): Uint8Array {
  const larger = new Uint8Array(array.length * 2);
  larger.set(array);
  return larger;
}

/** What happens at a place of a function body when it is rewritten. Numbers: there is one per few instructions. */
export const EVENT = {
  /** A metered block begins; argument: its index. */
  charge: 0,
  /** The instruction that ends here leaves a NaN to canonicalise; argument: a value of NAN. */
  canonicalise: 1,
  /** A helper looks at the operand on top of the stack; argument: its id. */
  call: 2,
  /** `memory.grow` (two bytes) becomes a call; argument: the helper's id. */
  replaceGrow: 3,
  /** `return` (one byte) becomes a branch to the end of the body; argument: its label depth. */
  replaceReturn: 4,
  /** The trap hint is set; argument: a failure code, or 0 to clear it. */
  hint: 5,
} as const;

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
  /** Whether calls are counted on the stack, so that the body gets a prologue and an epilogue. */
  counted = false;
  /** Bit `1 << NAN.x` for each kind of canonicalisation that occurs. */
  nanKinds = 0;

  events = 0;
  offsets: Int32Array = new Int32Array(256);
  kinds: Uint8Array = new Uint8Array(256);
  operands: Int32Array = new Int32Array(256);

  blocks = 0;
  costs: Int32Array = new Int32Array(256);
  /** 1 where running out of fuel is looked for: at the function's entry and at loop headers. */
  checked: Uint8Array = new Uint8Array(256);

  reset(): void {
    this.events = 0;
    this.blocks = 0;
    this.nanKinds = 0;
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

  /** Begins a metered block at `offset` and returns its index. */
  addBlock(offset: number, checked: boolean): number {
    const block = this.blocks;
    if (block === this.costs.length) {
      this.costs = grown(this.costs);
      this.checked = grownBytes(this.checked);
    }
    this.costs[block] = 0;
    this.checked[block] = checked ? 1 : 0;
    this.blocks = block + 1;
    this.addEvent(offset, EVENT.charge, block);
    return block;
  }

  charge(block: number, cost: number): void {
    this.costs[block] = (this.costs[block] ?? 0) + cost;
  }
}

function grown(array: Int32Array): Int32Array {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}

function grownBytes(array: Uint8Array): Uint8Array {
  const larger = new Uint8Array(array.length * 2);
  larger.set(array);
  return larger;
}

import { chosen, OPERATIONS, TYPE_BYTE, signed, unsigned, type ValueType } from "./instructions.contract.ts";
import { BUDGET_GLOBAL, DATA_SEGMENTS, ELEMENT_SEGMENTS, SEGMENT_BYTES } from "./outline.contract.ts";
import { ValueMaker } from "./value-maker.contract.ts";

const BLOCK = 0x02;
const LOOP = 0x03;
const IF = 0x04;
const ELSE = 0x05;
const END = 0x0b;
const STORES = OPERATIONS.filter(({ result }) => result === undefined);

interface Label {
  /** What a branch to it takes along. */
  readonly types: readonly ValueType[];
  readonly loop: boolean;
}

/** Makes statements, blocks, branches and calls. Loops and calls are bounded by the budget. */
export class ControlMaker extends ValueMaker {
  /** The innermost last; the function's own comes first. */
  readonly #labels: Label[] = [];

  function(): void {
    this.#labels.push({ types: this.own.results, loop: false });
    this.spend();
    this.put(0x23, BUDGET_GLOBAL);
    this.i32(0);
    this.put(0x4c);
    this.put(IF, 0x40);
    for (const type of this.own.results) this.leaf(type);
    this.put(0x0f);
    this.put(END);
    while (this.left > 0) this.statement(4);
    this.values(this.own.results, 2);
  }

  statement(depth: number): void {
    if (depth <= 0) return this.#assign(1);
    switch (this.by(16)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return this.#assign(depth);
      case 4:
      case 5:
        return this.operation(this.#store(), depth - 1);
      case 6:
        return this.#bulkMemory(depth - 1);
      case 7:
        return this.#bulkTable(depth - 1);
      case 8:
      case 9:
        return this.#loop(depth - 1);
      case 10:
        return this.#branch(depth - 1);
      case 11:
        return this.#leave(depth - 1);
      case 12:
        return this.#switch(depth - 1);
      case 13:
        return this.#call(depth - 1);
      case 14:
        return this.#block([], depth - 1);
      default:
        if (this.rarely(6)) this.put(0x01);
        else this.#either([], depth - 1);
    }
  }

  #store(): (typeof STORES)[number] {
    const vectors = this.outline.features.vectors;
    return chosen(
      STORES.filter(({ operands }) => vectors || !operands.includes("v128")),
      this.by,
    );
  }

  #assign(depth: number): void {
    const type = this.outline.valueType(this.by);
    this.value(type, depth);
    const locals = [...this.locals.keys()].filter((index) => this.locals[index] === type);
    if (locals.length > 0 && this.rarely(3)) this.put(0x22, ...unsigned(chosen(locals, this.by)));
    this.sink(type);
  }

  protected compound(type: ValueType, depth: number): void {
    switch (this.by(4)) {
      case 0:
        return this.#block([type], depth);
      case 1:
        return this.#either([type], depth);
      case 2:
        return this.#valuedSwitch(type, depth);
      default: {
        this.value(type, depth);
        const outer = [...this.#labels.keys()].filter((index) => this.#labels[index]?.types.join() === type);
        const target = outer.find((index) => this.#labels[index]?.loop === false);
        if (target === undefined) return;
        this.value("i32", depth);
        this.put(0x0d, ...unsigned(this.#labels.length - 1 - target));
      }
    }
  }

  #blockType(parameters: readonly ValueType[], results: readonly ValueType[]): number[] {
    if (parameters.length === 0 && results.length === 0 && !this.rarely(8)) return [0x40];
    const [only] = results;
    if (parameters.length === 0 && results.length === 1 && only !== undefined && !this.rarely(8))
      return [TYPE_BYTE[only]];
    return signed(BigInt(this.outline.intern(parameters, results)));
  }

  #someTypes(most: number): ValueType[] {
    return Array.from({ length: this.rarely(2) ? 0 : this.by(most + 1) }, () =>
      this.outline.valueType(this.by),
    );
  }

  /** What stands in a block between its parameters, which it takes off, and its results, which it leaves. */
  #inside(
    parameters: readonly ValueType[],
    label: Label,
    results: readonly ValueType[],
    depth: number,
  ): void {
    this.#labels.push(label);
    for (const type of parameters.toReversed()) this.sink(type);
    for (let count = this.by(3); count > 0; count -= 1) this.statement(depth);
    this.values(results, depth);
    this.#labels.pop();
  }

  #block(results: readonly ValueType[], depth: number): void {
    const parameters = this.#someTypes(2);
    const more = results.length === 0 ? [] : this.#someTypes(1);
    const all = [...results, ...more];
    this.values(parameters, depth - 1);
    this.put(BLOCK, ...this.#blockType(parameters, all));
    this.#inside(parameters, { types: all, loop: false }, all, depth);
    this.put(END);
    for (const type of more.toReversed()) this.sink(type);
  }

  #either(results: readonly ValueType[], depth: number): void {
    const parameters = this.#someTypes(1);
    this.values(parameters, depth - 1);
    this.value("i32", depth);
    this.put(IF, ...this.#blockType(parameters, results));
    this.#inside(parameters, { types: results, loop: false }, results, depth);
    if (results.length > 0 || parameters.length > 0 || this.rarely(2)) {
      this.put(ELSE);
      this.#inside(parameters, { types: results, loop: false }, results, depth);
    }
    this.put(END);
  }

  /** A loop whose way back takes its parameters along. */
  #loop(depth: number): void {
    const parameters = this.#someTypes(2);
    const results = this.#someTypes(1);
    this.values(parameters, depth - 1);
    this.put(LOOP, ...this.#blockType(parameters, results));
    this.spend();
    this.#labels.push({ types: parameters, loop: true });
    for (const type of parameters.toReversed()) this.sink(type);
    for (let count = 1 + this.by(3); count > 0; count -= 1) this.statement(depth);
    this.values(parameters, depth - 1);
    this.goOn(depth - 1);
    this.put(0x0d, 0);
    for (const type of parameters.toReversed()) this.sink(type);
    this.values(results, depth - 1);
    this.#labels.pop();
    this.put(END);
    for (const type of results.toReversed()) this.sink(type);
  }

  /** A branch that may be taken, out of any block around or back to a loop's beginning. */
  #branch(depth: number): void {
    const target = this.by(this.#labels.length);
    const label = this.#labels[this.#labels.length - 1 - target];
    if (label === undefined) return;
    this.values(label.types, depth);
    if (label.loop) this.goOn(depth);
    else this.value("i32", depth);
    this.put(0x0d, ...unsigned(target));
    for (const type of label.types.toReversed()) this.sink(type);
  }

  /** An `if` that is left for good, with code behind that never runs. */
  #leave(depth: number): void {
    this.goOn(depth);
    this.put(IF, 0x40);
    this.#labels.push({ types: [], loop: false });
    const target = this.by(this.#labels.length);
    const label = this.#labels[this.#labels.length - 1 - target];
    switch (this.by(this.outline.features.tailCalls ? 5 : 3)) {
      case 0:
        this.values(this.own.results, depth);
        this.put(0x0f);
        break;
      case 1:
        if (this.rarely(12)) this.put(0x00);
        break;
      case 2:
        this.values(label?.types ?? [], depth);
        this.put(0x0c, ...unsigned(target));
        break;
      default:
        this.#tailCall(depth);
    }
    const last = this.code.at(-1)?.code ?? 0;
    if ([0x00, 0x0c, 0x0f, 0x12, 0x13].includes(last))
      for (let count = this.by(4); count > 0; count -= 1) this.#dead();
    this.#labels.pop();
    this.put(END);
  }

  /** Code that is never reached, valid because the stack there holds whatever is asked for. */
  #dead(): void {
    const sinks: readonly (() => void)[] = [
      () => this.put(0x1a),
      () => this.put(0x6a),
      () => this.put(0xa0),
      () => this.put(0x0c, 0),
      () => this.put(0x0d, 0),
      () => this.put(0x0e, 1, 0, 0),
      () => this.put(0x00),
      () => this.put(0x24, BUDGET_GLOBAL),
      () => this.put(0xfc0b, 0),
      () => {
        this.put(LOOP, 0x40);
        this.put(0x0c, 0);
        this.put(END);
      },
      () => {
        this.i32(1);
        this.put(IF, 0x40);
        this.put(0x00);
        this.put(ELSE);
        this.put(END);
      },
    ];
    const before = this.code.length;
    chosen(sinks, this.by)();
    const pushed = this.code.slice(before).some(({ code }) => code === 0x6a || code === 0xa0);
    if (pushed) this.put(0x1a);
  }

  /** `br_table` into blocks around it, and now and then out of all. */
  #switch(depth: number): void {
    const cases = 1 + this.by(4);
    for (let count = 0; count < cases; count += 1) {
      this.put(BLOCK, 0x40);
      this.#labels.push({ types: [], loop: false });
    }
    const targets = [...this.#labels.keys()]
      .filter((index) => this.#labels[index]?.loop === false && this.#labels[index]?.types.length === 0)
      .map((index) => this.#labels.length - 1 - index);
    this.value("i32", depth);
    if (!this.rarely(3)) {
      this.i32(7);
      this.put(0x71);
    }
    const table = Array.from({ length: this.by(6) }, () => unsigned(chosen(targets, this.by)));
    this.put(0x0e, ...unsigned(table.length), ...table.flat(), ...unsigned(chosen(targets, this.by)));
    for (let count = 0; count < cases; count += 1) {
      this.#labels.pop();
      this.put(END);
      if (this.rarely(2)) this.statement(depth - 1);
    }
  }

  #valuedSwitch(type: ValueType, depth: number): void {
    const blockType = this.#blockType([], [type]);
    this.put(BLOCK, ...blockType);
    this.put(BLOCK, ...blockType);
    this.#labels.push({ types: [type], loop: false }, { types: [type], loop: false });
    this.values([type, "i32"], depth);
    this.put(0x0e, 2, 0, 1, this.by(2));
    this.#labels.pop();
    this.put(END);
    this.statement(depth);
    this.#labels.pop();
    this.put(END);
  }

  #call(depth: number): void {
    const target = this.by(this.outline.functions.length);
    const type = this.outline.functions[target] ?? 0;
    const { parameters, results } = this.outline.signature(type);
    this.values(parameters, depth);
    if (this.rarely(2)) this.put(0x10, ...unsigned(target));
    else {
      if (this.rarely(20)) this.entry(0, depth);
      else this.i32(target);
      this.put(0x11, ...unsigned(type), 0);
    }
    for (const each of results.toReversed()) this.sink(each);
  }

  #tailCall(depth: number): void {
    const wanted = this.own.results.join();
    const targets = [...this.outline.functions.keys()].filter(
      (index) => this.outline.signature(this.outline.functions[index] ?? 0).results.join() === wanted,
    );
    if (targets.length === 0) return;
    const target = chosen(targets, this.by);
    const type = this.outline.functions[target] ?? 0;
    this.values(this.outline.signature(type).parameters, depth);
    if (this.rarely(2)) return this.put(0x12, ...unsigned(target));
    this.i32(target);
    this.put(0x13, ...unsigned(type), 0);
  }

  #length(most: number, depth: number): void {
    if (this.rarely(100)) this.value("i32", depth);
    else this.i32(this.by(most));
  }

  #bulkMemory(depth: number): void {
    switch (this.by(8)) {
      case 0:
        if (this.rarely(6)) this.put(0xfc09, this.by(DATA_SEGMENTS));
        return;
      case 1:
      case 2: {
        this.address(depth);
        const from = this.by(SEGMENT_BYTES);
        this.i32(from);
        this.#length(SEGMENT_BYTES - from + 1, depth);
        return this.put(0xfc08, 1 + this.by(DATA_SEGMENTS - 1), 0);
      }
      case 3:
      case 4:
      case 5:
        this.address(depth);
        this.address(depth);
        this.#length(this.rarely(2) ? 20 : 5_000, depth);
        return this.put(0xfc0a, 0, 0);
      default:
        this.address(depth);
        this.value("i32", depth);
        this.#length(this.rarely(2) ? 20 : 5_000, depth);
        return this.put(0xfc0b, 0);
    }
  }

  #bulkTable(depth: number): void {
    switch (this.by(6)) {
      case 0:
        if (this.rarely(6)) this.put(0xfc0d, this.by(ELEMENT_SEGMENTS));
        return;
      case 1:
        this.i32(this.by(3));
        this.i32(0);
        this.#length(3, depth);
        return this.put(0xfc0c, 1, 1);
      case 2:
        this.i32(this.by(3));
        this.i32(this.by(3));
        this.#length(3, depth);
        return this.put(0xfc0e, 1, this.by(2));
      case 3:
        this.i32(this.by(3));
        this.value("funcref", depth);
        this.#length(3, depth);
        return this.put(0xfc11, 1);
      default: {
        const table = this.rarely(10) ? 0 : 1;
        this.entry(table, depth);
        this.value("funcref", depth);
        return this.put(0x26, table);
      }
    }
  }
}

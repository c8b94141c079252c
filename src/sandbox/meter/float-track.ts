import { NAN } from "../decode/opcodes.ts";
import { grown, grownBytes } from "./body-plan.ts";
import { shapeOf, USE } from "./float-use.ts";
import { LocalFlow } from "./local-flow.ts";

/** Operands further up are not followed: what would stand there is canonicalised at once. */
const FOLLOWED_HEIGHT = 16_384;

/** Passes over the assignments of a body before all locals concerned are taken for exact. */
const MOST_PASSES = 8;

/** What is known of an operand, besides (value + 1) · 2, plus 1 when its sign was changed since. */
export const OPERAND = {
  /** Its bits are as they must be. */
  exact: 0,
  /** It is not a NaN. */
  number: -1,
} as const;

/** Somebody sees the bits of a value. The other bits of a demand, `1 << NAN.x`, say by which shape it is read. */
const SEEN = 1;

/** A value was assigned to a local or place, where more may happen to it. */
const COPIED = 64;

/**
 * Follows which operands and locals of a function body may hold a NaN whose bits depend on the machine, so that such a
 * NaN is made canonical only where its bits can be seen. The result is as if every arithmetic instruction made its NaN
 * canonical at once.
 *
 * A value is the result of an arithmetic instruction, or a read of a local, or one of two by `select`. Within straight code a
 * local stands for what was assigned last. Elsewhere it is exact when one of its assignments is that may be read (a load, a
 * parameter, a call …), since those bits must not change: then the other ones are canonicalised. It is loose when
 * all are loose or no NaN: then reads are that are seen.
 */
export class FloatTrack {
  /** Whether anything is followed in this body: else no operand is a value. */
  active = false;
  /** Bit `1 << NAN.x` for each kind of canonicalisation that needs a temporary local. */
  temporaries = 0;
  /** Whether a local's assignments may be read; active when the function has float locals. */
  readonly flow: LocalFlow = new LocalFlow();
  readonly #enabled: boolean;
  #operands: Int32Array = new Int32Array(FOLLOWED_HEIGHT);
  /** Parameters and locals; places of `select` are numbered after them. */
  #variables = 0;
  #places = 0;
  #parameters = 0;
  /** Kind of NAN by local; 0: no float. Vectors have NAN.f32x4 here. */
  #types: Uint8Array = new Uint8Array(256);
  #exact: Uint8Array = new Uint8Array(256);
  /** Bits `1 << NAN.x` of the loose values assigned. */
  #kinds: Uint8Array = new Uint8Array(256);

  #values = 0;
  #valueKinds: Uint8Array = new Uint8Array(256);
  /** The local or place that a value is read from; -1: the result of arithmetic. */
  #origins: Int32Array = new Int32Array(256);
  #demands: Uint8Array = new Uint8Array(256);

  #assignments = 0;
  #targets: Int32Array = new Int32Array(256);
  #sources: Int32Array = new Int32Array(256);

  /** @param enabled false: nothing is canonicalised, to measure what it costs */
  constructor(enabled: boolean) {
    this.#enabled = enabled;
  }

  /** Forgets the body before. @param highest its highest operand stack */
  reset(highest: number): void {
    if (this.active) this.#operands.fill(0, 0, Math.min(highest, FOLLOWED_HEIGHT));
    this.active = false;
    this.flow.active = false;
    this.temporaries = 0;
  }

  activate(variables: number): void {
    if (!this.#enabled || this.active) return;
    this.active = true;
    this.#variables = variables;
    this.#places = variables;
    this.#parameters = 0;
    this.#values = 0;
    this.#assignments = 0;
    while (this.#types.length < variables) this.#growLocals();
    this.#types.fill(0, 0, variables);
    this.#exact.fill(0, 0, variables);
    this.#kinds.fill(0, 0, variables);
  }

  #growLocals(): void {
    this.#types = grownBytes(this.#types);
    this.#exact = grownBytes(this.#exact);
    this.#kinds = grownBytes(this.#kinds);
  }

  /** Float locals, after `activate`. Parameters are those below `#parameters`. */
  declare(first: number, count: number, kind: number): void {
    this.#types.fill(kind, first, first + count);
  }

  /** All locals are declared; the first ones are parameters, which hold bits from elsewhere. */
  follow(parameters: number): void {
    this.#parameters = parameters;
    this.flow.start(this.#variables);
  }

  isFloat(local: number): boolean {
    return this.#types[local] !== NAN.none;
  }

  operand(height: number): number {
    return this.#operands[height] ?? OPERAND.exact;
  }

  setOperand(height: number, operand: number): void {
    if (height < FOLLOWED_HEIGHT) this.#operands[height] = operand;
    else if (operand > 0) this.#demand(operand, SEEN);
  }

  /** `count` exact operands are pushed at `height`. */
  pushExact(height: number, count: number): void {
    if (count === 1 && height < FOLLOWED_HEIGHT) this.#operands[height] = OPERAND.exact;
    else if (count > 0 && height < FOLLOWED_HEIGHT)
      this.#operands.fill(OPERAND.exact, height, Math.min(height + count, FOLLOWED_HEIGHT));
  }

  /** A new value; give it to an event, and `operandOf` it to the stack. @param origin see `#origins` */
  addValue(kind: number, origin: number): number {
    const value = this.#values;
    if (value === this.#origins.length) {
      this.#origins = grown(this.#origins);
      this.#valueKinds = grownBytes(this.#valueKinds);
      this.#demands = grownBytes(this.#demands);
    }
    this.#valueKinds[value] = kind;
    this.#origins[value] = origin;
    this.#demands[value] = 0;
    this.#values = value + 1;
    return value;
  }

  /** The value of a read of a local of which `flow` knows nothing. */
  read(local: number): number {
    const value = this.addValue(this.#types[local] ?? NAN.none, local);
    this.flow.noteRead(local, value);
    return value;
  }

  /** An operand is assigned to a local. Returns what the local holds now. */
  assign(local: number, operand: number): number {
    const held = this.#unsigned(operand);
    if (held > 0) this.#demand(held, COPIED);
    if (!this.flow.assign(local, held)) this.#assign(local, held);
    return held;
  }

  /** A changed sign cannot be had back from a canonical NaN: such a value must be canonical before it is stored. */
  #unsigned(operand: number): number {
    if (operand <= 0 || (operand & 1) === 0) return operand;
    this.#demand(operand, SEEN);
    return OPERAND.exact;
  }

  /** An operand may be read from a local or place. */
  #assign(local: number, operand: number): void {
    if (operand === OPERAND.number) return;
    if (operand === OPERAND.exact) {
      this.#exact[local] = 1;
      return;
    }
    const at = this.#assignments;
    if (at === this.#targets.length) {
      this.#targets = grown(this.#targets);
      this.#sources = grown(this.#sources);
    }
    this.#targets[at] = local;
    this.#sources[at] = valueOf(operand);
    this.#assignments = at + 1;
  }

  /** The bits of the `count` operands below `height` can be seen from now on. */
  observe(count: number, height: number): void {
    for (let at = Math.max(0, height - count); at < height && at < FOLLOWED_HEIGHT; at += 1) {
      const operand = this.#operands[at] ?? 0;
      if (operand > 0) this.#demand(operand, SEEN);
    }
  }

  #demand(operand: number, demand: number): void {
    const value = valueOf(operand);
    this.#demands[value] = (this.#demands[value] ?? 0) | demand;
  }

  /**
   * An instruction is about to pop `pops` operands off a stack of this height; returns what is known of its result,
   * unless it is arithmetic. For `select` that may be a new value.
   */
  consume(use: number, pops: number, height: number): number {
    switch (use) {
      case USE.observe:
        this.observe(pops, height);
        return OPERAND.exact;
      case USE.free:
        return OPERAND.exact;
      case USE.pass:
        return signChanged(this.operand(height - 1));
      case USE.copySign:
        this.observe(1, height);
        return signChanged(this.operand(height - 2));
      case USE.select:
        return this.#select(height);
      default:
        return this.#consumeVectors(use, pops, height);
    }
  }

  #select(height: number): number {
    const first = this.operand(height - 3);
    const second = this.operand(height - 2);
    if (first <= 0 && second <= 0) return first === second ? first : OPERAND.exact;
    const place = this.#places;
    if (place === this.#types.length) this.#growLocals();
    this.#places = place + 1;
    this.#exact[place] = 0;
    this.#kinds[place] = 0;
    for (const operand of [first, second]) {
      if (operand > 0) this.#demand(operand, COPIED);
      this.#assign(place, this.#unsigned(operand));
    }
    return operandOf(this.addValue(this.#valueKinds[valueOf(Math.max(first, second))] ?? NAN.none, place));
  }

  #consumeVectors(use: number, pops: number, height: number): number {
    const shape = shapeOf(use);
    let passed: number = OPERAND.exact;
    for (let at = Math.max(0, height - pops); at < height; at += 1) {
      const operand = this.operand(at);
      passed = operand;
      if (operand <= 0) continue;
      const value = valueOf(operand);
      const computed = this.#origins[value] === -1;
      if (!computed) this.#demand(operand, 1 << shape);
      else if (this.#valueKinds[value] !== shape) {
        this.#demand(operand, SEEN);
        passed = OPERAND.exact;
      }
    }
    return use === USE.pass32 || use === USE.pass64 ? signChanged(passed) : OPERAND.exact;
  }

  /** Decides which locals are exact, once the body is read. Afterwards `kindToWrite` may be asked. */
  resolve(): void {
    if (!this.active) return;
    if (this.flow.active) this.#resolveFlow();
    let settled = false;
    for (let pass = 0; pass < MOST_PASSES && !settled; pass += 1) settled = !this.#spread();
    for (let i = 0; i < this.#assignments; i += 1) {
      const target = this.#targets[i] ?? 0;
      const source = this.#sources[i] ?? 0;
      if (!settled) this.#exact[target] = 1;
      if (this.#exact[target] === 1) this.#demands[source] = (this.#demands[source] ?? 0) | SEEN;
    }
    for (let value = 0; value < this.#values; value += 1)
      if (this.readFrom(value) === -1) this.temporaries |= 1 << this.kindToWrite(value);
  }

  #resolveFlow(): void {
    this.flow.finish((value) => this.#demands[value] !== 0);
    for (let local = 0; local < this.#parameters; local += 1)
      if (this.isFloat(local) && this.flow.isSeenFromStart(local)) this.#exact[local] = 1;
    this.flow.forEachKept((local, operand) => this.#assign(local, operand));
  }

  /** One pass over the assignments; whether it changed anything. */
  #spread(): boolean {
    let changed = false;
    for (let i = 0; i < this.#assignments; i += 1) {
      const target = this.#targets[i] ?? 0;
      const source = this.#sources[i] ?? 0;
      const origin = this.#origins[source] ?? -1;
      const known = this.#kinds[target] ?? 0;
      const kinds = known | (origin < 0 ? 1 << (this.#valueKinds[source] ?? 0) : (this.#kinds[origin] ?? 0));
      // Lanes of both widths cannot be made canonical at once.
      const mixed = kinds === ((1 << NAN.f32x4) | (1 << NAN.f64x2));
      const exact = mixed || (origin >= 0 && this.#exact[origin] === 1);
      if (kinds !== known || (exact && this.#exact[target] === 0)) changed = true;
      this.#kinds[target] = kinds;
      if (exact) this.#exact[target] = 1;
    }
    return changed;
  }

  /** The local that a value was read from; -1 when it is on the operand stack only. */
  readFrom(value: number): number {
    const origin = this.#origins[value] ?? -1;
    return origin < this.#variables ? origin : -1;
  }

  /** How a value has to be made canonical, of NAN; none when it need not. */
  kindToWrite(value: number): number {
    const demand = (this.#demands[value] ?? 0) & ~COPIED;
    const origin = this.#origins[value] ?? -1;
    if (origin < 0) return demand === 0 ? NAN.none : (this.#valueKinds[value] ?? NAN.none);
    const kinds = this.#kinds[origin] ?? 0;
    if (this.#exact[origin] === 1 || kinds === 0 || (demand & ~kinds) === 0) return NAN.none;
    return 31 - Math.clz32(kinds);
  }
}

/** An operand that is this value. */
export function operandOf(value: number): number {
  return (value + 1) * 2;
}

function valueOf(operand: number): number {
  return (operand >> 1) - 1;
}

function signChanged(operand: number): number {
  return operand > 0 ? operand | 1 : operand;
}

import { type Instruction, signed, TYPE_BYTE, unsigned, type ValueType } from "./instructions.contract.ts";

/** A module before it is written down, so that it can be written in two ways: as it is, and with its own bookkeeping. */

export interface Signature {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
}

export interface ProgramFunction {
  readonly type: number;
  readonly locals: readonly ValueType[];
  /** Without the last `end`. */
  readonly body: readonly Instruction[];
}

export interface Program {
  readonly types: readonly Signature[];
  readonly functions: readonly ProgramFunction[];
  readonly globals: readonly { readonly type: ValueType; readonly initial: Instruction }[];
  readonly tables: readonly { readonly minimum: number; readonly maximum: number }[];
  /** Pages, at least and at most. */
  readonly memory: readonly [number, number];
  /** Functions that are put into table 0 from entry 0; `passive` ones wait for `table.init`. */
  readonly elements: readonly { readonly passive: boolean; readonly functions: readonly number[] }[];
  readonly data: readonly {
    readonly passive: boolean;
    readonly offset: number;
    readonly bytes: readonly number[];
  }[];
  readonly exports: readonly {
    readonly name: string;
    readonly kind: 0 | 1 | 2 | 3;
    readonly index: number;
  }[];
  readonly start: number | undefined;
}

function vector(items: readonly (readonly number[])[]): number[] {
  return [...unsigned(items.length), ...items.flat()];
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

function named(text: string): number[] {
  const bytes = [...new TextEncoder().encode(text)];
  return [...unsigned(bytes.length), ...bytes];
}

/** Consecutive locals of one type as one group. */
function localGroups(locals: readonly ValueType[]): number[] {
  const groups: [number, ValueType][] = [];
  for (const type of locals) {
    const last = groups.at(-1);
    if (last?.[1] === type) last[0] += 1;
    else groups.push([1, type]);
  }
  return vector(groups.map(([count, type]) => unsigned(count).concat(TYPE_BYTE[type])));
}

/** A function's body with its size. */
export function bodyOf(locals: readonly ValueType[], code: readonly Instruction[]): number[] {
  const content = localGroups(locals);
  for (const { bytes } of code) for (const byte of bytes) content.push(byte);
  content.push(0x0b);
  return [...unsigned(content.length), ...content];
}

/** The module as a compiler would have written it. */
export function writeProgram(program: Program): Uint8Array<ArrayBuffer> {
  const bodies = program.functions.map(({ locals, body }) => bodyOf(locals, body));
  return writeModule(program, bodies);
}

const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const END = 0x0b;

/** The module with other bodies, one for each of its functions. */
export function writeModule(
  program: Program,
  bodies: readonly (readonly number[])[],
): Uint8Array<ArrayBuffer> {
  const { types, functions, globals, tables, memory, elements, data, exports, start } = program;
  const sections = [
    section(1, vector(types.map(signatureBytes))),
    section(3, vector(functions.map(({ type }) => unsigned(type)))),
    section(
      4,
      vector(tables.map(({ minimum, maximum }) => [[0x70, 1], unsigned(minimum), unsigned(maximum)].flat())),
    ),
    section(5, [[1, 1], unsigned(memory[0]), unsigned(memory[1])].flat()),
    section(6, vector(globals.map(({ type, initial }) => [TYPE_BYTE[type], 1].concat(initial.bytes, END)))),
    section(7, vector(exports.map(({ name, kind, index }) => named(name).concat(kind, unsigned(index))))),
    start === undefined ? [] : section(8, unsigned(start)),
    section(9, vector(elements.map(elementBytes))),
    section(12, unsigned(data.length)),
    section(10, vector(bodies)),
    section(11, vector(data.map(dataBytes))),
  ];
  return Uint8Array.from([HEADER, ...sections].flat());
}

function signatureBytes({ parameters, results }: Signature): number[] {
  return [0x60, ...typeList(parameters), ...typeList(results)];
}

function typeList(types: readonly ValueType[]): number[] {
  return vector(types.map((type) => [TYPE_BYTE[type]]));
}

function elementBytes({ passive, functions }: Program["elements"][number]): number[] {
  return [...(passive ? [1, 0] : [0, 0x41, 0, END]), ...vector(functions.map(unsigned))];
}

function dataBytes({ passive, offset, bytes }: Program["data"][number]): number[] {
  const place = passive ? [1] : [0, 0x41, ...signed(BigInt(offset)), END];
  return [...place, ...unsigned(bytes.length), ...bytes];
}

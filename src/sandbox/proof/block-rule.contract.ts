import type { Instruction } from "./instructions.contract.ts";

/** Fuel by code of an instruction. */
export type CostOf = (code: number) => number;

interface Frame {
  /** Place in the list of blocks of the one that instructions in this frame belong to now. */
  block: number;
  /** How many frames out the farthest branch from within goes to, counted from the outermost. */
  farthest: number;
}

/** The unsigned numbers after an opcode of one byte. */
function numbersOf({ bytes }: Instruction): number[] {
  const numbers: number[] = [];
  let value = 0;
  let scale = 1;
  for (const byte of bytes.slice(1)) {
    value += (byte & 127) * scale;
    scale *= 128;
    if (byte >= 128) continue;
    numbers.push(value);
    value = 0;
    scale = 1;
  }
  return numbers;
}

/** How many frames out an instruction may branch; empty where it goes on. */
function branches(each: Instruction, depth: number): readonly number[] {
  const numbers = numbersOf(each);
  switch (each.code) {
    case 0x0c:
    case 0x0d:
      return numbers;
    case 0x0e:
      return numbers.slice(1);
    case 0x0f:
    case 0x12:
    case 0x13:
      return [depth - 1];
    default:
      return [];
  }
}

/**
 * The profile's blocks, told once more: what a function pays, and where. A block begins at the function's entry, at the
 * inside of a loop, at each arm of an `if`, after every branch, return, tail call and `unreachable`, and after the `end` of
 * a frame out of which a branch goes farther than to that end. Every instruction belongs to the newest block of its frame;
 * a frame begins with the block of the frame around it.
 *
 * @returns for each instruction, and for the end of the body, what is paid just before it
 */
export function blockCharges(body: readonly Instruction[], cost: CostOf): readonly number[] {
  const blocks: { at: number; cost: number }[] = [{ at: 0, cost: 0 }];
  const frames: Frame[] = [{ block: 0, farthest: 0 }];
  const begin = (at: number): void => {
    innermost(frames).block = blocks.push({ at, cost: 0 }) - 1;
  };
  body.forEach((each, index) => {
    const { code } = each;
    const frame = innermost(frames);
    const block = blocks[frame.block];
    if (block !== undefined) block.cost += cost(code);
    for (const out of branches(each, frames.length))
      frame.farthest = Math.min(frame.farthest, frames.length - 1 - out);
    switch (code) {
      case 0x02:
      case 0x03:
      case 0x04:
        frames.push({ block: frame.block, farthest: frames.length });
        if (code !== 0x02) begin(index + 1);
        return;
      case 0x0b: {
        frames.pop();
        const around = innermost(frames);
        around.farthest = Math.min(around.farthest, frame.farthest);
        if (frame.farthest < frames.length) begin(index + 1);
        return;
      }
      case 0x00:
      case 0x05:
      case 0x0c:
      case 0x0d:
      case 0x0e:
      case 0x0f:
      case 0x12:
      case 0x13:
        return begin(index + 1);
      default:
    }
  });
  const charges = Array.from({ length: body.length + 1 }, () => 0);
  for (const { at, cost: amount } of blocks) charges[at] = (charges[at] ?? 0) + amount;
  return charges;
}

function innermost(frames: readonly Frame[]): Frame {
  const frame = frames.at(-1);
  if (frame === undefined) throw new RangeError("more ends than beginnings");
  return frame;
}

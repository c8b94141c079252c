import { AirError, type AirInstruction } from "./air-tree.ts";

export interface Turn {
  readonly isParallel: boolean;
  /** What comes behind `next` runs on the way back: the last element first. */
  readonly isBackwards: boolean;
  readonly goesOn: boolean;
  /** What is done for each element, without the `next`. */
  readonly body: AirInstruction | undefined;
}

/** Where a fold's body goes on to the next element. @throws AirError where that is not at its end or beginning. */
export function turnOf(body: AirInstruction, iterator: string): Turn {
  if (!hasNext(body, iterator)) return { isParallel: false, isBackwards: false, goesOn: false, body };
  const { line, column } = body;
  if (isNext(body, iterator)) return { isParallel: false, isBackwards: false, goesOn: true, body: undefined };
  if (body.kind === "seq" || body.kind === "par") {
    const { left, right } = body;
    const isParallel = body.kind === "par";
    if (isNext(right, iterator) && !hasNext(left, iterator))
      return { isParallel, isBackwards: false, goesOn: true, body: left };
    if (isNext(left, iterator) && !hasNext(right, iterator))
      return { isParallel, isBackwards: !isParallel, goesOn: true, body: right };
    if (!isParallel && right.kind === "seq" && !hasNext(left, iterator)) {
      const rest = turnOf(right, iterator);
      if (!rest.isBackwards && rest.body !== undefined)
        return { ...rest, body: { line, column, kind: "seq", left, right: rest.body } };
    }
  }
  throw new AirError(
    body,
    `(next ${iterator}) has to be the first or last thing a fold does in a seq or par`,
  );
}

function isNext(instruction: AirInstruction, iterator: string): boolean {
  return instruction.kind === "next" && instruction.iterator === iterator;
}

function hasNext(instruction: AirInstruction, iterator: string): boolean {
  switch (instruction.kind) {
    case "next":
      return instruction.iterator === iterator;
    case "seq":
    case "par":
    case "xor":
      return hasNext(instruction.left, iterator) || hasNext(instruction.right, iterator);
    case "match":
    case "mismatch":
    case "new":
      return hasNext(instruction.body, iterator);
    case "fold":
      return (
        hasNext(instruction.body, iterator) ||
        (instruction.last !== undefined && hasNext(instruction.last, iterator))
      );
    case "ap":
    case "call":
    case "canon":
    case "fail":
    case "never":
    case "null":
    case "rethrow":
      return false;
    default:
      return instruction satisfies never;
  }
}

import type { Draw } from "../../../e2e/soak/chance.ts";
import { ControlMaker } from "./control-maker.contract.ts";
import type { Outline } from "./outline.contract.ts";
import type { ProgramFunction } from "./program.contract.ts";
import { chosen, type ValueType } from "./instructions.contract.ts";

const LOCAL_TYPES: readonly ValueType[] = ["i32", "i64", "f32", "f64", "v128", "funcref", "externref"];

/** Makes the body of a function at random: any accepted instruction, always valid, always at an end some time. */
export function makeFunction(outline: Outline, type: number, by: Draw): ProgramFunction {
  const signature = outline.signature(type);
  const locals = Array.from({ length: by(7) }, () => chosen(LOCAL_TYPES, by));
  const maker = new ControlMaker(outline, by, signature, [...signature.parameters, ...locals], 60 + by(240));
  maker.function();
  return { type, locals, body: maker.code };
}

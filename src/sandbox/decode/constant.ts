import { type ByteReader, refuseModule } from "./byte-reader.ts";
import { OP } from "./opcodes.ts";
import { readReferenceType } from "./value-types.ts";

/** What a constant expression may refer to. */
interface ConstantScope {
  readonly globals: number;
  readonly functionTypes: Uint32Array;
}

/** Steps over a constant expression: one constant, `global.get`, `ref.null` or `ref.func`, then `end`. */
export function readConstant(reader: ByteReader, scope: ConstantScope): void {
  const at = reader.at;
  const opcode = reader.u8("constant expression");
  switch (opcode) {
    case OP.i32Const:
      reader.skipSigned("i32 constant", 5);
      break;
    case OP.i64Const:
      reader.skipSigned("i64 constant", 10);
      break;
    case OP.f32Const:
      reader.skip(4, "f32 constant");
      break;
    case OP.f64Const:
      reader.skip(8, "f64 constant");
      break;
    case OP.vectorPrefix:
      if (reader.u32("vector instruction") !== 12) refuseModule("a constant expression computes", at);
      reader.skip(16, "v128 constant");
      break;
    case OP.globalGet:
      reader.index("global", scope.globals);
      break;
    case OP.refNull:
      readReferenceType(reader, "type of a null reference");
      break;
    case OP.refFunc:
      reader.index("function", scope.functionTypes.length);
      break;
    default:
      refuseModule(
        `instruction 0x${opcode.toString(16)} in a constant expression is not part of profile 1`,
        at,
      );
  }
  if (reader.u8("constant expression") !== OP.end)
    refuseModule("a constant expression of several instructions", at);
}

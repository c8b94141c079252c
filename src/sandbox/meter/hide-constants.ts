import { NAN } from "../decode/opcodes.ts";
import { EVENT } from "./body-plan.ts";
import type { ScanContext } from "./scan-context.ts";

/**
 * JavaScriptCore's baseline compiler (BBQ; seen in WebKitGTK 2.50.6 on x86-64, which compiles functions with vectors with
 * it at once, others when they are hot) computes three instructions wrongly where it knows an operand. `i32.shr_u` of two
 * constants does not take the count modulo 32: a count of 32 or more gives 0. `copysign` with a constant negative sign
 * subtracts from 0: zero keeps its sign. Constants it has computed itself count as well. Here they are hidden from it:
 * the count is masked, the sign goes through a local. Other compilers remove both again; what compilers emit, a literal
 * count below 32, stays as it is. To be removed when no browser has the fault;
 * proof/constants.contract.ts finds such faults.
 */

const I32_SHR_U = 0x76;
const F32_COPYSIGN = 0x98;
const F64_COPYSIGN = 0xa6;

/** 1 for instructions whose constants are hidden, by opcode byte. */
export const HIDES_CONSTANTS: Uint8Array = new Uint8Array(256);
for (const opcode of [I32_SHR_U, F32_COPYSIGN, F64_COPYSIGN]) HIDES_CONSTANTS[opcode] = 1;

/** @param at offset of the instruction. @param smallCountAt offset behind the newest literal from 0 to 31 */
export function hideConstants(context: ScanContext, opcode: number, at: number, smallCountAt: number): void {
  const { floats, plan } = context;
  if (opcode === I32_SHR_U) {
    if (smallCountAt !== at) plan.addEvent(at, EVENT.maskCount, 0);
    return;
  }
  const kind = opcode === F32_COPYSIGN ? NAN.f32 : NAN.f64;
  floats.temporaries |= 1 << kind;
  plan.addEvent(at, EVENT.hideSign, kind);
}

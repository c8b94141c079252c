import type { AirInstruction, AirValue } from "./air-tree.ts";

/** Services of Aqua's own clients: parameters come from one, the result goes to the other, errors to the third. */
export const PARAMETERS = "getDataSrv";
export const RESULT = "callbackSrv";
const ERRORS = "errorHandlingSrv";

/** Whether an instruction does nothing but tell an error to the client that started it: a run does so by itself. */
export function isErrorHandler(instruction: AirInstruction): boolean {
  const { kind } = instruction;
  if (kind !== "seq") return kind === "call" && isErrors(instruction.service);
  const { left, right } = instruction;
  return (left.kind === "null" || isErrorHandler(left)) && (right.kind === "null" || isErrorHandler(right));
}

function isErrors(service: AirValue): boolean {
  return service.kind === "constant" && service.value === ERRORS;
}

import { ERRNO, WasiError } from "./errno.ts";
import { chargeCall, type Program } from "./program.ts";

/** Parameters by letter: `i` a 32-bit number, unsigned here; `I` a 64-bit one, as it comes (signed). */
type Parameters<S extends string> = S extends `i${infer R}`
  ? [number, ...Parameters<R>]
  : S extends `I${infer R}`
    ? [bigint, ...Parameters<R>]
    : [];

/** One function of preview 1, before it belongs to a program. */
export interface WasiCall {
  /** Its type in letters: parameters, colon, results. */
  readonly signature: string;
  /** The function to import into one program's module. */
  bind(program: Program): (...args: (number | bigint)[]) => number;
}

/**
 * Defines a function that answers with an error number. What it throws as a WasiError becomes that number; other
 * exceptions end the program.
 * @param parameters its parameters in letters
 */
export function wasiCall<S extends string>(
  parameters: S,
  run: (program: Program, ...args: Parameters<S>) => void,
): WasiCall {
  return {
    signature: `${parameters}:i`,
    bind:
      (program) =>
      (...args) =>
        answer(program, () => run(program, ...unsigned(args, parameters))),
  };
}

/** Defines a function that returns nothing because it does not return. */
export function endingCall<S extends string>(
  parameters: S,
  run: (program: Program, ...args: Parameters<S>) => never,
): WasiCall {
  return {
    signature: `${parameters}:`,
    bind:
      (program) =>
      (...args) =>
        run(program, ...unsigned(args, parameters)),
  };
}

/** The engine passes exactly what the signature says: the module's import was compared with it before it ran. */
function unsigned<S extends string>(args: (number | bigint)[], parameters: S): Parameters<S> {
  args.length = parameters.length;
  for (let i = 0; i < args.length; i += 1) {
    const value = args[i];
    if (typeof value === "number") args[i] = value >>> 0;
  }
  if (!fits(args, parameters))
    throw new TypeError("a host function was called with arguments of the wrong type");
  return args;
}

function fits<S extends string>(args: readonly unknown[], parameters: S): args is Parameters<S> {
  for (let i = 0; i < parameters.length; i += 1)
    if (typeof args[i] !== (parameters[i] === "i" ? "number" : "bigint")) return false;
  return true;
}

function answer(program: Program, run: () => void): number {
  chargeCall(program);
  try {
    run();
    return ERRNO.success;
  } catch (error) {
    if (error instanceof WasiError) return error.errno;
    throw error;
  }
}

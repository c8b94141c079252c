import type { Program } from "../../wasi/program.ts";
import type { ByteSink } from "../../wasi/byte-sinks.ts";
import type { Value } from "../values/value.ts";

/** What the host's functions act upon: one per task. */
export interface HostContext {
  readonly program: Program;
  /** Where standard output goes: the output of a command, else standard error. */
  readonly stdout: ByteSink;
  /** Charges for bytes that are copied or made. @throws FailureError `out-of-fuel` */
  chargeBytes(count: number): void;
}

/** What a handle of a host's resource stands for. */
export class HostObject {
  /** The component has dropped the handle that owned it. */
  drop(_context: HostContext): void {
    // Most hold nothing that must be given back.
  }
}

/** A function that components may import. Its result is undefined when its type has none. */
export type HostFunction = (context: HostContext, args: readonly Value[]) => Value | undefined;

import type { GuestMemory } from "../guest-memory.ts";
import { BYTES_PER_FUEL, HOST_CALL_FUEL } from "../limits.ts";
import { type Gauges, takeFuel } from "../trap.ts";
import type { ErrorSink, OutputSink } from "./byte-sinks.ts";
import type { Clock } from "./clock.ts";
import type { DescriptorTable } from "./descriptor.ts";
import type { FileSystem } from "./file-system.ts";
import type { RandomStream } from "./random.ts";

/** Everything that one running WASI program can see and change. One per task. */
export interface Program {
  /** With a NUL at the end of each. */
  readonly args: readonly Uint8Array[];
  /** `NAME=value`, with a NUL at the end of each. */
  readonly env: readonly Uint8Array[];
  readonly files: FileSystem;
  readonly descriptors: DescriptorTable;
  readonly clock: Clock;
  readonly random: RandomStream;
  readonly stdout: OutputSink;
  readonly stderr: ErrorSink;
  /** Known once the module is instantiated, which is before the program can call anything. */
  instance: ProgramInstance | undefined;
}

interface ProgramInstance {
  readonly memory: GuestMemory;
  readonly gauges: Gauges;
}

function instanceOf(program: Program): ProgramInstance {
  if (program.instance === undefined) throw new TypeError("a call before the program was instantiated");
  return program.instance;
}

export function memoryOf(program: Program): GuestMemory {
  return instanceOf(program).memory;
}

/** @throws FailureError `out-of-fuel` */
function take(program: Program, amount: bigint): void {
  takeFuel(instanceOf(program).gauges, amount);
}

export function chargeCall(program: Program): void {
  take(program, HOST_CALL_FUEL);
}

/** Charges for bytes that the host is about to copy or make: one fuel per 8 begun. */
export function chargeBytes(program: Program, count: number): void {
  if (count > 0) take(program, BigInt(Math.ceil(count / BYTES_PER_FUEL)));
}

/** Ends the program with an exit code; thrown through its frames. */
export class ExitSignal extends Error {
  static override readonly name = "ExitSignal";
  override readonly name = "ExitSignal";
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`exit code ${exitCode}`);
    this.exitCode = exitCode;
  }
}

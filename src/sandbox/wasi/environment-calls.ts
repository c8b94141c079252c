import { endingCall, wasiCall, type WasiCall } from "./call.ts";
import { TICK_NS } from "./clock.ts";
import { failWith } from "./errno.ts";
import { chargeBytes, ExitSignal, memoryOf, type Program } from "./program.ts";

/** Clock ids 0 realtime, 1 monotonic, 2 and 3 processor time of process and thread (which follow the monotonic clock). */
export const CLOCK_REALTIME = 0;
export const LAST_CLOCK = 3;

function totalBytes(strings: readonly Uint8Array[]): number {
  return strings.reduce((sum, each) => sum + each.length, 0);
}

function writeSizes(program: Program, strings: readonly Uint8Array[], count: number, size: number): void {
  memoryOf(program).setU32(count, strings.length);
  memoryOf(program).setU32(size, totalBytes(strings));
}

function writeStrings(
  program: Program,
  strings: readonly Uint8Array[],
  pointers: number,
  buffer: number,
): void {
  const memory = memoryOf(program);
  chargeBytes(program, totalBytes(strings) + 4 * strings.length);
  let at = buffer;
  for (const [i, bytes] of strings.entries()) {
    memory.setU32(pointers + 4 * i, at);
    memory.slice(at, bytes.length).set(bytes);
    at += bytes.length;
  }
}

/** Arguments, environment, clocks, randomness, and the end. */
export const ENVIRONMENT_CALLS: Readonly<Record<string, WasiCall>> = {
  args_get: wasiCall("ii", (program, pointers, buffer) =>
    writeStrings(program, program.args, pointers, buffer),
  ),
  args_sizes_get: wasiCall("ii", (program, count, size) => writeSizes(program, program.args, count, size)),
  environ_get: wasiCall("ii", (program, pointers, buffer) =>
    writeStrings(program, program.env, pointers, buffer),
  ),
  environ_sizes_get: wasiCall("ii", (program, count, size) => writeSizes(program, program.env, count, size)),

  clock_res_get: wasiCall("ii", (program, clock, result) => {
    if (clock > LAST_CLOCK) failWith("inval");
    memoryOf(program).setU64(result, TICK_NS);
  }),
  clock_time_get: wasiCall("iIi", (program, clock, _precision, result) => {
    if (clock > LAST_CLOCK) failWith("inval");
    program.clock.tick();
    const { realtimeNs, elapsedNs } = program.clock;
    memoryOf(program).setU64(result, clock === CLOCK_REALTIME ? realtimeNs : elapsedNs);
  }),

  random_get: wasiCall("ii", (program, buffer, length) => {
    const target = memoryOf(program).slice(buffer, length);
    // Hashing costs about as much as four copies.
    chargeBytes(program, 4 * length);
    program.random.fill(target);
  }),

  sched_yield: wasiCall("", () => undefined),
  proc_raise: wasiCall("i", () => failWith("notsup")),
  proc_exit: endingCall("i", (_program, code) => {
    throw new ExitSignal(code);
  }),
};

import { failureCode } from "../../protocol/failure-code.ts";
import type { Failure } from "../../protocol/failure.ts";
import { FailureError } from "../../protocol/failure.ts";
import { done, failed, type LocatedFailure, type RunOutcome, usedFuel } from "../outcome.ts";
import type { TaskRequest } from "../task.ts";
import { failureOfTrap, gaugeFailure } from "../trap.ts";
import { createProgram, outputOf } from "../wasi/create-program.ts";
import { ExitSignal } from "../wasi/program.ts";
import type { CompiledComponent } from "./compile-component.ts";
import { type Entry, findEntry } from "./entry.ts";
import { argumentsFromJson } from "./json/from-json.ts";
import { toJson } from "./json/to-json.ts";
import { RunningComponent } from "./run/running-component.ts";
import { asBytes, asCase, type Value } from "./values/value.ts";

const NO_BYTES = new Uint8Array(0);

/**
 * The interface `component-1`: a component of WASI preview 2. The entry is an exported function (see findEntry); its
 * arguments are the input and its result the output, in JSON, as docs/components.md has it. A component that exports
 * `wasi:cli/run` runs as a command: standard input in, standard output out. Arguments, environment and files come from
 * the task in both cases; outside of a command standard input is empty and standard output joins standard error.
 *
 * @throws FailureError before anything of the component runs; what happens later is in the outcome
 */
export function runComponent(compiled: CompiledComponent, request: TaskRequest): RunOutcome {
  const entry = findEntry(compiled.plan, request.function.entry);
  const command = entry.kind === "command";
  const program = createProgram(command ? request : { ...request, input: NO_BYTES });
  const running = new RunningComponent(
    compiled,
    request.limits,
    program,
    command ? program.stdout : program.stderr,
  );
  const ending = runToEnd(running, entry, request);
  const fuel = usedFuel(request.limits, running.gauges.fuel.value);
  const stderr = program.stderr.take();
  const output = ending instanceof Uint8Array && command ? outputOf(program, request) : ending;
  const outcome = output instanceof Uint8Array ? done(output, fuel, stderr) : failed(output, fuel, stderr);
  return { ...outcome, memoryBytes: running.memoryBytes };
}

/** @returns the output (nothing yet for a command), or why there is none */
function runToEnd(
  running: RunningComponent,
  entry: Entry,
  request: TaskRequest,
): Uint8Array | LocatedFailure {
  try {
    const args = argumentsOf(running, entry, request);
    running.start();
    const output = outputFor(running, entry, running.call(entry.callee, args), request);
    return gaugeFailure(running.gauges) ?? output;
  } catch (error) {
    if (!(error instanceof ExitSignal)) return failureOfTrap(error, running.gauges);
    const failure = gaugeFailure(running.gauges) ?? exitFailure(error.exitCode);
    if (failure !== undefined) return failure;
    return entry.kind === "command"
      ? NO_BYTES
      : { code: failureCode("bad-output"), detail: "the component exited instead of returning a result" };
  }
}

function exitFailure(exitCode: number): Failure | undefined {
  if (exitCode === 0) return undefined;
  return { code: failureCode("exit-code"), detail: `exit code ${exitCode}` };
}

function argumentsOf(running: RunningComponent, entry: Entry, { input }: TaskRequest): readonly Value[] {
  if (entry.kind === "command") return [];
  if (entry.kind === "raw") return [input];
  // Reading and writing JSON takes about as long as eight copies.
  running.chargeBytes(8 * input.length);
  return argumentsFromJson(entry.callee.type, input);
}

function outputFor(
  running: RunningComponent,
  entry: Entry,
  result: Value | undefined,
  { limits }: TaskRequest,
): Uint8Array | Failure {
  if (entry.kind === "command")
    return asCase(result).tag === 0 ? NO_BYTES : { code: failureCode("exit-code"), detail: "exit code 1" };
  const output =
    entry.kind === "raw"
      ? asBytes(result)
      : new TextEncoder().encode(toJson(entry.callee.type.result, result, limits.outputBytes));
  if (output.length > limits.outputBytes)
    throw new FailureError(
      "output-too-large",
      `${output.length} bytes of output, the limit is ${limits.outputBytes}`,
    );
  if (entry.kind === "json") running.chargeBytes(8 * output.length);
  return output;
}

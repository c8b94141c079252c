import type { FunctionAbi } from "../../protocol/messages/session.ts";
import { cidOf, RAW } from "../../protocol/cid.ts";
import type { ThreadTask } from "../../relay/threads/sandbox-threads.ts";
import type { JobOptions } from "../../sdk/index.ts";
import { guessAbi, JOB_DEFAULTS } from "../../sdk/make-job.ts";

/** 32 zeros: a dry run is the same every time unless it is told otherwise. */
const NO_SEED = new Uint8Array(32);

/** A function as the flags describe it, to be run on any number of inputs. */
export interface LocalFunction {
  readonly cid: string;
  readonly abi: FunctionAbi;
  taskOn(input: Uint8Array, signal: AbortSignal): ThreadTask;
}

/** The same defaults as for a job, so that what runs here runs there. */
export function localFunction(module: Uint8Array, options: JobOptions, seed?: Uint8Array): LocalFunction {
  const cid: string = cidOf(RAW, module);
  const abi = options.abi ?? guessAbi(module);
  const { args = [], env = {}, files = [], inputFile, outputFile } = options;
  const common = {
    function: { cid, abi, entry: options.entry ?? "" },
    args: {
      args,
      env,
      files,
      ...(inputFile === undefined ? {} : { inputFile }),
      ...(outputFile === undefined ? {} : { outputFile }),
    },
    seed: seed ?? NO_SEED,
    limits: {
      fuel: options.fuel ?? JOB_DEFAULTS.fuel,
      memoryBytes: options.memoryBytes ?? JOB_DEFAULTS.memoryBytes,
      outputBytes: options.outputBytes ?? JOB_DEFAULTS.outputBytes,
    },
  };
  const deadlineMs = options.deadlineMs ?? JOB_DEFAULTS.deadlineMs;
  return {
    cid,
    abi,
    taskOn: (input, signal) => ({ request: { ...common, input }, module, deadlineMs, signal }),
  };
}

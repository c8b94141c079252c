import { cidDigest, cidFromDigest, cidOf, RAW } from "../protocol/cid.ts";
import type { EffectEvidence, SealedSecret } from "../protocol/messages/effect.ts";
import type { Task } from "../protocol/messages/task.ts";
import type { JobLimits } from "../protocol/messages/job.ts";
import { fuel } from "../protocol/units.ts";
import type { StreamPart, TaskEnd } from "./provider-channel.ts";
import type { EffectResult, LoadedWork, ModelPart } from "./session-ports.ts";
import { endOf, endOfPart } from "./task-end.ts";
import type { WorkerPool } from "./worker-pool.ts";

/** What a task or a part of it came to: an outcome before it is sent. */
export interface Answer {
  readonly end: TaskEnd;
  /** Output, or the failure's detail. */
  readonly data: Uint8Array | string;
  readonly part?: StreamPart;
  /** Of the input as the thread saw it; absent where it never did. */
  readonly inputSha256?: Uint8Array;
  /** Of an effect that is done: what it is followed from. */
  readonly evidence?: Omit<EffectEvidence, "value">;
}

export interface RunPorts {
  readonly pool: WorkerPool;
  readonly limits: JobLimits;
  readonly signal: AbortSignal;
  /** Of an effect: what the requester has sealed to this provider. */
  readonly secrets: readonly SealedSecret[];
  /** A thread turns to the task. */
  onStart(): void;
  /** A part of a stream that is not its end. Resolves when the next may be begun. */
  onPart(answer: Answer): Promise<void>;
}

function partAnswer(part: ModelPart, end: boolean, inputSha256?: Uint8Array): Answer {
  return {
    end: endOfPart(part),
    data: part.output,
    part: { to: part.to, stateHash: part.stateHash, end },
    ...(inputSha256 === undefined ? {} : { inputSha256 }),
  };
}

/** Nothing is metered in an effect: it is paid by the task and by its bytes. */
function effectAnswer(result: EffectResult, input: Uint8Array): Answer {
  if (result.kind === "failed")
    return { end: { kind: "failed", code: result.code, fuel: fuel(0) }, data: result.detail };
  const { output, outputCid, record, capability, effectsCid } = result;
  const end = { kind: "done", outputCid, size: output.length, fuel: fuel(0), effectsCid } as const;
  return { end, data: output, evidence: { record, capability }, inputSha256: cidDigest(cidOf(RAW, input)) };
}

/** Runs a task on what it is for. Never rejects for what the task does. */
export async function runLoaded(
  task: Task,
  input: Uint8Array,
  work: LoadedWork,
  ports: RunPorts,
): Promise<Answer> {
  const { pool, limits, signal } = ports;
  const { deadlineMs } = task;
  const onStart = (): void => ports.onStart();
  if (work.kind === "function") {
    const { fuelLimit, seed } = task;
    const result = await pool.run({
      request: {
        function: work.spec,
        args: work.args,
        input,
        seed,
        limits: { fuel: fuelLimit, memoryBytes: limits.memory, outputBytes: limits.output },
      },
      module: work.module,
      deadlineMs,
      signal,
      onStart,
    });
    return result.kind === "failed"
      ? { end: endOf(result), data: result.detail }
      : { end: endOf(result), data: result.output, inputSha256: result.inputSha256 };
  }
  if (work.kind === "effect")
    return effectAnswer(await work.run(task, input, ports.secrets, signal, onStart), input);
  const result = await work.run({
    input,
    fuelLimit: task.fuelLimit,
    outputBytes: limits.output,
    deadlineMs,
    signal,
    onStart,
    onPart: (part) => ports.onPart(partAnswer(part, false)),
  });
  return result.kind === "failed"
    ? { end: { kind: "failed", code: result.code, fuel: fuel(result.fuel) }, data: result.detail }
    : partAnswer(result.part, true, result.inputSha256);
}

/** Whether the bytes that were computed on are not those that the task names. */
export function isOfOtherInput({ inputCid }: Task, { inputSha256 }: Answer): boolean {
  return inputSha256 !== undefined && cidFromDigest(RAW, inputSha256) !== inputCid;
}

import { totalmem } from "node:os";
import { cidFromDigest, RAW } from "../../protocol/cid.ts";
import { failureKind } from "../../protocol/failure-code.ts";
import { isFunctionAbi } from "../../protocol/messages/session.ts";
import { fuel } from "../../protocol/units.ts";
import { type SandboxThreads, startSandboxThreads } from "../threads/sandbox-threads.ts";
import { AUDIT_MEMORY_SHARE } from "./limits.ts";
import {
  expectedLeaf,
  isOwnFailure,
  type Recomputation,
  type Recomputed,
  type Recomputer,
  WHOLE,
} from "./recompute.ts";
import type { WorkContent } from "./work-content.ts";

/** Memory that this process may have: the machine's, or less in a container. */
function memoryHere(): number {
  const bound = process.constrainedMemory();
  return bound > 0 ? Math.min(bound, totalmem()) : totalmem();
}

/** Runs functions again, in the same sandbox as a tab's. */
export class FunctionRecomputer implements Recomputer {
  readonly lanes: number;
  readonly #content: WorkContent;
  readonly #threads: SandboxThreads;
  /** Bytes of memory that one task may have. */
  readonly #memoryBytes: number;

  /** @param threads at a time, at least 1 @param machineBytes memory of this machine */
  constructor(content: WorkContent, threads: number, machineBytes: number = memoryHere()) {
    this.#memoryBytes = (AUDIT_MEMORY_SHARE * machineBytes) / threads;
    this.lanes = threads;
    this.#content = content;
    this.#threads = startSandboxThreads({ threads });
  }

  async recompute(recomputation: Recomputation): Promise<Recomputed> {
    const { job, task, input, deadlineMs } = recomputation;
    const { work, limits } = job;
    const { abi } = work;
    if (!isFunctionAbi(abi)) return { kind: "unknown", why: `a function has not the interface ${abi}` };
    if (limits.memory > this.#memoryBytes)
      return { kind: "unknown", why: `${limits.memory} bytes of memory are more than audits may have here` };
    const { module, args } = await this.#content.function(job);
    const { result, isFuelKnown } = await this.#threads.run({
      request: {
        function: { cid: work.cid, abi, entry: work.entry },
        args,
        // The thread takes it; the caller keeps its own.
        input: input.slice(),
        seed: task.seed,
        limits: { fuel: task.fuelLimit, memoryBytes: limits.memory, outputBytes: limits.output },
      },
      module,
      deadlineMs,
    });
    if (result.kind === "done") {
      const { output, outputSha256 } = result;
      const outputCid = cidFromDigest(RAW, outputSha256);
      const ended = { kind: "done", outputCid, size: output.byteLength, fuel: fuel(result.fuel) } as const;
      return { kind: "known", expected: expectedLeaf(recomputation, ended, WHOLE), output };
    }
    const { code, detail } = result;
    if (!isFuelKnown || !isOwnFailure(code))
      return { kind: "unknown", why: `${failureKind(code).name}: ${detail}` };
    const ended = { kind: "failed", code, fuel: fuel(result.fuel) } as const;
    return { kind: "known", expected: expectedLeaf(recomputation, ended, WHOLE) };
  }

  async stop(): Promise<void> {
    await this.#threads.stop();
  }
}

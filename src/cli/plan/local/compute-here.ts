import { availableParallelism } from "node:os";
import type { Callee, StepLimits } from "../../../plan/plan.ts";
import type { FailureCode } from "../../../protocol/failure-code.ts";
import { FailureError } from "../../../protocol/failure.ts";
import { EFFECT_ABI } from "../../../protocol/messages/effect.ts";
import { MODEL_ABI } from "../../../protocol/messages/session.ts";
import { type SandboxThreads, startSandboxThreads } from "../../../relay/threads/sandbox-threads.ts";
import type { Work } from "../find-work.ts";
import { LocalModels } from "./local-model.ts";

/** What a function or model came to. */
export type Computed =
  | { readonly kind: "done"; readonly output: Uint8Array; readonly fuel: bigint }
  | { readonly kind: "failed"; readonly code: FailureCode; readonly detail: string; readonly fuel: bigint };

/** What a function or model is given. */
export interface ComputeTask {
  readonly input: Uint8Array;
  /** What clock and randomness of a function follow from, 32 bytes. */
  readonly seed: Uint8Array;
  readonly limits: StepLimits;
}

/** Functions and models in threads of this process: the same sandbox as in a tab. Threads start when there is work. */
export class Computing {
  readonly #modules: Work["modules"];
  readonly #threads: SandboxThreads;
  readonly #models: LocalModels;

  constructor({ modules, models }: Work) {
    this.#modules = modules;
    this.#threads = startSandboxThreads({ threads: Math.max(1, availableParallelism()) });
    this.#models = new LocalModels(models);
  }

  /** @throws FailureError `function-unavailable` for what is not on this machine; the signal's reason */
  compute(callee: Callee, task: ComputeTask, signal: AbortSignal): Promise<Computed> {
    return callee.kind === "model"
      ? this.#models.run(callee, task.input, task.limits, signal)
      : this.#function(callee, task, signal);
  }

  async stop(): Promise<void> {
    await Promise.all([this.#threads.stop(), this.#models.stop()]);
  }

  async #function(
    { cid, abi, entry, args }: Callee,
    { input, seed, limits }: ComputeTask,
    signal: AbortSignal,
  ): Promise<Computed> {
    const module = this.#modules.get(cid);
    if (module === undefined || abi === MODEL_ABI || abi === EFFECT_ABI)
      throw new FailureError("function-unavailable", `the function ${cid} is not on this machine`);
    const { result } = await this.#threads.run({
      request: {
        function: { cid, abi, entry },
        input,
        args: { args, env: {}, files: [] },
        seed,
        limits: { fuel: limits.fuel, memoryBytes: limits.memory, outputBytes: limits.output },
      },
      module,
      deadlineMs: limits.deadlineMs,
      signal,
    });
    signal.throwIfAborted();
    if (result.kind === "done") return { kind: "done", output: result.output, fuel: result.fuel };
    const said = new TextDecoder().decode(result.stderr).trim();
    const detail = said === "" ? result.detail : `${result.detail}; it said: ${said}`;
    return { kind: "failed", code: result.code, detail, fuel: result.fuel };
  }
}

import { availableParallelism } from "node:os";
import { type Cid, cidFromDigest, RAW } from "../../protocol/cid.ts";
import { FailureError } from "../../protocol/failure.ts";
import { FUNCTION_ABIS } from "../../protocol/messages/session.ts";
import { sha256 } from "../../relay/books/native-hash.ts";
import { type SandboxThreads, startSandboxThreads } from "../../relay/threads/sandbox-threads.ts";
import type { ComputeHere } from "../../sdk/index.ts";

/** Computes functions in threads of this process, for a coordinator that has steps of its own. */
export interface HereComputer {
  readonly compute: ComputeHere;
  stop(): Promise<void>;
}

/** @param modules functions that are on this machine. Threads start with the first step. */
export function computerHere(modules: readonly Uint8Array[]): HereComputer {
  let threads: SandboxThreads | undefined;
  const known = new Map<Cid, Uint8Array>(
    modules.map((bytes) => [cidFromDigest(RAW, sha256(bytes)), bytes] as const),
  );
  return {
    async compute({ cid, abi, entry, args }, { input, seed, limits }, signal) {
      const module = known.get(cid);
      const functionAbi = FUNCTION_ABIS.find((each) => each === abi);
      if (module === undefined || functionAbi === undefined)
        throw new FailureError("unsupported", `the function ${cid} is not on this machine`);
      threads ??= startSandboxThreads({ threads: Math.max(1, availableParallelism() - 1) });
      const { result } = await threads.run({
        request: {
          function: { cid, abi: functionAbi, entry },
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
      const { fuel } = result;
      return result.kind === "done"
        ? { kind: "done", output: result.output, fuel }
        : { kind: "failed", code: result.code, detail: result.detail, fuel };
    },
    stop: async () => threads?.stop(),
  };
}

import { createHash } from "node:crypto";
import { Worker } from "node:worker_threads";
import {
  type BurnEntry,
  burnFunction,
  burnInput,
  burnMemory,
  upstreamBytes,
} from "../../protocol/challenge/challenge-work.ts";
import { type SandboxThreads, startSandboxThreads } from "../threads/sandbox-threads.ts";
import type { LaneComputer, PreparedLane, WorkKind } from "./challenge-bank.ts";
import { PREPARE_MS } from "./limits.ts";
import { isProbeAnswer, type ProbeAnswer, type ProbeCall } from "./probe-call.ts";

const ENTRY = new URL("probe-main.ts", import.meta.url);

/** Where the relay computes challenges itself: a sandbox thread and a thread of kernels, started when they are needed. */
export class LaneThreads implements LaneComputer {
  readonly #burn: ReturnType<typeof burnFunction> = burnFunction();
  #sandbox: SandboxThreads | undefined;
  #probe: Worker | undefined;
  #before: Promise<unknown> = Promise.resolve();

  /** One after the other. */
  compute(work: WorkKind, amount: number, seed: Uint8Array): Promise<Omit<PreparedLane, "seed">> {
    const computed = this.#before.then(() => this.#compute(work, amount, seed));
    this.#before = computed.catch(() => undefined);
    return computed;
  }

  async stop(): Promise<void> {
    await Promise.all([this.#sandbox?.stop(), this.#probe?.terminate()]);
  }

  async #compute(work: WorkKind, amount: number, seed: Uint8Array): Promise<Omit<PreparedLane, "seed">> {
    switch (work) {
      case "burn":
      case "fill":
        return this.#burned(work, amount, seed);
      case "rows":
        return this.#probed({ kernels: "wasm-rows", seed, passes: amount });
      case "row":
        return this.#probed({ kernels: "wasm-row", seed, passes: amount });
      case "upstream":
        return {
          output: new Uint8Array(createHash("sha256").update(upstreamBytes(seed, amount)).digest()),
          fuel: 0n,
        };
      default:
        throw new RangeError(work satisfies never);
    }
  }

  async #burned(entry: BurnEntry, amount: number, seed: Uint8Array): Promise<Omit<PreparedLane, "seed">> {
    this.#sandbox ??= startSandboxThreads({ threads: 1 });
    const { cid, module } = this.#burn;
    const { result } = await this.#sandbox.run({
      module,
      deadlineMs: PREPARE_MS,
      request: {
        function: { cid, abi: "bytes-1", entry },
        args: { args: [], env: {}, files: [] },
        input: burnInput(seed, amount),
        seed: new Uint8Array(32),
        limits: { fuel: 1n << 60n, memoryBytes: burnMemory(entry, amount), outputBytes: 32 },
      },
    });
    if (result.kind === "failed") throw new Error(result.detail);
    return { output: result.output, fuel: result.fuel };
  }

  async #probed(call: ProbeCall): Promise<ProbeAnswer> {
    const worker = this.#probe ?? new Worker(ENTRY, { env: {}, argv: [] });
    this.#probe = worker;
    const { promise, resolve, reject } = Promise.withResolvers<ProbeAnswer>();
    const answered = (message: unknown): void => {
      if (isProbeAnswer(message)) resolve(message);
      else reject(new TypeError("the thread of challenges answers with something else"));
    };
    const died = (): void => reject(new Error("the thread of challenges has died"));
    const timer = setTimeout(died, PREPARE_MS);
    worker.once("message", answered);
    worker.once("error", died);
    worker.once("exit", died);
    try {
      worker.postMessage(call, []);
      return await promise;
    } catch (error) {
      this.#probe = undefined;
      void worker.terminate();
      throw error;
    } finally {
      clearTimeout(timer);
      worker.off("message", answered);
      worker.off("error", died);
      worker.off("exit", died);
    }
  }
}

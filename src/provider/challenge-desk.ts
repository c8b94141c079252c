// oxlint-disable-next-line no-restricted-imports -- what crosses the line to the thread, types only
import type { MeasureResult, MeasureTask } from "../inference/host/model-host.ts";
import {
  type BurnEntry,
  type BurnFunction,
  burnFunction,
  burnInput,
  burnMemory,
  challengeDigest,
  upstreamBytes,
  upstreamOutput,
} from "../protocol/challenge/challenge-work.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { MAX_CHALLENGE_MS } from "../protocol/limits.ts";
import type { Challenge, ChallengeAnswer, Claim, Decline } from "../protocol/messages/capability.ts";
import type { KernelProperty, Property } from "../protocol/property.ts";
import type { TaskRequest, TaskResult } from "../sandbox/task.ts";
import { CHALLENGE_FRAME_BYTES, CHALLENGE_START_MS, CHALLENGE_THREADS_MS } from "./limits.ts";
import type { SandboxThread } from "./sandbox-thread.ts";

/** The thread of models, as far as challenges use it. */
export interface Kernels {
  /** See ModelHost. */
  measure(task: MeasureTask): Promise<MeasureResult>;
  /** Ends what is measured. */
  stopMeasuring(): void;
}

export interface ChallengeDeskOptions {
  startThread(): SandboxThread;
  /** Threads that the person allows. */
  threads(): number;
  /** Memory one function may have now, bytes. */
  readonly memory: () => number;
  readonly kernels?: Kernels;
  /** Share of the time that may be spent computing, 1 to 100; all of it if not said. */
  cpuPercent?(): number;
  /** Whether there is no paid work, and none is about to come. */
  isIdle(): boolean;
}

/** What a challenge has come to. */
export type Computed = Pick<ChallengeAnswer, "digest" | "device" | "declined">;

/** What a lane has come to. */
type Lane =
  | { readonly output: Uint8Array; readonly fuel: bigint; readonly device?: "hardware" | "software" }
  | { readonly declined: Decline };

/** A challenge at work. */
interface Turn {
  /** Settles when it must end at once, with the reason. */
  readonly ended: Promise<{ readonly declined: Decline }>;
  readonly end: (declined: Decline) => void;
  isOver: boolean;
}

/**
 * Computes the relay's challenges on threads of their own, so that paid work, when it comes, finds its threads as it left
 * them: the challenge ends at once and is given back. One at a time.
 */
export class ChallengeDesk {
  readonly #options: ChallengeDeskOptions;
  readonly #claims = new Map<Property, number>();
  #burn: BurnFunction | undefined;
  #threads: SandboxThread[] = [];
  #resting: ReturnType<typeof setTimeout> | undefined;
  #turn: Turn | undefined;
  /** By performance.now(). A challenge is a measurement, so it is not slowed down; what it takes is rested afterwards. */
  #restsUntil = 0;

  constructor(options: ChallengeDeskOptions) {
    this.#options = options;
  }

  /** What this machine says of itself, by its own clock. */
  get claims(): readonly Claim[] {
    const speeds = [...this.#claims].map(([property, value]) => ({ property, value }));
    return [{ property: "memory", value: this.#options.memory() }, ...speeds];
  }

  /** @param send takes the next bytes of an `upstream` challenge to the relay */
  async compute(challenge: Challenge, send: (bytes: Uint8Array) => Promise<void>): Promise<Computed> {
    if (this.#turn !== undefined || !this.#options.isIdle()) return { declined: "busy" };
    if (performance.now() < this.#restsUntil) return { declined: "busy" };
    if (challenge.seeds.length > this.#options.threads()) return { declined: "unwilling" };
    const { promise: ended, resolve } = Promise.withResolvers<{ readonly declined: Decline }>();
    const turn: Turn = {
      ended,
      isOver: false,
      end: (declined) => {
        turn.isOver = true;
        resolve({ declined });
      },
    };
    this.#turn = turn;
    const begun = performance.now();
    try {
      return await this.#answer(challenge, turn, send);
    } finally {
      this.#turn = undefined;
      const now = performance.now();
      const percent = this.#options.cpuPercent?.() ?? 100;
      this.#restsUntil = now + ((now - begun) * (100 - percent)) / percent;
      this.#restSoon();
    }
  }

  /** Paid work has come: what is computed here ends now. */
  yieldToWork(): void {
    if (this.#turn === undefined) return;
    this.#turn.end("busy");
    this.#dropThreads();
    this.#options.kernels?.stopMeasuring();
  }

  close(): void {
    this.yieldToWork();
    clearTimeout(this.#resting);
    this.#dropThreads();
  }

  async #answer(
    challenge: Challenge,
    turn: Turn,
    send: (bytes: Uint8Array) => Promise<void>,
  ): Promise<Computed> {
    const { property, nonce } = challenge;
    let lanes: readonly Lane[];
    let ms: number;
    try {
      const run = await this.#prepare(challenge, turn, send);
      const begun = performance.now();
      const timer = setTimeout(() => turn.end("too-long"), MAX_CHALLENGE_MS);
      lanes = await Promise.race([run(), turn.ended.then((over) => [over])]);
      clearTimeout(timer);
      ms = performance.now() - begun;
    } catch {
      // A thread has died, or the line: the relay will ask again.
      lanes = [{ declined: "busy" }];
      ms = 0;
    }
    const outputs: Uint8Array[] = [];
    let fuel = 0n;
    for (const lane of lanes) {
      if ("declined" in lane) {
        // Whatever still burns is of no use to anybody.
        this.#dropThreads();
        this.#options.kernels?.stopMeasuring();
        return { declined: lane.declined };
      }
      outputs.push(lane.output);
      fuel += lane.fuel;
    }
    this.#claim(property, fuel, ms);
    const device = lanes.find((lane) => "device" in lane);
    return {
      digest: challengeDigest(nonce, outputs),
      ...(device === undefined || !("device" in device) ? {} : { device: device.device }),
    };
  }

  /** What it did last, so that a machine that is throttled says so. Of the line upstream this end knows nothing. */
  #claim(property: Property, fuel: bigint, ms: number): void {
    if (ms > 0 && fuel > 0n && property !== "memory")
      this.#claims.set(property, Math.floor((Number(fuel) * 1_000) / ms));
  }

  /** Does all that goes before. @returns what the clock is for */
  async #prepare(
    { property, amount, seeds }: Challenge,
    turn: Turn,
    send: (bytes: Uint8Array) => Promise<void>,
  ): Promise<() => Promise<readonly Lane[]>> {
    const [seed] = seeds;
    if (seed === undefined) return () => Promise.resolve([]);
    switch (property) {
      case "fuel":
      case "fuel-all":
        return this.#burning("burn", amount, seeds, turn);
      case "memory":
        return this.#burning("fill", amount, seeds, turn);
      case "upstream":
        return async () => [await sendAll(upstreamBytes(seed, amount - (amount % 4)), turn, send)];
      case "wasm-rows":
      case "wasm-row":
      case "webgpu-rows":
      case "webgpu-row":
        return this.#measuring({ kernels: property, seed, passes: amount }, turn);
      default:
        throw new RangeError(property satisfies never);
    }
  }

  async #measuring(task: MeasureTask, turn: Turn): Promise<() => Promise<readonly Lane[]>> {
    const { kernels } = this.#options;
    if (kernels === undefined) return () => Promise.resolve([{ declined: "no-device" }]);
    const ready = await within(kernels.measure({ ...task, passes: 0 }), turn);
    if (ready === undefined) return () => Promise.resolve([{ declined: "busy" }]);
    if (ready.kind === "failed") return () => Promise.resolve([laneOf(task.kernels, ready)]);
    return async () => [laneOf(task.kernels, await kernels.measure(task))];
  }

  async #burning(
    entry: BurnEntry,
    amount: number,
    seeds: readonly Uint8Array[],
    turn: Turn,
  ): Promise<() => Promise<readonly Lane[]>> {
    const memoryBytes = burnMemory(entry, amount);
    if (memoryBytes > this.#options.memory() + 65_536)
      return () => Promise.resolve([{ declined: "no-memory" }]);
    this.#burn ??= burnFunction();
    const { cid, module } = this.#burn;
    const threads = this.#take(seeds.length);
    const loaded = await within(Promise.all(threads.map((thread) => thread.load(cid, module.slice()))), turn);
    if (loaded === undefined) return () => Promise.resolve([{ declined: "busy" }]);
    if (loaded.some(({ kind }) => kind === "failed"))
      return () => Promise.resolve([{ declined: "no-memory" }]);
    return () =>
      Promise.all(
        threads.map(async (thread, place) => {
          const input = burnInput(seeds[place] ?? new Uint8Array(32), amount);
          const [result] = await thread.runAll([requestOf(cid, entry, input, memoryBytes)]);
          return burned(result);
        }),
      );
  }

  #take(count: number): readonly SandboxThread[] {
    clearTimeout(this.#resting);
    while (this.#threads.length < count) {
      const thread = this.#options.startThread();
      thread.onDeath(() => {
        this.#threads = this.#threads.filter((each) => each !== thread);
        this.#turn?.end("busy");
      });
      this.#threads.push(thread);
    }
    return this.#threads.slice(0, count);
  }

  #restSoon(): void {
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => this.#dropThreads(), CHALLENGE_THREADS_MS);
  }

  #dropThreads(): void {
    for (const thread of this.#threads.splice(0)) thread.terminate();
  }
}

/** @returns undefined where it takes longer than CHALLENGE_START_MS, or the turn is over */
async function within<T>(starting: Promise<T>, turn: Turn): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), CHALLENGE_START_MS);
  try {
    return await Promise.race([starting, late, turn.ended.then(() => undefined)]);
  } finally {
    clearTimeout(timer);
  }
}

async function sendAll(
  bytes: Uint8Array,
  turn: Turn,
  send: (bytes: Uint8Array) => Promise<void>,
): Promise<Lane> {
  for (let at = 0; at < bytes.length; at += CHALLENGE_FRAME_BYTES) {
    if (turn.isOver) return { declined: "busy" };
    // oxlint-disable-next-line no-await-in-loop -- the line says when more may be sent
    await send(bytes.subarray(at, at + CHALLENGE_FRAME_BYTES));
  }
  return { output: upstreamOutput(bytes), fuel: 0n };
}

function requestOf(cid: string, entry: BurnEntry, input: Uint8Array, memoryBytes: number): TaskRequest {
  return {
    function: { cid, abi: "bytes-1", entry },
    args: { args: [], env: {}, files: [] },
    input,
    seed: new Uint8Array(32),
    // The clock ends it, not the fuel.
    limits: { fuel: 1n << 60n, memoryBytes, outputBytes: 32 },
  };
}

const NO_MEMORY: ReadonlySet<number> = new Set(
  (["no-memory", "out-of-memory", "trap-unreachable"] as const).map(failureCode),
);

/** `fill` traps as unreachable where its memory does not grow. */
function burned(result: TaskResult | undefined): Lane {
  if (result?.kind === "done") return { output: result.output, fuel: result.fuel };
  return { declined: result !== undefined && NO_MEMORY.has(result.code) ? "no-memory" : "busy" };
}

function laneOf(kernels: KernelProperty, result: MeasureResult): Lane {
  if (result.kind === "done") {
    const { output, isSoftware } = result;
    const device = isSoftware ? "software" : "hardware";
    return { output, fuel: 0n, ...(kernels.startsWith("webgpu-") ? { device } : {}) };
  }
  if (result.code === failureCode("gpu-lost")) return { declined: "no-device" };
  return { declined: NO_MEMORY.has(result.code) ? "no-memory" : "busy" };
}

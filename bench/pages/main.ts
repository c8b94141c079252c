/** The page of both tabs: one provides, the other requests and measures. */
import type { MeshStream } from "../../src/mesh/mesh.ts";
import { connect } from "../../src/sdk/index.ts";
import type { SentTask } from "../../src/sdk/task-answers.ts";
import { BULK_PROTOCOL, ECHO_PROTOCOL } from "./bare-protocols.ts";
import { provide } from "./provider-side.ts";
import { type OpenLease, Requester, settle, taskInput } from "./requester-side.ts";

/** Bytes of a task frame with a no-op's input; an echo carries as many. */
const TASK_FRAME_BYTES = 256;
const INPUT_BYTES = 8;
const WARM_UP = 200;

/** Milliseconds of each measurement, interleaved, in order. */
export interface Times {
  readonly ours: readonly number[];
  readonly bare: readonly number[];
}

let requester: Requester | undefined;

async function joined(): Promise<Requester> {
  requester ??= await Requester.join();
  return requester;
}

function inputOf(index: number): Uint8Array {
  const bytes = new Uint8Array(INPUT_BYTES);
  new DataView(bytes.buffer).setUint32(0, index);
  return bytes;
}

/** Sends on a bare stream and resolves when `wanted` bytes have come back. */
class BareStream {
  readonly #stream: MeshStream;
  #left = 0;
  #arrived = Promise.withResolvers<void>();

  constructor(stream: MeshStream) {
    this.#stream = stream;
    stream.onBytes(
      (chunk) => {
        this.#left -= chunk.length;
        if (this.#left <= 0) this.#arrived.resolve();
      },
      (failure) => this.#arrived.reject(failure),
    );
  }

  async ask(bytes: Uint8Array, wanted: number): Promise<void> {
    this.#left = wanted;
    this.#arrived = Promise.withResolvers();
    await this.#stream.send(bytes);
    await this.#arrived.promise;
  }
}

async function timed(act: () => Promise<void>): Promise<number> {
  const begun = performance.now();
  await act();
  return performance.now() - begun;
}

/** One task from its bytes to its verified answer. */
async function oneTask(
  lease: OpenLease,
  sent: SentTask[],
  input: Uint8Array,
  outputBytes: number,
): Promise<void> {
  const task = lease.session.send(await taskInput(lease, sent.length, input));
  sent.push(task);
  const answer = await task.answer;
  if (answer.kind !== "done" || answer.output.length !== outputBytes)
    throw new Error(`task ${task.seq} gave ${JSON.stringify(answer.kind)}`);
}

interface Side {
  readonly ours: () => Promise<void>;
  readonly bare: () => Promise<void>;
}

async function interleaved({ ours, bare }: Side, rounds: number, warmUp: number): Promise<Times> {
  const times: { ours: number[]; bare: number[] } = { ours: [], bare: [] };
  for (let round = -warmUp; round < rounds; round += 1) {
    const [bareMs, oursMs] = [await timed(bare), await timed(ours)];
    if (round < 0) continue;
    times.bare.push(bareMs);
    times.ours.push(oursMs);
  }
  return times;
}

const page = {
  provide,

  /** No-op tasks and bare echoes in turn. */
  async roundTrips(module: readonly number[], rounds: number): Promise<Times> {
    const lease = await (
      await joined()
    ).lease(Uint8Array.from(module), {
      maxTasks: rounds + WARM_UP,
      fuel: 100_000n,
      memoryBytes: 1024 * 1024,
      outputBytes: 64,
    });
    const echo = new BareStream(await lease.dial(ECHO_PROTOCOL));
    const sent: SentTask[] = [];
    const times = await interleaved(
      {
        ours: () => oneTask(lease, sent, inputOf(sent.length), INPUT_BYTES),
        bare: () => echo.ask(new Uint8Array(TASK_FRAME_BYTES), TASK_FRAME_BYTES),
      },
      rounds,
      WARM_UP,
    );
    await settle(lease, sent);
    return times;
  },

  /** Tasks whose output has `bytes` bytes, and bare transfers of as many, in turn over one connection. */
  async outputs(module: readonly number[], bytes: number, rounds: number): Promise<Times> {
    const warmUp = 3;
    const lease = await (
      await joined()
    ).lease(Uint8Array.from(module), {
      maxTasks: rounds + warmUp,
      fuel: 100_000_000n,
      memoryBytes: 8 * 1024 * 1024,
      outputBytes: bytes,
    });
    const bulk = new BareStream(await lease.dial(BULK_PROTOCOL));
    const asked = new Uint8Array(4);
    new DataView(asked.buffer).setUint32(0, bytes);
    const sent: SentTask[] = [];
    const times = await interleaved(
      {
        ours: () => oneTask(lease, sent, asked.slice(), bytes),
        bare: () => bulk.ask(asked.slice(), bytes),
      },
      rounds,
      warmUp,
    );
    await settle(lease, sent);
    return times;
  },

  /** The SDK's `map` over no-ops: milliseconds from the first input to the last result, which is under a receipt. */
  async mapped(
    module: readonly number[],
    count: number,
  ): Promise<{ readonly ms: number; readonly done: number }> {
    const client = await connect({ relay: location.origin, iceServers: [] });
    let begun = 0;
    function* inputs(): Generator<Uint8Array> {
      begun = performance.now();
      for (let index = 0; index < count; index += 1) yield inputOf(index);
    }
    const handle = await client.map(Uint8Array.from(module), inputs(), {
      parallel: 1,
      maxTasks: count,
      fuel: 100_000n,
      memoryBytes: 1024 * 1024,
      outputBytes: 64,
    });
    let done = 0;
    for await (const result of handle) if (result.kind === "done") done += 1;
    const ms = performance.now() - begun;
    const { leases } = await handle.summary;
    await client.close();
    const proven = leases.reduce((sum, lease) => sum + (lease.inclusionVerified ? lease.tasks : 0), 0);
    const details = leases.map(({ failure }) => failure?.detail ?? "no failure");
    if (proven !== count)
      throw new Error(`${proven} of ${count} tasks are under receipts in the log: ${details.join("; ")}`);
    return { ms, done };
  },
};

export type BenchPage = typeof page;

Object.assign(globalThis, { benchPage: page });

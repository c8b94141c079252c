/** The page of a requester: the SDK in a browser, doing what a test tells it. */
import type { Plan } from "../../src/plan/plan.ts";
import {
  connect,
  type JobOptions,
  type JobSummary,
  type MapResult,
  storedMarks,
  type Tabmesh,
} from "../../src/sdk/index.ts";

/** All that came of one job. Results are in the order of their inputs. */
export interface Mapped {
  readonly results: readonly MapResult[];
  readonly summary: JobSummary;
}

/** A run of a schedule, and the time that it is for. */
export interface Tick {
  readonly at: number;
  readonly run: string;
  readonly value: unknown;
}

let client: Tabmesh | undefined;
const ticks: Tick[] = [];

const page = {
  /** Joins the mesh. @param relay its origin. @returns the account that pays. */
  async join(relay: string): Promise<string> {
    client = await connect({ relay, iceServers: [] });
    return client.requester;
  },

  /** @param path of the module on the page's own site. */
  async map(
    path: string,
    inputs: readonly Uint8Array[],
    options: Omit<JobOptions, "signal" | "onProgress">,
  ): Promise<Mapped> {
    if (client === undefined) throw new Error("not joined");
    const module = new Uint8Array(await (await fetch(path)).arrayBuffer());
    const handle = await client.map(module, inputs, options);
    const results: MapResult[] = [];
    for await (const result of handle) results.push(result);
    return { results: results.toSorted((a, b) => a.index - b.index), summary: await handle.summary };
  },

  /**
   * Runs a plan again and again, for as long as this page is there, as a person of its own.
   * @param path of the function that it calls @param seed of the account that pays @returns never, unless it fails
   */
  async host(relay: string, path: string, plan: Plan, everyMs: number, seed: Uint8Array): Promise<void> {
    const host = await connect({ relay, iceServers: [], seed });
    const module = new Uint8Array(await (await fetch(path)).arrayBuffer());
    await host.hostSchedule(
      {
        name: "tick",
        plan,
        params: { word: "tick" },
        when: { everyMs },
        budget: 20_000n,
        run: { modules: [module] },
        marks: storedMarks(localStorage),
      },
      {
        onRun: (run, at) => {
          void run.result().then(({ value }) => ticks.push({ at, run: run.id, value }));
        },
        onTrouble: (error) => ticks.push({ at: 0, run: "", value: String(error) }),
      },
    );
  },

  /** Runs of the schedule that came to a result here. */
  ticks: (): readonly Tick[] => ticks,

  async leave(): Promise<void> {
    await client?.close();
  },
};

export type RequesterPage = typeof page;

Object.assign(globalThis, { requesterPage: page });

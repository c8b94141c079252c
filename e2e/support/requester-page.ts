/** The page of a requester: the SDK in a browser, doing what a test tells it. */
import {
  connect,
  type JobOptions,
  type JobSummary,
  type MapResult,
  type Tabmesh,
} from "../../src/sdk/index.ts";

/** All that came of one job. Results are in the order of their inputs. */
export interface Mapped {
  readonly results: readonly MapResult[];
  readonly summary: JobSummary;
}

let client: Tabmesh | undefined;

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

  async leave(): Promise<void> {
    await client?.close();
  },
};

export type RequesterPage = typeof page;

Object.assign(globalThis, { requesterPage: page });

import { fetchBlob } from "../mesh/blob-exchange.ts";
import type { Mesh } from "../mesh/mesh.ts";
import type { RelayClient } from "../mesh/relay-client.ts";
import type { Cid } from "../protocol/cid.ts";
import { FailureError } from "../protocol/failure.ts";
import { hashesTo } from "../protocol/hashes-to.ts";
import { MAX_BLOB_BYTES } from "../protocol/limits.ts";
import { isFunctionAbi } from "../protocol/messages/session.ts";
import type { TaskFile } from "../sandbox/task.ts";
import type { WorkOrder } from "./check-open.ts";
import type { LoadedFunction } from "./session-ports.ts";

/** Where verified content is kept between jobs; reads verify again. */
export interface ContentCache {
  get(cid: Cid): Promise<Uint8Array | undefined>;
  put(cid: Cid, bytes: Uint8Array): Promise<boolean>;
}

/** A function of 21.5 MB takes three seconds at 8 MB/s; a poor line gets ten times that. */
const FETCH_TIMEOUT_MS = 60_000;

/** Brings content by CID: own cache, then the requester, then the relay; hashed whatever its source. */
export class FunctionSource {
  readonly #cache: ContentCache;
  readonly #mesh: Mesh;
  readonly #relay: Pick<RelayClient, "getBlob">;
  /** Jobs of one function that start together fetch it once. */
  readonly #fetching = new Map<Cid, Promise<Uint8Array>>();

  constructor(cache: ContentCache, mesh: Mesh, relay: Pick<RelayClient, "getBlob">) {
    this.#cache = cache;
    this.#mesh = mesh;
    this.#relay = relay;
  }

  /** @param requester peer id of the connected requester. @throws FailureError `function-unavailable` naming what was tried. */
  async load(order: WorkOrder, requester: string): Promise<LoadedFunction> {
    const { args, job } = order;
    const { cid, abi, entry } = job.body.work;
    if (!isFunctionAbi(abi)) throw new FailureError("unsupported", `a function of the interface ${abi}`);
    const [module, files] = await Promise.all([
      this.#content(cid, requester),
      Promise.all(
        args.files.map(async (file): Promise<TaskFile> => ({
          path: file.path,
          bytes: await this.#content(file.cid, requester),
        })),
      ),
    ]);
    return {
      kind: "function",
      spec: { cid, abi, entry },
      module,
      args: {
        args: args.args,
        env: Object.fromEntries(args.env.map(({ name, value }) => [name, value])),
        files,
        ...(args.inputFile === undefined ? {} : { inputFile: args.inputFile }),
        ...(args.outputFile === undefined ? {} : { outputFile: args.outputFile }),
      },
    };
  }

  async #content(cid: Cid, requester: string): Promise<Uint8Array> {
    const cached = await this.#cache.get(cid);
    if (cached !== undefined) return cached;
    let fetching = this.#fetching.get(cid);
    if (fetching === undefined) {
      fetching = this.#fetch(cid, requester).finally(() => this.#fetching.delete(cid));
      this.#fetching.set(cid, fetching);
    }
    return fetching;
  }

  async #fetch(cid: Cid, requester: string): Promise<Uint8Array> {
    const signal = AbortSignal.timeout(FETCH_TIMEOUT_MS);
    const tried: string[] = [];
    const sources = [
      { name: "the requester", get: () => fetchBlob(this.#mesh, `/p2p/${requester}`, cid, signal) },
      { name: "the relay", get: () => this.#relay.getBlob(cid, MAX_BLOB_BYTES, signal) },
    ];
    for (const { name, get } of sources) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- the next source is asked when this one has it not
        const bytes = await get();
        // oxlint-disable-next-line no-await-in-loop
        if (bytes !== undefined && (await hashesTo(crypto.subtle, cid, bytes))) {
          void this.#cache.put(cid, bytes).catch(() => false);
          return bytes;
        }
        tried.push(bytes === undefined ? `${name} has it not` : `${name} sent other bytes`);
      } catch (error) {
        tried.push(`${name}: ${error instanceof FailureError ? error.detail : "failed"}`);
      }
    }
    throw new FailureError("function-unavailable", `${cid}: ${tried.join("; ")}`);
  }
}

// oxlint-disable-next-line no-restricted-imports -- what crosses the line to the thread, types only
import type { MeasureResult, MeasureTask } from "../inference/host/model-host.ts";
import type { Mesh } from "../mesh/mesh.ts";
import type { RelayClient } from "../mesh/relay-client.ts";
import type { Cid } from "../protocol/cid.ts";
import { FailureError } from "../protocol/failure.ts";
import { MAX_OFFERED_MODELS } from "../protocol/limits.ts";
import type { ModelStore } from "../storage/model-store.ts";
import type { WorkOrder } from "./check-open.ts";
import { type ModelProgress, ModelSource } from "./model-source.ts";
import type { ModelThread } from "./model-thread.ts";
import { Models, type ModelsView } from "./models.ts";
import type { LoadedModel } from "./session-ports.ts";

/** What a provider needs to run models; a browser that keeps no files has none. */
export interface ModelParts {
  readonly store: ModelStore;
  startThread(): ModelThread;
  /** Whether models may compute on the graphics card. */
  readonly gpu: boolean;
}

export interface ModelJobsOptions extends ModelParts {
  readonly mesh: Mesh;
  readonly client: Pick<RelayClient, "getBlob" | "modelPeers">;
  /** What `view` or `held` tell has changed. */
  readonly onChange: () => void;
}

/** What a page shows of models at work. */
export interface ModelsState extends ModelsView {
  /** Models that are being fetched. */
  readonly downloads: readonly ModelProgress[];
  /** Why a model that a job needs could not be kept, a sentence. */
  readonly noRoom?: string;
}

/** Jobs of models: fetches what they name, gives it to other peers, and runs it. */
export class ModelJobs {
  readonly #options: ModelJobsOptions;
  readonly #models: Models;
  readonly #source: ModelSource;
  readonly #downloads = new Map<Cid, ModelProgress>();
  #held: readonly Cid[] = [];

  constructor(options: ModelJobsOptions) {
    const { mesh, client: relay, store, gpu, onChange } = options;
    this.#options = options;
    this.#source = new ModelSource({ store, mesh, relay, now: () => Date.now() });
    this.#models = new Models({
      startThread: () => options.startThread(),
      gpu,
      now: () => performance.now(),
      onChange,
    });
  }

  /** Tasks that run or wait. */
  get busy(): number {
    return this.#models.busy;
  }

  /** Models that are here whole, those used last first. */
  get held(): readonly Cid[] {
    return this.#held;
  }

  view(): ModelsState {
    const { noRoom } = this.#source;
    return {
      ...this.#models.view(),
      downloads: [...this.#downloads.values()],
      ...(noRoom === undefined ? {} : { noRoom }),
    };
  }

  /** What is here, for peers that ask. */
  find(cid: Cid): Promise<Uint8Array | undefined> {
    return this.#source.find(cid);
  }

  /** What is here may have changed: a model has come, or the person has deleted one. */
  async refresh(): Promise<void> {
    const held = await this.#source.held().catch(() => []);
    this.#held = held.slice(0, MAX_OFFERED_MODELS);
    this.#options.onChange();
  }

  /** See Models. */
  measure(task: MeasureTask): Promise<MeasureResult> {
    return this.#models.measure(task);
  }

  stopMeasuring(): void {
    this.#models.stopMeasuring();
  }

  setGpu(gpu: boolean): void {
    this.#models.setGpu(gpu);
  }

  /** See Models. */
  setDuty(cpuPercent: number): void {
    this.#models.setDuty(cpuPercent);
  }

  /** See Models. */
  get busyMs(): number {
    return this.#models.busyMs;
  }

  /**
   * Makes a job's model ready to be opened.
   * @param requester peer id of the connected requester
   * @throws FailureError as ModelSource.load; `out-of-memory` or `export-missing` for a job that does not fit its model
   */
  async load(order: WorkOrder, requester: string): Promise<LoadedModel> {
    const { work, limits } = order.job.body;
    try {
      const { manifest, file } = await this.#source.load(order, requester, (progress) => {
        this.#downloads.set(work.cid, progress);
        this.#options.onChange();
      });
      if (manifest.entry !== work.entry)
        throw new FailureError("export-missing", `the model has the entry ${manifest.entry}`);
      if (limits.memory < manifest.memory)
        throw new FailureError(
          "out-of-memory",
          `the model needs ${manifest.memory} bytes, the job gives it ${limits.memory}`,
        );
      return this.#models.load(manifest, work.cid, file);
    } finally {
      this.#downloads.delete(work.cid);
      void this.refresh();
    }
  }

  /** Gives all tasks back, ends the thread and what is being fetched. Idempotent. */
  stop(): void {
    this.#models.close();
    this.#source.stop();
  }
}

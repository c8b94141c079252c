import type { Mesh } from "../mesh/mesh.ts";
import type { RelayClient } from "../mesh/relay-client.ts";
import { FailureError } from "../protocol/failure.ts";
import type { ModelManifest } from "../protocol/model-manifest.ts";
import type { ModelStore } from "../storage/model-store.ts";
import type { WorkOrder } from "./check-open.ts";

/** How a download goes. */
export interface ModelProgress {
  readonly cid: WorkOrder["job"]["body"]["work"]["cid"];
  readonly name: string;
  /** Of the file that are here, those of earlier starts counted. */
  readonly bytes: number;
  readonly totalBytes: number;
  /** Over the last seconds. */
  readonly bytesPerSecond: number;
  /** Chunks that each source gave since this start. */
  readonly sources: readonly { readonly name: string; readonly chunks: number }[];
}

/** A model whose file is on this machine, every chunk of it hashed. */
export interface LocalModel {
  readonly manifest: ModelManifest;
  readonly file: File;
}

export interface ModelSourceOptions {
  readonly store: ModelStore;
  readonly mesh: Mesh;
  readonly relay: Pick<RelayClient, "getBlob" | "modelPeers">;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Brings models by CID: what is here, then other peers that have it, the requester and the relay; every chunk is hashed. */
export class ModelSource {
  readonly #options: ModelSourceOptions;

  constructor(options: ModelSourceOptions) {
    this.#options = options;
  }

  /**
   * @param requester peer id of the connected requester
   * @throws FailureError `function-unavailable` naming what was tried; `no-memory` when the browser's storage has no room
   */
  load(
    _order: Pick<WorkOrder, "job">,
    _requester: string,
    _onProgress: (progress: ModelProgress) => void,
  ): Promise<LocalModel> {
    return Promise.reject(new FailureError("function-unavailable", `${this.#options.now()}: not yet`));
  }
}

import { FailureError } from "../protocol/failure.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import { batchesOf, type BatchVectors, encodeBatch, readVectors, watchVectors } from "./embed-watch.ts";
import { findModel } from "./find-model.ts";
import type { MapResult } from "./job-options.ts";
import { EMBED_PARALLEL } from "./limits.ts";
import { makeModelJob } from "./make-job.ts";
import { embedLimits } from "./model-limits.ts";
import type { Embeddings, ModelJobOptions } from "./model-options.ts";
import type { ModelPorts } from "./model-ports.ts";

interface Computed extends BatchVectors {
  readonly provider: PeerId;
}

/**
 * Turns texts into vectors, in tasks that several providers share.
 * @throws FailureError with the first task's own failure, or why it could not be carried out
 */
export async function embed(
  ports: ModelPorts,
  model: string,
  texts: readonly string[],
  options: ModelJobOptions,
): Promise<Embeddings> {
  const { parallel = EMBED_PARALLEL, signal, payer } = options;
  const { cid, manifest } = await findModel(ports.client, model, "embed", signal);
  const batches = batchesOf(texts, parallel);
  if (batches.length === 0) throw new FailureError("malformed", "embed: there is no text");
  const inputs = batches.map(encodeBatch);
  const limits = embedLimits(
    manifest,
    batches.map(({ texts: some }) => some),
    options,
  );
  const content = { model: cid, entry: "embed", limits, maxTasks: batches.length, parallel } as const;
  const ground = await ports.ground(Math.max(...inputs.map(({ length }) => length)), payer);
  const job = await makeModelJob(content, options, ground);
  signal?.throwIfAborted();
  const watch = watchVectors(manifest, batches);
  const run = ports.start(job, inputs, { ...options, watch });
  const computed: (Computed | undefined)[] = batches.map(() => undefined);
  const take = (result: Extract<MapResult, { kind: "done" }>): void => {
    const batch = batches[result.index];
    if (batch === undefined) return;
    computed[result.index] = { ...readVectors(manifest, batch, result.output), provider: result.provider };
  };
  let failure: FailureError | undefined;
  for await (const result of run.results) {
    if (result.kind === "done") take(result);
    else {
      failure ??= new FailureError(result.code, result.detail);
      run.cancel();
    }
    if (failure !== undefined) break;
  }
  const summary = await run.summary;
  if (failure !== undefined) throw failure;
  const all = computed.filter((each) => each !== undefined);
  if (all.length < batches.length) throw new FailureError("cancelled", "the job ended before all was there");
  return {
    vectors: all.flatMap(({ vectors }) => vectors),
    dimensions: manifest.dimensions,
    tokens: all.flatMap(({ tokens }) => tokens),
    providers: all.flatMap(({ vectors, provider }) => vectors.map(() => provider)),
    summary,
  };
}

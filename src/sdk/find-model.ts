import type { RelayClient } from "../mesh/relay-client.ts";
import { type Cid, isCid } from "../protocol/cid.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import { MAX_MANIFEST_BYTES } from "../protocol/limits.ts";
import { isModelName } from "../protocol/messages/model.ts";
import { decodeManifest } from "../protocol/model-manifest.ts";
import type { ModelEntry } from "../protocol/model-entry.ts";
import type { NamedModel } from "./model-options.ts";

async function cidNamed(client: RelayClient, model: string, signal?: AbortSignal): Promise<Cid> {
  if (isCid(model)) return model;
  if (!isModelName(model)) throw new FailureError("not-found", `no model can have the name ${model}`);
  try {
    return (await client.model(model, signal)).cid;
  } catch (error) {
    if (error instanceof FailureError && error.code === failureCode("not-found"))
      throw new FailureError("not-found", `the relay keeps no model ${model}`, { cause: error });
    throw error;
  }
}

/**
 * Finds a model by its published name, or by the CID of its manifest, which pins it to the bit.
 * @throws FailureError `not-found`; `unsupported` for a model that does something else
 */
export async function findModel(
  client: RelayClient,
  model: string,
  entry: ModelEntry,
  signal?: AbortSignal,
): Promise<NamedModel> {
  const cid = await cidNamed(client, model, signal);
  const encoded = await client.getBlob(cid, MAX_MANIFEST_BYTES, signal);
  if (encoded === undefined) throw new FailureError("not-found", `the relay has no manifest ${cid}`);
  const manifest = decodeManifest(encoded);
  if (manifest.entry !== entry)
    throw new FailureError(
      "unsupported",
      `${manifest.name} ${manifest.entry === "embed" ? "turns texts into vectors" : "writes text"}, and nothing else`,
    );
  return { cid, manifest };
}

import { createHash, randomBytes } from "node:crypto";
import type { RelayClient } from "../../src/mesh/relay-client.ts";
import { bodyId, openEnvelope, seal } from "../../src/protocol/envelope.ts";
import { header } from "../../src/protocol/header.ts";
import { apiKeyMessage, apiKeyRevokeMessage } from "../../src/protocol/messages/api-key.ts";
import { jobMessage } from "../../src/protocol/messages/job.ts";
import { leaseMessage } from "../../src/protocol/messages/lease.ts";
import { publishModelMessage, unpublishModelMessage } from "../../src/protocol/messages/model.ts";
import { keyRevokeMessage } from "../../src/protocol/messages/session.ts";
import type { RelayInfo } from "../../src/protocol/relay-api.ts";
import type { Signer } from "../../src/protocol/signature.ts";
import { encodeUtf8 } from "../../src/protocol/text.ts";
import { microCredits } from "../../src/protocol/units.ts";
import { cancelOf, jobBody, openScene, signerOf } from "../../src/relay/books/books-scene.contract.ts";
import { GATEWAY_PATHS } from "../../src/relay/gateway/gateway-paths.ts";
import { modelSample } from "../../src/relay/models/publish/model-sample.contract.ts";
import type { Sample } from "./http-inputs.ts";
import { tellRuns } from "./run-prologue.ts";

/** What is known from then on, and requests that nobody has sent yet. */
export interface Prologue {
  readonly apiKey: string;
  readonly model: string;
  /** By path. */
  readonly samples: readonly Sample[];
}

/** One honest request of every kind that a load of jobs and reports has not, so that inputs can be made like it. */
export async function tellPrologue(
  client: RelayClient,
  info: RelayInfo,
  requester: Signer,
): Promise<Prologue> {
  const apiKey = await keysAndModels(client, info, requester);
  await client.getBlob(info.policy, 1 << 20);
  const scene = await openScene();
  scene.books.close();
  const { origin, asset, tariff } = info;
  const ground = { ...scene, requester, clock: { now: Date.now() } };
  const terms = { origin, asset, tariffMax: tariff, parallel: 1, cap: microCredits(2_000) };
  const job = await seal(jobMessage, jobBody(ground, terms), [requester]);
  for (const { lease } of (await client.submitJob(job)).leases) {
    const { id } = openEnvelope(leaseMessage, lease);
    await client.cancelLease(id, (await cancelOf(ground, id)).bytes);
  }
  await tellRuns(client, info, requester);
  const root = signerOf("somebody");
  const revoke = { ...header(origin, asset), root: root.key, key: signerOf("a session of somebody").key };
  await client.revoke(await seal(keyRevokeMessage, revoke, [root]));
  return { apiKey, model: MODEL, samples: gatewaySamples() };
}

const MODEL = "a-kept-model";

async function keysAndModels(client: RelayClient, info: RelayInfo, requester: Signer): Promise<string> {
  const head = header(info.origin, info.asset);
  // Nobody who signs the inputs has his key or his model.
  const owner = signerOf("owner of a key");
  const sample = await modelSample(1);
  for (const { cid, bytes } of sample.blobs) await client.putBlob(cid, bytes);
  const secret = `tabmesh-${randomBytes(32).toString("hex")}`;
  for (const [signer, name, text] of [
    [owner, MODEL, secret],
    [requester, "another-model", `${secret} no more`],
  ] as const) {
    const model = { ...head, publisher: signer.key, name, model: sample.cid, issuedAt: Date.now() };
    await client.publishModel(await seal(publishModelMessage, model, [signer]));
    if (info.gateway === undefined) continue;
    const key = {
      ...head,
      account: signer.key,
      gateway: info.gateway,
      hash: new Uint8Array(createHash("sha256").update(text).digest()),
      label: name,
      cap: microCredits(1_000_000),
      per: "total",
    } as const;
    await client.addApiKey(await seal(apiKeyMessage, key, [signer]));
    if (signer === owner) continue;
    const taken = { ...head, account: signer.key, apiKey: bodyId(apiKeyMessage, key) };
    await client.revokeApiKey(await seal(apiKeyRevokeMessage, taken, [signer]));
    const away = { ...head, publisher: signer.key, name, issuedAt: Date.now() + 1 };
    await client.unpublishModel(await seal(unpublishModelMessage, away, [signer]));
  }
  return secret;
}

function gatewaySamples(): readonly Sample[] {
  const drawing = { temperature: 0.5, top_p: 0.9, top_k: 40, seed: 7, stop: ["."], n: 1, user: "somebody" };
  const streaming = { stream: true, stream_options: { include_usage: true } };
  const messages = [
    { role: "system", content: "Be brief." },
    { role: "user", content: [{ type: "text", text: "Hello?" }] },
  ];
  const bodies: readonly (readonly [string, object])[] = [
    [GATEWAY_PATHS.chat, { model: MODEL, messages, max_tokens: 4, ...drawing }],
    [GATEWAY_PATHS.chat, { model: MODEL, messages, max_completion_tokens: 4, ...streaming }],
    [GATEWAY_PATHS.completions, { model: MODEL, prompt: "Once", max_tokens: 4, ...drawing, ...streaming }],
    [GATEWAY_PATHS.embeddings, { model: MODEL, input: ["a", "b"], encoding_format: "base64" }],
    [GATEWAY_PATHS.embeddings, { model: "no model", input: "a", dimensions: 8 }],
  ];
  return bodies.map(([path, body]) => ({ path, headers: {}, body: encodeUtf8(JSON.stringify(body)) }));
}

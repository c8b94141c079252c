import { createMemoryPins } from "../../ledger/memory-pins.ts";
import { contactRelay } from "../../ledger/relay-contact.ts";
import { createModelHost } from "../../inference/host/create-model-host.ts";
import type { HostResult } from "../../inference/host/model-host.ts";
import type { TestModel } from "../../inference/host/models.contract.ts";
import { relayAddress } from "../../mesh/mesh-address.ts";
import { createNodeMesh } from "../../mesh/node-mesh.ts";
import { createRelayClient } from "../../mesh/relay-client.ts";
import { untilOnline } from "../../mesh/until-online.ts";
import { signerFromSeed, verifierOf } from "../../protocol/ed25519.ts";
import { seal } from "../../protocol/envelope.ts";
import { failureCode } from "../../protocol/failure-code.ts";
import { ABIS } from "../../protocol/messages/session.ts";
import { header } from "../../protocol/header.ts";
import { publishModelMessage } from "../../protocol/messages/model.ts";
import { chunkCid, chunkCount, chunkRange, encodeManifest } from "../../protocol/model-manifest.ts";
import { startSessionIdentity } from "../../protocol/session-identity.ts";
import type { WorkOrder } from "../../provider/check-open.ts";
import { OfferLine } from "../../provider/offer-line.ts";
import type { LoadedModel, ModelTask } from "../../provider/session-ports.ts";
import { WorkDesk } from "../../provider/work-desk.ts";
import { WorkerPool } from "../../provider/worker-pool.ts";

/** A provider of models in this process: the provider's own desk and offers, and the engine that tabs have. For tests. */
export interface NodeProvider {
  /** Tokens and vectors' texts told so far. */
  readonly parts: number;
  /** Tasks that were told to end before they had. */
  readonly stopped: number;
  /** Without a goodbye, as when a machine is switched off. */
  vanish(): Promise<void>;
}

export interface NodeProviderOptions {
  /** Waits after each part, so that there is time for something to happen in between. */
  readonly partMs?: number;
}

const MEMORY_BYTES: number = 512 * 1024 * 1024;

function random(): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(32));
}

function now(): number {
  return Date.now();
}

export async function startNodeProvider(
  url: string,
  models: readonly TestModel[],
  { partMs = 0 }: NodeProviderOptions = {},
): Promise<NodeProvider> {
  const verify = verifierOf(crypto.subtle);
  const client = createRelayClient({ baseUrl: url, fetch: (input, init) => fetch(input, init) });
  const contact = await contactRelay(client, createMemoryPins(), verify, now());
  const identity = await startSessionIdentity(crypto.subtle, { root: random(), session: random() }, now());
  const relay = relayAddress(url, contact.info.peer);
  const mesh = await createNodeMesh({ privateKey: identity.seed, relay, iceServers: [] });
  const pool = new WorkerPool(() => {
    throw new Error("this provider runs no functions");
  }, 4);
  const told = { parts: 0, stopped: 0 };
  const desk = new WorkDesk({
    mesh,
    contact,
    source: client,
    root: identity.root,
    memory: () => MEMORY_BYTES,
    hasModels: true,
    now,
    onChange: () => undefined,
    ports: () => ({
      signer: identity.signer,
      verify,
      pool,
      loadWork: (order) => Promise.resolve(loaded(order, models, partMs, told)),
      saveReceipt: () => undefined,
      onTask: () => undefined,
      onOutcome: () => undefined,
      onEnded: () => undefined,
    }),
  });
  await mesh.start();
  desk.start();
  await untilOnline(mesh, AbortSignal.timeout(20_000));
  const ground = { origin: contact.info.origin, asset: contact.info.asset };
  const line = await OfferLine.open(
    {
      mesh,
      relay,
      ground,
      root: identity.root,
      signer: identity.signer,
      verify,
      now,
      tariffMin: contact.info.tariff,
      note: () => contact.note(),
      capacity: () => ({ workers: 4, free: 4, memoryBytes: MEMORY_BYTES, abis: ABIS }),
    },
    AbortSignal.timeout(20_000),
  );
  line.ended.catch(() => undefined);
  return {
    get parts() {
      return told.parts;
    },
    get stopped() {
      return told.stopped;
    },
    vanish: () => mesh.stop(),
  };
}

/** Each lease has a host of its own here, so that conversations run side by side. */
function loaded(
  { job }: WorkOrder,
  models: readonly TestModel[],
  partMs: number,
  told: { parts: number; stopped: number },
): LoadedModel {
  const { cid } = job.body.work;
  const model = models.find((each) => each.cid === cid);
  if (model === undefined) throw new Error(`this provider has no model ${cid}`);
  const host = createModelHost();
  let turn: Promise<unknown> = Promise.resolve();
  const run = async (task: ModelTask): Promise<HostResult> => {
    await host.open(cid, model.file, { backend: "wasm" }, () => undefined);
    task.onStart();
    task.signal.addEventListener(
      "abort",
      () => {
        told.stopped += 1;
        void host.stop();
      },
      { once: true },
    );
    const result = await host.run({ ...task, entry: model.manifest.entry }, async (part) => {
      told.parts += 1;
      await task.onPart(part);
      if (partMs > 0) await new Promise((resolve) => setTimeout(resolve, partMs));
    });
    return result;
  };
  return {
    kind: "model",
    run(task) {
      const next = turn.then(() =>
        task.signal.aborted
          ? { kind: "failed" as const, code: failureCode("not-started"), detail: "", fuel: 0n }
          : run(task),
      );
      turn = next.catch(() => undefined);
      return next;
    },
  };
}

/** Publishes a model at a relay under a name. */
export async function publish(url: string, name: string, { cid, manifest, file }: TestModel): Promise<void> {
  const client = createRelayClient({ baseUrl: url, fetch: (input, init) => fetch(input, init) });
  const info = await client.info();
  const bytes = new Uint8Array(await file.arrayBuffer());
  for (let index = 0; index < chunkCount(manifest); index += 1) {
    const { from, to } = chunkRange(manifest, index);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await client.putBlob(chunkCid(manifest, index), bytes.slice(from, to));
  }
  await client.putBlob(cid, encodeManifest(manifest));
  const publisher = await signerFromSeed(crypto.subtle, random());
  const body = {
    ...header(info.origin, info.asset),
    publisher: publisher.key,
    name,
    model: cid,
    issuedAt: Date.now(),
  };
  await client.publishModel(await seal(publishModelMessage, body, [publisher]));
}

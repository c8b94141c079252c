import { createMemoryPins } from "../ledger/memory-pins.ts";
import { contactRelay } from "../ledger/relay-contact.ts";
import { relayAddress } from "../mesh/mesh-address.ts";
import { createNodeMesh } from "../mesh/node-mesh.ts";
import { createRelayClient } from "../mesh/relay-client.ts";
import { untilOnline } from "../mesh/until-online.ts";
import type { Cid } from "../protocol/cid.ts";
import { verifierOf } from "../protocol/ed25519.ts";
import { ABIS, FUNCTION_ABIS } from "../protocol/messages/session.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import { startSessionIdentity } from "../protocol/session-identity.ts";
import { EffectDesk, type EffectParts } from "../provider/effects/effect-desk.ts";
import { OfferLine } from "../provider/offer-line.ts";
import type { SandboxThread } from "../provider/sandbox-thread.ts";
import { RunDesk } from "../provider/run-desk.ts";
import { WorkDesk } from "../provider/work-desk.ts";
import { WorkerPool } from "../provider/worker-pool.ts";
import { sandboxHere } from "../sdk/lease-pair.contract.ts";

/** A provider of functions in this process: the provider's own desk, offers and sandbox. For tests. */
export interface FunctionProvider {
  readonly peer: PeerId;
  /** Tasks begun so far. */
  readonly begun: number;
  /** Values of steps that others have asked it for and got. */
  readonly served: readonly Cid[];
  /** Without a goodbye, as when a machine is switched off. */
  vanish(): Promise<void>;
}

export interface FunctionProviderOptions {
  /** What it runs, whatever the job asks for: a liar runs something else. */
  readonly module: Uint8Array;
  /** What tasks run in; the sandbox in this thread when absent. */
  readonly startThread?: () => SandboxThread;
  /** Called with each task that it has begun. */
  readonly onTask?: (begun: number) => void;
  /** What it carries out besides; no effects when absent. */
  readonly effects?: EffectParts;
}

const MEMORY_BYTES: number = 512 * 1024 * 1024;

function random(): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(32));
}

function now(): number {
  return Date.now();
}

export async function startFunctionProvider(
  url: string,
  { module, onTask, startThread = sandboxHere, effects: parts }: FunctionProviderOptions,
): Promise<FunctionProvider> {
  const verify = verifierOf(crypto.subtle);
  const client = createRelayClient({ baseUrl: url, fetch: (input, init) => fetch(input, init) });
  const contact = await contactRelay(client, createMemoryPins(), verify, now());
  const identity = await startSessionIdentity(crypto.subtle, { root: random(), session: random() }, now());
  const relay = relayAddress(url, contact.info.peer);
  const mesh = await createNodeMesh({ privateKey: identity.seed, relay, iceServers: [] });
  const pool = new WorkerPool(startThread, 1);
  const effects = parts === undefined ? undefined : new EffectDesk(parts, identity, now);
  let begun = 0;
  const runs = new RunDesk({ mesh, relay, signer: identity.signer, verify, now, relayRuns: client });
  const served: Cid[] = [];
  const find = runs.find.bind(runs);
  runs.find = (cid) => {
    const bytes = find(cid);
    if (bytes !== undefined) served.push(cid);
    return bytes;
  };
  runs.serve();
  const desk = new WorkDesk({
    mesh,
    contact,
    source: client,
    root: identity.root,
    memory: () => MEMORY_BYTES,
    hasModels: false,
    effects,
    now,
    onChange: () => undefined,
    ports: () => ({
      signer: identity.signer,
      verify,
      pool,
      loadWork: async (order) => {
        const { work } = order.job.body;
        if (work.kind === "effect" && effects !== undefined) return effects.load(order);
        return {
          kind: "function",
          spec: { cid: work.cid, abi: "bytes-1", entry: work.entry },
          module,
          args: { args: [], env: {}, files: [] },
        };
      },
      runs,
      saveReceipt: () => undefined,
      onTask: (event) => {
        if (event !== "started") return;
        begun += 1;
        onTask?.(begun);
      },
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
      capacity: () => ({
        workers: 4,
        free: 4,
        memoryBytes: MEMORY_BYTES,
        abis: effects === undefined ? FUNCTION_ABIS : ABIS,
        ...(effects === undefined ? {} : { effects: effects.offered() }),
      }),
    },
    AbortSignal.timeout(20_000),
  );
  line.ended.catch(() => undefined);
  return {
    peer: identity.root,
    served,
    get begun() {
      return begun;
    },
    async vanish() {
      await mesh.stop();
      pool.stop();
    },
  };
}

import { setTimeout as delay } from "node:timers/promises";
import { createNodeMesh } from "../../src/mesh/node-mesh.ts";
import { untilOnline } from "../../src/mesh/until-online.ts";
import { createRelayClient, type RelayClient } from "../../src/mesh/relay-client.ts";
import { openEnvelope, type Verified, verifiedSync } from "../../src/protocol/envelope.ts";
import { failureKind } from "../../src/protocol/failure-code.ts";
import { FailureError } from "../../src/protocol/failure.ts";
import { type Job, jobMessage } from "../../src/protocol/messages/job.ts";
import { type LeaseGrant, leaseMessage } from "../../src/protocol/messages/lease.ts";
import type { ReportAnswer } from "../../src/protocol/messages/receipt.ts";
import type { Abi } from "../../src/protocol/messages/session.ts";
import type { RelayInfo } from "../../src/protocol/relay-api.ts";
import type { Signer } from "../../src/protocol/signature.ts";
import { microCredits } from "../../src/protocol/units.ts";
import { OfferLine } from "../../src/provider/offer-line.ts";
import {
  closeOf,
  jobBody,
  LeaseWork,
  openScene,
  type Scene,
  seedOf,
  signerOf,
  verifiedMessage,
} from "../../src/relay/books/books-scene.contract.ts";
import { verifyNative } from "../../src/relay/books/native-keys.ts";
import type { KeptLog } from "./kept-log.ts";

const PROVIDERS = ["provider one", "provider two"] as const;
/** Receipts of one lease; the last one is final. */
const RECEIPTS = 6;
/** A provider that has not joined by then begins anew, milliseconds. */
const JOIN_MS = 5_000;
/** What a client waits before it tries again, milliseconds. */
const AGAIN_MS = 40;
/** Some hundred reports a second. */
const HEAVY: LoadOptions = { name: "", abi: "bytes-1", requesters: 6, pauseMs: 4, fetch };

/** What ends when the relay dies or a step of it was made to fail, and is sent again as it was. */
const PASSING: ReadonlySet<string> = new Set([
  "disconnected",
  "timed-out",
  "relay-fault",
  "no-provider",
  "bad-answer",
  "unreachable",
]);

/** And where the relay does not take it. */
const REFUSED_MS = 500;

export interface LoadOptions {
  /** Sets the identities of several loads apart. */
  readonly name: string;
  /** What its jobs need and its providers offer: so that its work stays its own. */
  readonly abi: Abi;
  readonly requesters: number;
  /** Between two reports of one lease, milliseconds. */
  readonly pauseMs: number;
  readonly fetch: typeof fetch;
}

function requestersOf({ name, requesters }: LoadOptions): readonly string[] {
  return Array.from({ length: requesters }, (_, at) => `requester ${at} ${name}`);
}

function providersOf({ name }: LoadOptions): readonly string[] {
  return PROVIDERS.map((each) => `${each} ${name}`);
}

/** Everybody of a load, who can sign. */
export function castOf(options: LoadOptions): readonly Signer[] {
  return [...providersOf(options), ...requestersOf(options)].map((name) => signerOf(name));
}

/**
 * Requesters and providers of one relay, with real keys, jobs, leases and reports, over HTTP and the mesh. What is not
 * answered is sent again, byte for byte, until it is; now and then also what was answered.
 */
export class RelayLoad {
  readonly #client: RelayClient;
  readonly #info: RelayInfo;
  readonly #scene: Scene;
  readonly #log: KeptLog;
  readonly #options: LoadOptions;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>[] = [];
  /** Meshes of providers that are being left. */
  readonly #leaving = new Set<Promise<void>>();
  #alive = Promise.withResolvers<void>();
  /** Jobs that came to their end. */
  jobs = 0;
  reports = 0;
  /** Reports that were sent again after their answer. */
  repeated = 0;

  private constructor(
    client: RelayClient,
    info: RelayInfo,
    scene: Scene,
    log: KeptLog,
    options: LoadOptions,
  ) {
    this.#client = client;
    this.#info = info;
    this.#scene = scene;
    this.#log = log;
    this.#options = options;
  }

  /** @param url of a relay that lives now; later ones have the same. */
  static async start(url: string, log: KeptLog, options: LoadOptions = HEAVY): Promise<RelayLoad> {
    const client = createRelayClient({ baseUrl: url, fetch: options.fetch, timeoutMs: 5_000 });
    const scene = await openScene();
    scene.books.close();
    const load = new RelayLoad(client, await client.info(), scene, log, options);
    for (const name of providersOf(options)) load.#running.push(load.#provide(name));
    for (const name of requestersOf(options)) load.#running.push(load.#request(name));
    load.relayIsThere();
    return load;
  }

  /** The relay answers again. */
  relayIsThere(): void {
    this.#alive.resolve();
  }

  relayIsGone(): void {
    this.#alive = Promise.withResolvers();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#alive.resolve();
    await Promise.all(this.#running);
    await Promise.all(this.#leaving);
  }

  /** Stands ready under an offer, again after each life of the relay. */
  async #provide(name: string): Promise<void> {
    const { signal } = this.#stop;
    const [relay = ""] = this.#info.addresses;
    for (;;) {
      await this.#alive.promise;
      if (signal.aborted) return;
      const mesh = await createNodeMesh({ privateKey: seedOf(name), relay });
      try {
        await mesh.start();
        const patience = AbortSignal.any([signal, AbortSignal.timeout(JOIN_MS)]);
        await untilOnline(mesh, patience);
        const line = await OfferLine.open(
          {
            mesh,
            relay,
            ground: this.#info,
            root: signerOf(name).key,
            signer: signerOf(name),
            verify: async (...claim) => verifyNative(...claim),
            tariffMin: this.#info.tariff,
            capacity: () => ({
              workers: 1_024,
              free: 1_024,
              memoryBytes: 1 << 28,
              abis: [this.#options.abi],
            }),
            note: () => undefined,
            now: Date.now,
          },
          patience,
        );
        const stopped = new Promise<void>((resolve) => {
          signal.addEventListener("abort", () => resolve(), { once: true });
        });
        await Promise.race([line.ended, stopped]);
      } catch {
        // The relay is dead at the moment: once more.
      } finally {
        const left = mesh.stop().catch(() => undefined);
        this.#leaving.add(left);
        void left.finally(() => this.#leaving.delete(left));
      }
      await delay(AGAIN_MS);
    }
  }

  async #request(name: string): Promise<void> {
    const requester = signerOf(name);
    while (!this.#stop.signal.aborted) {
      try {
        await this.#job(requester);
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        this.#log.problems.push(`${name}: ${said(error)}`);
        await delay(REFUSED_MS);
      }
    }
  }

  /** One job from its escrow to its end. */
  async #job(requester: Signer): Promise<void> {
    const { origin, asset, tariff } = this.#info;
    const scene = { ...this.#scene, requester, clock: { now: Date.now() } };
    const { work, ...terms } = jobBody(scene, {
      origin,
      asset,
      tariffMax: tariff,
      parallel: 1,
      cap: microCredits(2_000),
    });
    const job = await verifiedMessage(jobMessage, { ...terms, work: { ...work, abi: this.#options.abi } }, [
      requester,
    ]);
    const { leases } = await this.#insist(() => this.#client.submitJob(job.bytes));
    for (const grant of leases) await this.#lease(scene, job, grant);
    const close = await closeOf(scene, job.id);
    await this.#insist(() => this.#client.closeJob(close.bytes));
    this.jobs += 1;
  }

  async #lease(scene: Scene, job: Verified<Job>, grant: LeaseGrant): Promise<void> {
    const lease = verifiedSync(openEnvelope(leaseMessage, grant.lease), verifyNative);
    this.#log.head(lease.body.checkpoint);
    const provider = castOf(this.#options).find(({ key }) => key === lease.body.provider);
    if (provider === undefined) throw new Error(`${lease.body.provider} has a lease and no offer`);
    const work = new LeaseWork({ ...scene, provider }, job, lease, scene.requester);
    for (let seq = 1; seq <= RECEIPTS; seq += 1) {
      const final = seq === RECEIPTS;
      const report = await work.go(3).report({ receipt: { final }, advance: { close: final } });
      const answer = await this.#report(report);
      work.logged = work.outcomes.size;
      if (Math.random() < 0.15) await this.#repeat(report, answer);
      await delay(this.#options.pauseMs);
    }
  }

  async #report(report: Uint8Array): Promise<ReportAnswer> {
    const answer = await this.#insist(() => this.#client.report(report));
    this.#log.acknowledge(answer, answer.entry);
    this.reports += 1;
    return answer;
  }

  /** The same report again has the same entry: nothing is logged, and nothing paid, a second time. */
  async #repeat(report: Uint8Array, { index }: ReportAnswer): Promise<void> {
    const again = await this.#report(report);
    this.repeated += 1;
    if (again.index !== index)
      this.#log.problems.push(`a report was logged twice, as ${index} and ${again.index}`);
  }

  /** The answer, however often the relay has to be asked. @throws FailureError of the relay; the reason when stopped */
  async #insist<T>(ask: () => Promise<T>): Promise<T> {
    for (;;) {
      this.#stop.signal.throwIfAborted();
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof FailureError) || !PASSING.has(failureKind(error.code).name)) throw error;
        await delay(AGAIN_MS);
      }
    }
  }
}

function said(error: unknown): string {
  if (error instanceof FailureError) return `${failureKind(error.code).name}: ${error.detail}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

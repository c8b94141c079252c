import { createMemoryPins } from "../../src/ledger/memory-pins.ts";
import { contactRelay, type RelayContact } from "../../src/ledger/relay-contact.ts";
import { serveBlobs } from "../../src/mesh/blob-exchange.ts";
import { relayAddress } from "../../src/mesh/mesh-address.ts";
import type { Mesh, MeshStream } from "../../src/mesh/mesh.ts";
import { createRelayClient, type RelayClient } from "../../src/mesh/relay-client.ts";
import { createTabMesh } from "../../src/mesh/tab-mesh.ts";
import { cidFromDigest, cidOf, RAW } from "../../src/protocol/cid.ts";
import { failureCode } from "../../src/protocol/failure-code.ts";
import { FailureError } from "../../src/protocol/failure.ts";
import type { LeaseGrant } from "../../src/protocol/messages/lease.ts";
import { SEED_BYTES, verifierOf } from "../../src/protocol/ed25519.ts";
import { type SessionIdentity, startSessionIdentity } from "../../src/protocol/session-identity.ts";
import type { JobOptions } from "../../src/sdk/job-options.ts";
import { type MadeJob, makeJob } from "../../src/sdk/make-job.ts";
import { openSession, verifyGrant } from "../../src/sdk/open-session.ts";
import type { RequesterPorts, RequesterSession } from "../../src/sdk/requester-session.ts";
import type { SentTask } from "../../src/sdk/task-answers.ts";
import type { TaskInput } from "../../src/sdk/task-input.ts";
import { taskSeed } from "../../src/sdk/work-queue.ts";

const DIAL_TIMEOUT_MS = 15_000;
const GRANT_ATTEMPTS = 20;
const GRANT_PAUSE_MS = 300;
const verify = verifierOf(crypto.subtle);

function random(length: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(length));
}

async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(bytes)));
}

/** A lease at work, and the way to its provider for bare streams. */
export interface OpenLease {
  readonly session: RequesterSession;
  readonly job: MadeJob;
  dial(protocol: string): Promise<MeshStream>;
}

/** A requester's tab as the SDK makes one, with its lease in reach. */
export class Requester {
  readonly #client: RelayClient;
  readonly #contact: RelayContact;
  readonly #identity: SessionIdentity;
  readonly #mesh: Mesh;

  private constructor(client: RelayClient, contact: RelayContact, identity: SessionIdentity, mesh: Mesh) {
    this.#client = client;
    this.#contact = contact;
    this.#identity = identity;
    this.#mesh = mesh;
  }

  static async join(): Promise<Requester> {
    const client = createRelayClient({
      baseUrl: location.origin,
      fetch: (input, init) => fetch(input, init),
    });
    const seeds = { root: random(SEED_BYTES), session: random(SEED_BYTES) };
    const [contact, identity] = await Promise.all([
      contactRelay(client, createMemoryPins(), verify, Date.now()),
      startSessionIdentity(crypto.subtle, seeds, Date.now()),
    ]);
    const relay = relayAddress(location.origin, contact.info.peer);
    const mesh = await createTabMesh({ privateKey: identity.seed, relay, iceServers: [] });
    await mesh.start();
    return new Requester(client, contact, identity, mesh);
  }

  /** Takes one lease of the only provider there is. */
  async lease(module: Uint8Array, options: JobOptions): Promise<OpenLease> {
    const contact = this.#contact;
    const { signer, root: requester } = this.#identity;
    const job = await makeJob(
      module,
      { parallel: 1, ...options },
      {
        info: contact.info,
        requester,
        payer: requester,
        signer,
        available: undefined,
        largestInput: undefined,
        nowMs: Date.now(),
        nonce: random(16),
        drawSecret: random(32),
      },
    );
    const ports: RequesterPorts = {
      signer,
      verify,
      randomSalt: () => random(16),
      sha256,
      onRoom: () => undefined,
    };
    const stopServing = serveBlobs(this.#mesh, (cid) => Promise.resolve(job.blobs.get(cid)));
    const grant = await this.#grant(job);
    const granted = await verifyGrant(grant, job, contact, ports);
    const session = await openSession({
      mesh: this.#mesh,
      contact,
      job,
      granted,
      ports,
      signal: new AbortController().signal,
      now: () => Date.now(),
    });
    void session.ended.then(stopServing);
    const dial = (protocol: string): Promise<MeshStream> =>
      this.#mesh.dial(grant.addresses, protocol, {
        signal: AbortSignal.timeout(DIAL_TIMEOUT_MS),
        direct: true,
      });
    return { session, job, dial };
  }

  /** The provider's offer says a moment after a lease that it is free again. */
  async #grant(job: MadeJob): Promise<LeaseGrant> {
    for (let attempt = 0; attempt < GRANT_ATTEMPTS; attempt += 1) {
      try {
        // Asks again.
        const [grant] = (await this.#client.submitJob(job.envelope)).leases;
        if (grant !== undefined) return grant;
      } catch (error) {
        if (!(error instanceof FailureError) || error.code !== failureCode("no-provider")) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, GRANT_PAUSE_MS));
    }
    throw new Error("the relay gave no lease");
  }
}

/** What the SDK makes of an input before it sends it. */
export async function taskInput({ job }: OpenLease, index: number, bytes: Uint8Array): Promise<TaskInput> {
  const cid = bytes.length <= 16_384 ? cidOf(RAW, bytes) : cidFromDigest(RAW, await sha256(bytes));
  return { bytes, cid, seed: taskSeed(job.body.nonce, index) };
}

/** Every task is done and stands under a receipt of the provider; both sides have signed the last one. */
export async function settle({ session }: OpenLease, tasks: readonly SentTask[]): Promise<void> {
  await Promise.all(tasks.map(({ final }) => final));
  await session.close();
  const count = session.channel.report()?.body.count;
  if (count !== tasks.length) throw new Error(`${count} of ${tasks.length} tasks are under the last receipt`);
}

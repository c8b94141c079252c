import { randomBytes } from "node:crypto";
import { type Cid, cidOf, RAW } from "../../protocol/cid.ts";
import { delegationMessage } from "../../protocol/delegation.ts";
import {
  type MessageType,
  openEnvelope,
  seal,
  type Verified,
  verifiedSync,
} from "../../protocol/envelope.ts";
import { header, testAsset } from "../../protocol/header.ts";
import { leafHash, MerkleTree } from "../../protocol/merkle.ts";
import { type CloseJob, closeJobMessage, type Job, jobMessage } from "../../protocol/messages/job.ts";
import { type Lease, leaseMessage } from "../../protocol/messages/lease.ts";
import { type Receipt, receiptMessage, reportMessage } from "../../protocol/messages/receipt.ts";
import { type Advance, advanceMessage, type Cancel, cancelMessage } from "../../protocol/messages/task.ts";
import type { Signer } from "../../protocol/signature.ts";
import { priceOf, type Tariff, tariffCid } from "../../protocol/tariff.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { fuel, microCredits } from "../../protocol/units.ts";
import type { Books } from "../books.ts";
import { relayKey, verifyNative } from "./native-keys.ts";
import { type BooksOptions, openBooks } from "./open-books.ts";

/** A relay's books, a requester with money, a provider, and what they sign. For tests and measurements. */

export const ORIGIN = "localhost/log";
export const HEAD = header(ORIGIN, testAsset(ORIGIN));
export const TARIFF: Tariff = {
  perGfuel: microCredits(100),
  perTask: microCredits(10),
  perKiB: microCredits(1),
  perInstantiation: microCredits(0),
};
export const POLICY_DOCUMENT = encodeUtf8("everything is checked");
export const WORK: Cid = cidOf(RAW, encodeUtf8("a function"));
export const START = Date.UTC(2030, 0, 1, 12);
export const GRANT = microCredits(1_000_000);

export function seedOf(name: string): Uint8Array {
  return encodeUtf8(name.padEnd(32, ".")).slice(0, 32);
}

export function signerOf(name: string, delegation?: Uint8Array): Signer {
  const key = relayKey(seedOf(name));
  return {
    key: key.peer,
    ...(delegation === undefined ? {} : { delegation }),
    sign: async (message) => key.sign(message),
  };
}

/** A session key that acts for a root identity. */
export async function sessionOf(
  root: string,
  session: string,
  from: number = START,
  until: number = START + 86_400_000,
): Promise<Signer> {
  const delegation = await seal(
    delegationMessage,
    { root: signerOf(root).key, session: signerOf(session).key, notBefore: from, notAfter: until },
    [signerOf(root)],
  );
  return signerOf(session, delegation);
}

export async function verifiedMessage<T>(
  type: MessageType<T>,
  body: T,
  signers: readonly Signer[],
): Promise<Verified<T>> {
  return verifiedSync(openEnvelope(type, await seal(type, body, signers)), verifyNative);
}

export interface Scene {
  readonly books: Books;
  /** Log time follows this. */
  readonly clock: { now: number };
  readonly options: BooksOptions;
  readonly requester: Signer;
  readonly provider: Signer;
}

export function optionsOf(path: string, clock: { now: number }): BooksOptions {
  return {
    path,
    origin: ORIGIN,
    asset: HEAD.asset,
    seeds: { log: seedOf("log"), lease: seedOf("lease"), draw: seedOf("draw") },
    clock: () => clock.now,
    tariff: TARIFF,
    policyDocument: POLICY_DOCUMENT,
  };
}

export async function openScene(
  path: string = ":memory:",
  changes: Partial<BooksOptions> = {},
): Promise<Scene> {
  const clock = { now: START };
  const options = { ...optionsOf(path, clock), ...changes };
  const books = await openBooks(options);
  const scene = { books, clock, options, requester: signerOf("requester"), provider: signerOf("provider") };
  await books.grant(scene.requester.key, GRANT, "a test");
  return scene;
}

export function jobBody(scene: Scene, changes: Partial<Job> = {}): Job {
  return {
    ...HEAD,
    requester: scene.requester.key,
    payer: scene.requester.key,
    nonce: new Uint8Array(randomBytes(16)),
    issuedAt: scene.clock.now,
    expires: scene.clock.now + 3_600_000,
    work: { kind: "function", cid: WORK, entry: "run", abi: "bytes-1", profile: 1, effects: [] },
    argsCid: cidOf(RAW, encodeUtf8("no arguments")),
    limits: { fuel: fuel(1_000_000), memory: 65_536, output: 1_024, deadlineMs: 1_000 },
    maxTasks: 1_000,
    parallel: 2,
    cap: microCredits(10_000),
    tariffMax: TARIFF,
    verify: { policy: "sampled", k: 1, disclosure: "relay", drawCommit: new Uint8Array(32) },
    ...changes,
  };
}

export async function signedJob(
  scene: Scene,
  changes: Partial<Job> = {},
  signer: Signer = scene.requester,
): Promise<Verified<Job>> {
  return verifiedMessage(jobMessage, jobBody(scene, changes), [signer]);
}

export function leaseBody(
  scene: Scene,
  job: Verified<Job>,
  escrowIndex: number,
  changes: Partial<Lease> = {},
): Lease {
  return {
    ...HEAD,
    job: job.id,
    rev: 0,
    provider: scene.provider.key,
    instance: scene.provider.key,
    requesterKey: job.signedBy[0]!.key,
    replica: 0,
    gateway: false,
    budget: microCredits(5_000),
    tariff: tariffCid(TARIFF),
    profile: 1,
    policy: scene.books.policy,
    windowMax: 4,
    inflightMax: 4,
    startFee: microCredits(2),
    disputeDeposit: microCredits(0),
    holdBytes: 1_000_000,
    issuedAt: scene.clock.now,
    firstTaskMs: 30_000,
    dispatchMs: 300_000,
    reportMs: 600_000,
    openMs: 600_000,
    escrowIndex,
    checkpoint: "",
    ...changes,
  };
}

export async function signedLease(
  scene: Scene,
  job: Verified<Job>,
  escrowIndex: number,
  changes: Partial<Lease> = {},
): Promise<Verified<Lease>> {
  return verifiedMessage(leaseMessage, leaseBody(scene, job, escrowIndex, changes), [
    scene.books.signer("lease"),
  ]);
}

export async function closeOf(
  scene: Scene,
  job: Cid,
  signer: Signer = scene.requester,
): Promise<Verified<CloseJob>> {
  return verifiedMessage(closeJobMessage, { ...HEAD, job }, [signer]);
}

export async function cancelOf(
  scene: Scene,
  lease: Cid,
  signer: Signer = scene.requester,
): Promise<Verified<Cancel>> {
  return verifiedMessage(cancelMessage, { ...HEAD, lease, seq: 0, atUnit: 0 }, [signer]);
}

/** What can be changed about a report, to see what comes of it. */
export interface ReportChanges {
  readonly receipt?: Partial<Receipt>;
  readonly advance?: Partial<Advance>;
  readonly prevCount?: number;
  readonly consistency?: readonly Uint8Array[];
  readonly lost?: readonly number[];
  readonly provider?: Signer;
  readonly requester?: Signer;
  readonly reporter?: Signer;
}

/** Both ends of one lease: names tasks, answers them, and writes honest reports unless told otherwise. */
export class LeaseWork {
  readonly #scene: Scene;
  readonly #job: Job;
  readonly #requester: Signer;
  readonly lease: Verified<Lease>;
  readonly outcomes = new MerkleTree();
  readonly tasks = new MerkleTree();
  #seq = 0;
  #prev: Cid | undefined;
  /** Count of the receipt that was logged before. */
  logged = 0;

  constructor(scene: Scene, job: Verified<Job>, lease: Verified<Lease>, requester: Signer = scene.requester) {
    this.#scene = scene;
    this.#job = job.body;
    this.#requester = requester;
    this.lease = lease;
  }

  /** Names `tasks` more and answers `outcomes` more. */
  go(outcomes: number, tasks: number = outcomes): this {
    for (let i = 0; i < tasks; i += 1)
      this.tasks.append(leafHash(encodeUtf8(`${this.lease.id} task ${this.tasks.size}`)));
    for (let i = 0; i < outcomes; i += 1)
      this.outcomes.append(leafHash(encodeUtf8(`${this.lease.id} outcome ${this.outcomes.size}`)));
    return this;
  }

  receiptBody(changes: Partial<Receipt> = {}): Receipt {
    const count = this.outcomes.size;
    const totals = {
      payable: count,
      cancelled: 0,
      fuel: fuel(count * 1_000_000),
      bytes: BigInt(count * 512),
    };
    const { body: terms } = this.lease;
    return {
      ...HEAD,
      job: terms.job,
      lease: this.lease.id,
      rev: terms.rev,
      seq: this.#seq,
      ...(this.#prev === undefined ? {} : { prev: this.#prev }),
      provider: terms.provider,
      requester: this.#job.requester,
      workCid: this.#job.work.cid,
      profile: terms.profile,
      policy: terms.policy,
      ...(terms.policyVersion === undefined
        ? {}
        : { policyVersion: terms.policyVersion, peak: fuel(1_000_000) }),
      tariff: terms.tariff,
      tree: "rfc6962-sha256",
      root: this.outcomes.root(),
      count,
      ...totals,
      tasksRoot: this.tasks.root(),
      taskCount: this.tasks.size,
      amount: priceOf(TARIFF, totals, terms.startFee),
      final: false,
      ...changes,
    };
  }

  /** The next report. */
  async report(changes: ReportChanges = {}): Promise<Uint8Array> {
    this.#seq += 1;
    const { provider = this.#scene.provider, requester = this.#requester } = changes;
    const receipt = await verifiedMessage(receiptMessage, this.receiptBody(changes.receipt), [provider]);
    this.#prev = receipt.id;
    const advance: Advance = {
      ...HEAD,
      lease: this.lease.id,
      receiptCid: receipt.id,
      tasksRoot: this.tasks.root(),
      taskCount: this.tasks.size,
      close: false,
      ...changes.advance,
    };
    return seal(
      reportMessage,
      {
        ...HEAD,
        receipt: receipt.bytes,
        advance: await seal(advanceMessage, advance, [requester]),
        prevCount: changes.prevCount ?? this.logged,
        consistency: changes.consistency ?? this.outcomes.consistencyProof(this.logged),
        lost: changes.lost ?? [],
      },
      [changes.reporter ?? provider],
    );
  }

  /** Reports to the books; the next proof begins here. */
  async send(changes: ReportChanges = {}): Promise<Awaited<ReturnType<Books["report"]>>> {
    const answer = await this.#scene.books.report(await this.report(changes));
    this.logged = this.outcomes.size;
    return answer;
  }
}

/** An open job with one lease. */
export async function openLease(
  scene: Scene,
  jobChanges: Partial<Job> = {},
  leaseChanges: Partial<Lease> = {},
): Promise<{ readonly job: Verified<Job>; readonly escrowIndex: number; readonly work: LeaseWork }> {
  const job = await signedJob(scene, jobChanges);
  const { index } = await scene.books.openJob(job);
  const lease = await signedLease(scene, job, index, leaseChanges);
  await scene.books.addLease(lease);
  return { job, escrowIndex: index, work: new LeaseWork(scene, job, lease) };
}

/* A relay that audits, with real functions: a requester names tasks, a provider answers them, honestly or not. For tests. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AuditPolicy, DEFAULT_AUDIT_POLICY } from "../../protocol/audit-policy.ts";
import { type Cid, cidFromDigest, cidOf, DAG_CBOR, RAW } from "../../protocol/cid.ts";
import { openEnvelope, seal, type Verified } from "../../protocol/envelope.ts";
import { MerkleTree } from "../../protocol/merkle.ts";
import { disputeMessage, type Opening, openingMessage } from "../../protocol/messages/audit.ts";
import { encodeJobArgs, type Job, type JobArgs } from "../../protocol/messages/job.ts";
import type { Lease } from "../../protocol/messages/lease.ts";
import {
  type Receipt,
  receiptMessage,
  reportMessage,
  type ReportAnswer,
} from "../../protocol/messages/receipt.ts";
import {
  type Advance,
  advanceMessage,
  encodeOutcome,
  encodeTask,
  type OutcomeLeaf,
  type Task,
} from "../../protocol/messages/task.ts";
import { OutcomeTally } from "../../protocol/outcome-tally.ts";
import type { Signer } from "../../protocol/signature.ts";
import { priceOf, type WorkTotals } from "../../protocol/tariff.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { fuel, type MicroCredits } from "../../protocol/units.ts";
import { createSandbox } from "../../sandbox/sandbox.ts";
import { bytesModule, wat } from "../../sandbox/wat.contract.ts";
import { HEAD, openLease, type Scene, TARIFF } from "../books/books-scene.contract.ts";
import { checkBooks } from "../books/check-books.ts";
import { openRelayScene, post, type RelayScene } from "../relay-scene.contract.ts";
import { openSqliteStore } from "../store/sqlite-store.ts";

export interface AuditScene {
  readonly relay: RelayScene;
  readonly folder: string;
  readonly policy: AuditPolicy;
  /** What the tables say otherwise than the log. Closes the relay. */
  close(): Promise<readonly string[]>;
}

export async function openAuditScene(changes: Partial<AuditPolicy> = {}): Promise<AuditScene> {
  const folder = mkdtempSync(join(tmpdir(), "audit-scene-"));
  const path = join(folder, "books.sqlite");
  const policy = { ...DEFAULT_AUDIT_POLICY, ...changes };
  const relay = await openRelayScene({ audit: policy, path });
  let problems: readonly string[] | undefined;
  return {
    relay,
    folder,
    policy,
    async close() {
      if (problems !== undefined) return problems;
      await relay.close();
      const store = openSqliteStore(path);
      problems = checkBooks(store);
      store.close();
      rmSync(folder, { recursive: true, force: true });
      return problems;
    },
  };
}

/** Doubles every byte of its input in place, and traps where the first one is 255. */
const DOUBLES = bytesModule(
  `(local $i i32)
   local.get $in i32.load8_u i32.const 255 i32.eq if unreachable end
   (block $done (loop $next
     local.get $i local.get $len i32.ge_u br_if $done
     local.get $in local.get $i i32.add
     local.get $in local.get $i i32.add i32.load8_u i32.const 1 i32.shl i32.store8
     local.get $i i32.const 1 i32.add local.set $i br $next))
   local.get $in i64.extend_i32_u i64.const 32 i64.shl local.get $len i64.extend_i32_u i64.or`,
);

export const DOUBLER: Uint8Array = await wat(DOUBLES);
const NO_ARGS: JobArgs = { args: [], env: [], files: [] };
export const ARGS: Uint8Array = encodeJobArgs(NO_ARGS);

function stream(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new Blob([new Uint8Array(bytes)]).stream();
}

/** Puts bytes at the relay. @returns their CID */
export async function putRaw({ relay }: AuditScene, bytes: Uint8Array): Promise<Cid> {
  const cid = cidOf(RAW, bytes);
  await relay.blobs.put(cid, stream(bytes));
  return cid;
}

export interface LeaseOptions {
  /** Whether the relay has the function; it has when absent. */
  readonly isShared?: boolean;
  readonly job?: Partial<Job>;
  readonly lease?: Partial<Lease>;
}

/** A job of the doubler with one audited lease. */
export async function openAuditedLease(scene: AuditScene, options: LeaseOptions = {}): Promise<AuditedLease> {
  const cid = cidOf(RAW, DOUBLER);
  if (options.isShared !== false) {
    await putRaw(scene, DOUBLER);
    await scene.relay.blobs.put(cidOf(DAG_CBOR, ARGS), stream(ARGS));
  }
  const { job, work } = await openLease(
    scene.relay.scene,
    {
      work: { kind: "function", cid, entry: "tabmesh_run", abi: "bytes-1", profile: 1, effects: [] },
      argsCid: cidOf(DAG_CBOR, ARGS),
      ...options.job,
    },
    { policyVersion: scene.policy.version, ...options.lease },
  );
  const ground = {
    scene: scene.relay.scene,
    post: (path: string, envelope: Uint8Array<ArrayBuffer>) => post(scene.relay, path, envelope),
  };
  return new AuditedLease(ground, job, work.lease);
}

/** Where a lease is at work. */
export interface LeaseGround {
  readonly scene: Scene;
  post(path: string, envelope: Uint8Array<ArrayBuffer>): Promise<Response>;
}

const sandbox = createSandbox();
await sandbox.load("doubler", DOUBLER);

interface Answered {
  readonly task: Task;
  readonly taskBytes: Uint8Array<ArrayBuffer>;
  readonly input: Uint8Array<ArrayBuffer>;
  readonly leaf: Uint8Array<ArrayBuffer>;
  readonly outcome: OutcomeLeaf;
}

/** What a provider may do to an outcome before it claims it. */
export type Lie = (outcome: OutcomeLeaf) => OutcomeLeaf;

/** Both ends of one lease over real tasks. */
export class AuditedLease {
  readonly #ground: LeaseGround;
  readonly job: Verified<Job>;
  readonly lease: Verified<Lease>;
  readonly #tasks = new MerkleTree();
  readonly #outcomes = new MerkleTree();
  readonly #tally = new OutcomeTally();
  readonly answered: Answered[] = [];
  #seq = 0;
  #prev: Cid | undefined;
  #logged = 0;
  #advance: Uint8Array = new Uint8Array(0);

  constructor(ground: LeaseGround, job: Verified<Job>, lease: Verified<Lease>) {
    this.#ground = ground;
    this.job = job;
    this.lease = lease;
  }

  get provider(): Signer {
    return this.#ground.scene.provider;
  }

  get requester(): Signer {
    return this.#ground.scene.requester;
  }

  /** Names a task; the outcome is the sandbox's, or what `lie` makes of it. */
  async run(input: Uint8Array<ArrayBuffer> | string, lie: Lie = (outcome) => outcome): Promise<this> {
    const bytes = typeof input === "string" ? encodeUtf8(input) : input;
    const { limits } = this.job.body;
    const task: Task = {
      lease: this.lease.id,
      seq: this.#tasks.size,
      inputCid: cidOf(RAW, bytes),
      size: bytes.length,
      salt: new Uint8Array(16).fill(this.#tasks.size + 1),
      seed: new Uint8Array(32).fill(7),
      fuelLimit: limits.fuel,
      deadlineMs: limits.deadlineMs,
      stream: false,
    };
    const result = await sandbox.run({
      function: { cid: "doubler", abi: "bytes-1", entry: "tabmesh_run" },
      args: { args: [], env: {}, files: [] },
      input: bytes.slice(),
      seed: task.seed,
      limits: { fuel: limits.fuel, memoryBytes: limits.memory, outputBytes: limits.output },
    });
    const honest: OutcomeLeaf = {
      lease: this.lease.id,
      seq: task.seq,
      segment: 0,
      from: 0,
      to: 0,
      inputCid: task.inputCid,
      salt: task.salt,
      status: result.kind,
      ...(result.kind === "done"
        ? { outputCid: cidFromDigest(RAW, result.outputSha256), size: result.output.length }
        : { code: result.code, size: 0 }),
      fuel: fuel(result.fuel),
      end: true,
    };
    return this.answer(task, bytes, lie(honest));
  }

  /** Names a task and claims an outcome. */
  answer(task: Task, input: Uint8Array<ArrayBuffer>, outcome: OutcomeLeaf): this {
    const named = encodeTask(task);
    const leaf = encodeOutcome(outcome);
    if (task.seq === this.#tasks.size) this.#tasks.append(named.hash);
    this.#outcomes.append(leaf.hash);
    this.#tally.append(leaf.hash, outcome, input.length);
    this.answered.push({ task, taskBytes: named.bytes, input, leaf: leaf.bytes, outcome });
    return this;
  }

  /** Names a task that nobody answers yet. */
  name(task: Task): void {
    this.#tasks.append(encodeTask(task).hash);
  }

  async receipt(changes: Partial<Receipt> = {}): Promise<Verified<Receipt>["bytes"]> {
    this.#seq += 1;
    const { body: terms } = this.lease;
    const totals = this.#tally.totals();
    const body: Receipt = {
      ...HEAD,
      job: this.job.id,
      lease: this.lease.id,
      rev: 0,
      seq: this.#seq,
      ...(this.#prev === undefined ? {} : { prev: this.#prev }),
      provider: terms.provider,
      requester: this.job.body.requester,
      workCid: this.job.body.work.cid,
      profile: terms.profile,
      policy: terms.policy,
      ...(terms.policyVersion === undefined ? {} : { policyVersion: terms.policyVersion }),
      tariff: terms.tariff,
      tree: "rfc6962-sha256",
      root: this.#outcomes.root(),
      count: this.#tally.count,
      ...this.#tally.endedField(),
      ...this.#tally.auditFields(),
      ...totals,
      tasksRoot: this.#tasks.root(),
      taskCount: this.#tasks.size,
      amount: priceOf(TARIFF, totals, terms.startFee),
      final: false,
      ...changes,
    };
    return seal(receiptMessage, body, [this.provider]);
  }

  /** What the tariff makes of all outcomes, some of the totals changed. */
  price(changes: Partial<WorkTotals>): MicroCredits {
    return priceOf(TARIFF, { ...this.#tally.totals(), ...changes }, this.lease.body.startFee);
  }

  async #countersigned(receipt: Uint8Array, close: boolean): Promise<Uint8Array> {
    const { id } = openEnvelope(receiptMessage, receipt);
    this.#prev = id;
    const advance: Advance = {
      ...HEAD,
      lease: this.lease.id,
      receiptCid: id,
      tasksRoot: this.#tasks.root(),
      taskCount: this.#tasks.size,
      close,
    };
    this.#advance = await seal(advanceMessage, advance, [this.requester]);
    return this.#advance;
  }

  /** Both sign, and the relay logs it. `close` settles the lease. */
  async report(
    { close = true, lost = [] }: { readonly close?: boolean; readonly lost?: readonly number[] } = {},
    changes: Partial<Receipt> = {},
  ): Promise<ReportAnswer> {
    const receipt = await this.receipt(changes);
    const body = {
      ...HEAD,
      receipt,
      advance: await this.#countersigned(receipt, close),
      prevCount: this.#logged,
      consistency: this.#outcomes.consistencyProof(this.#logged),
      lost,
    };
    const answer = await this.#ground.scene.books.report(await seal(reportMessage, body, [this.provider]));
    this.#logged = this.#outcomes.size;
    return answer;
  }

  /** The requester names the tasks, and does not sign for what came of them. */
  async dispute(changes: Partial<Receipt> = {}): Promise<Uint8Array<ArrayBuffer>> {
    const receipt = await this.receipt(changes);
    const advance: Advance = {
      ...HEAD,
      lease: this.lease.id,
      tasksRoot: this.#tasks.root(),
      taskCount: this.#tasks.size,
      close: false,
    };
    this.#advance = await seal(advanceMessage, advance, [this.requester]);
    const body = {
      ...HEAD,
      lease: this.lease.id,
      receipt,
      advance: this.#advance,
      prevCount: this.#logged,
      consistency: this.#outcomes.consistencyProof(this.#logged),
    };
    return seal(disputeMessage, body, [this.provider]);
  }

  /** An opening of an outcome under an entry. */
  async opening(
    entryIndex: number,
    index: number,
    changes: Partial<Opening> = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    const answered = this.answered[index];
    if (answered === undefined) throw new RangeError(`there is no outcome ${index}`);
    const { task, taskBytes, leaf, input } = answered;
    const body: Opening = {
      ...HEAD,
      entryIndex,
      index,
      leaf,
      path: this.#outcomes.inclusionProof(index),
      task: taskBytes,
      taskPath: this.#tasks.inclusionProof(task.seq),
      advance: this.#advance,
      input,
      ...changes,
    };
    const { input: kept, ...rest } = body;
    return seal(openingMessage, kept === undefined || kept.length === 0 ? rest : body, [this.provider]);
  }

  /** Opens an outcome at the relay. */
  async open(entryIndex: number, index: number, changes: Partial<Opening> = {}): Promise<Response> {
    return this.#ground.post("/v1/openings", await this.opening(entryIndex, index, changes));
  }

  view(): {
    readonly drawn: number;
    readonly judged: number;
    readonly forfeited: bigint;
    readonly amount: bigint;
  } {
    const view = this.#ground.scene.books
      .job(this.job.id)
      ?.leases.find(({ lease }) => lease === this.lease.id);
    if (view === undefined) throw new RangeError("the lease is unknown");
    return view;
  }
}

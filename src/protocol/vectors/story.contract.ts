import { sha256 } from "@noble/hashes/sha2.js";
import { DEFAULT_AUDIT_POLICY } from "../audit-policy.ts";
import { type Cid, cidOf, RAW } from "../cid.ts";
import { signCheckpoint } from "../checkpoint.ts";
import { drawSeed } from "../draw.ts";
import { bodyId, seal } from "../envelope.ts";
import { header, type Header } from "../header.ts";
import { leafHash, MerkleTree } from "../merkle.ts";
import { encodeEntry, entryBodies, type EntryBodies, type EntryType } from "../messages/entry.ts";
import { encodeJobArgs, type Job, type JobArgs, jobMessage } from "../messages/job.ts";
import { type Lease, leaseMessage } from "../messages/lease.ts";
import {
  type Inclusion,
  type Receipt,
  receiptMessage,
  type Report,
  reportMessage,
} from "../messages/receipt.ts";
import {
  type Advance,
  advanceMessage,
  encodeOutcome,
  encodeTask,
  type OutcomeLeaf,
  type Task,
} from "../messages/task.ts";
import { OutcomeTally } from "../outcome-tally.ts";
import { keyFromPeerId } from "../peer-id.ts";
import { rotationMessage } from "../rotation.ts";
import { encode } from "../schema.ts";
import { priceOf, type Tariff, tariffCid } from "../tariff.ts";
import { fuel, microCredits } from "../units.ts";
import { ASSET, type Cast, ORIGIN, START } from "./cast.contract.ts";
import { encodeUtf8 } from "../text.ts";

/** One small job from its arguments to its logged receipt: every message refers to the ones before it. */
export interface Story {
  readonly head: Header;
  readonly tariff: Tariff;
  readonly args: JobArgs;
  readonly job: Job;
  readonly jobId: Cid;
  readonly jobEnvelope: Uint8Array;
  readonly lease: Lease;
  readonly leaseId: Cid;
  readonly leaseEnvelope: Uint8Array;
  readonly tasks: readonly Task[];
  readonly outcomes: readonly OutcomeLeaf[];
  readonly firstAdvance: Advance;
  readonly firstAdvanceEnvelope: Uint8Array;
  readonly receipt: Receipt;
  readonly receiptId: Cid;
  readonly receiptEnvelope: Uint8Array;
  readonly advance: Advance;
  readonly advanceEnvelope: Uint8Array;
  readonly report: Report;
  readonly reportEnvelope: Uint8Array;
  readonly outcomeTree: MerkleTree;
  readonly taskTree: MerkleTree;
  /** Entries of the log, in order. */
  readonly entries: readonly { readonly type: EntryType; readonly bytes: Uint8Array }[];
  readonly log: MerkleTree;
  readonly note: string;
  /** Note over the first two entries, which the lease names. */
  readonly earlyNote: string;
  /** Of the receipt's entry. */
  readonly inclusion: Inclusion;
  /** The requester's share of the draw, which its job commits to. */
  readonly drawSecret: Uint8Array;
  /** Seeds of the two draws from the receipt's entry: by the secret of the epoch, and by the requester's. */
  readonly drawSeeds: { readonly relay: Uint8Array; readonly requester: Uint8Array };
}

export const TARIFF: Tariff = {
  perGfuel: microCredits(1_000),
  perTask: microCredits(5),
  perKiB: microCredits(2),
  perInstantiation: microCredits(1),
};

export const POLICY: Cid = cidOf(RAW, encodeUtf8("policy: version 1"));
const FUNCTION = cidOf(RAW, encodeUtf8("module"));
const INPUTS: readonly Uint8Array[] = ["one", "two", "three"].map(encodeUtf8);

/** Secret of the epoch that the receipt's entry is in. */
export const EPOCH_SECRET: Uint8Array = new Uint8Array(32).fill(0xe1);
/** So that one of three leaves is drawn at one in a hundred. */
const DRAW_SECRET: Uint8Array = new Uint8Array(32).fill(0x45);

const ARGS: JobArgs = {
  args: ["--width", "640", "{input}"],
  env: [{ name: "LANG", value: "C.UTF-8" }],
  files: [{ path: "scene/world.txt", cid: cidOf(RAW, encodeUtf8("world")), size: 5 }],
  inputFile: "in/tile.bin",
  outputFile: "out/tile.bin",
};

function makeJob(cast: Cast, head: Header): Job {
  return {
    ...head,
    requester: cast.requester.key,
    payer: cast.requester.key,
    nonce: new Uint8Array(16).fill(0xa1),
    issuedAt: START,
    expires: START + 3_600_000,
    work: { kind: "function", cid: FUNCTION, entry: "_start", abi: "wasi-p1", profile: 0, effects: [] },
    argsCid: cidOf(0x71, encodeJobArgs(ARGS)),
    limits: { fuel: fuel(5_000_000_000n), memory: 67_108_864, output: 1_048_576, deadlineMs: 60_000 },
    maxTasks: 40,
    parallel: 2,
    cap: microCredits(1_000_000),
    tariffMax: TARIFF,
    verify: { policy: "sampled", k: 1, disclosure: "peers", drawCommit: sha256(DRAW_SECRET) },
  };
}

function makeLease(cast: Cast, head: Header, job: Cid, checkpoint: string): Lease {
  return {
    ...head,
    job,
    rev: 0,
    provider: cast.provider.key,
    instance: cast.providerSession.key,
    requesterKey: cast.requesterSession.key,
    replica: 0,
    gateway: false,
    budget: microCredits(400_000),
    tariff: tariffCid(TARIFF),
    profile: 0,
    policy: POLICY,
    policyVersion: DEFAULT_AUDIT_POLICY.version,
    windowMax: 4,
    inflightMax: 8,
    startFee: microCredits(3),
    disputeDeposit: microCredits(0),
    holdBytes: 33_554_432,
    issuedAt: START + 10,
    firstTaskMs: 30_000,
    dispatchMs: 3_600_000,
    reportMs: 3_900_000,
    openMs: 600_000,
    escrowIndex: 1,
    checkpoint,
  };
}

function makeTasks(lease: Cid): readonly Task[] {
  return INPUTS.map((input, seq) => ({
    lease,
    seq,
    inputCid: cidOf(RAW, input),
    size: input.length,
    salt: new Uint8Array(16).fill(0x50 + seq),
    seed: new Uint8Array(32).fill(0x60 + seq),
    fuelLimit: fuel(5_000_000_000n),
    deadlineMs: 60_000,
    stream: false,
  }));
}

/** Done, failed for good, and cancelled after it had started. */
function makeOutcomes(tasks: readonly Task[]): readonly OutcomeLeaf[] {
  return tasks.map((task, seq): OutcomeLeaf => {
    const { lease, inputCid, salt } = task;
    const common = { lease, seq, segment: 0, from: 0, to: 0, inputCid, salt, end: true };
    if (seq === 0) {
      const output = encodeUtf8("ONE");
      return {
        ...common,
        status: "done",
        outputCid: cidOf(RAW, output),
        size: output.length,
        fuel: fuel(1_234_567),
      };
    }
    return {
      ...common,
      status: "failed",
      code: seq === 1 ? 30001 : 30018,
      size: 0,
      fuel: fuel(seq === 1 ? 5_000_000_000n : 77),
    };
  });
}

function tallyOf(tasks: readonly Task[], outcomes: readonly OutcomeLeaf[]): OutcomeTally {
  const tally = new OutcomeTally();
  for (const [at, outcome] of outcomes.entries())
    tally.append(encodeOutcome(outcome).hash, outcome, tasks[at]?.size ?? 0);
  return tally;
}

function treeOf(hashes: readonly Uint8Array[]): MerkleTree {
  const tree = new MerkleTree();
  for (const hash of hashes) tree.append(hash);
  return tree;
}

export function entryOf<K extends EntryType>(type: K, time: number, body: EntryBodies[K]): Uint8Array {
  return encodeEntry({ v: 1, type, time, body: encode(entryBodies[type], body) });
}

export async function noteOver(cast: Cast, log: MerkleTree, by: "log" | "nextLog" = "log"): Promise<string> {
  const signer = cast[by];
  const head = { origin: ORIGIN, size: log.size, root: log.root() };
  return signCheckpoint(head, keyFromPeerId(signer.key), async (message) => signer.sign(message));
}

export async function tellStory(cast: Cast): Promise<Story> {
  const head = header(ORIGIN, ASSET);
  const log = new MerkleTree();
  const entries: { readonly type: EntryType; readonly bytes: Uint8Array }[] = [];
  function append<K extends EntryType>(type: K, body: EntryBodies[K]): void {
    const bytes = entryOf(type, START + entries.length, body);
    entries.push({ type, bytes });
    log.append(leafHash(bytes));
  }
  append("policy", {
    origin: ORIGIN,
    asset: ASSET,
    keys: { log: cast.log.key, lease: cast.lease.key, draw: cast.draw.key },
    tariff: TARIFF,
    policy: POLICY,
    audit: DEFAULT_AUDIT_POLICY,
  });
  const job = makeJob(cast, head);
  const jobId = bodyId(jobMessage, job);
  const jobEnvelope = await seal(jobMessage, job, [cast.requesterSession]);
  append("escrow", { job: jobId, payer: job.payer, amount: job.cap, envelope: jobEnvelope });
  const earlyNote = await noteOver(cast, log);
  const lease = makeLease(cast, head, jobId, earlyNote);
  const leaseId = bodyId(leaseMessage, lease);
  const leaseEnvelope = await seal(leaseMessage, lease, [cast.lease]);
  append("lease", { lease: leaseId, job: jobId, envelope: leaseEnvelope });
  const tasks = makeTasks(leaseId);
  const taskTree = treeOf(tasks.map((task) => encodeTask(task).hash));
  const outcomes = makeOutcomes(tasks);
  const outcomeTree = treeOf(outcomes.map((outcome) => encodeOutcome(outcome).hash));
  const tally = tallyOf(tasks, outcomes);
  const totals = tally.totals();
  const named = { tasksRoot: taskTree.root(), taskCount: taskTree.size };
  const receipt: Receipt = {
    ...head,
    job: jobId,
    lease: leaseId,
    rev: 0,
    seq: 1,
    provider: cast.provider.key,
    requester: cast.requester.key,
    workCid: job.work.cid,
    profile: 0,
    policy: POLICY,
    policyVersion: DEFAULT_AUDIT_POLICY.version,
    tariff: lease.tariff,
    tree: "rfc6962-sha256",
    root: outcomeTree.root(),
    count: outcomeTree.size,
    ...totals,
    ...tally.auditFields(),
    ...named,
    amount: priceOf(TARIFF, totals, lease.startFee),
    final: true,
  };
  const receiptId = bodyId(receiptMessage, receipt);
  const receiptEnvelope = await seal(receiptMessage, receipt, [cast.providerSession]);
  const firstAdvance: Advance = { ...head, lease: leaseId, ...named, close: false };
  const advance: Advance = { ...head, lease: leaseId, receiptCid: receiptId, ...named, close: true };
  const advanceEnvelope = await seal(advanceMessage, advance, [cast.requesterSession]);
  const report: Report = {
    ...head,
    receipt: receiptEnvelope,
    advance: advanceEnvelope,
    prevCount: 0,
    consistency: [],
    lost: [],
  };
  const reportEnvelope = await seal(reportMessage, report, [cast.providerSession]);
  append("receipt", { lease: leaseId, envelope: reportEnvelope });
  append("key-rotate", {
    purpose: "log",
    previous: cast.log.key,
    next: cast.nextLog.key,
    proof: await cast.log.sign(rotationMessage(ORIGIN, "log", cast.nextLog.key)),
  });
  const note = await noteOver(cast, log);
  const inclusion: Inclusion = {
    index: 3,
    leaf: leafHash(entries[3]?.bytes ?? new Uint8Array()),
    proof: log.inclusionProof(3),
    checkpoint: note,
  };
  return {
    head,
    tariff: TARIFF,
    args: ARGS,
    job,
    jobId,
    jobEnvelope,
    lease,
    leaseId,
    leaseEnvelope,
    tasks,
    outcomes,
    firstAdvance,
    firstAdvanceEnvelope: await seal(advanceMessage, firstAdvance, [cast.requesterSession]),
    receipt,
    receiptId,
    receiptEnvelope,
    advance,
    advanceEnvelope,
    report,
    reportEnvelope,
    outcomeTree,
    taskTree,
    entries,
    log,
    note,
    earlyNote,
    inclusion,
    drawSecret: DRAW_SECRET,
    drawSeeds: {
      relay: drawSeed(EPOCH_SECRET, ORIGIN, inclusion.index, inclusion.leaf),
      requester: drawSeed(DRAW_SECRET, ORIGIN, inclusion.index, inclusion.leaf),
    },
  };
}

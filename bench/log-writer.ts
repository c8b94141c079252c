/**
 * Fills a relay's log with the entries of jobs: for each job an escrow, two leases, three receipts of each, what settles
 * them, and the release of what is left. All are whole messages of the sizes they have in service, with session keys and
 * delegations; one signature stands for all of them, since making millions would take an hour. What judges them is measured
 * elsewhere (relay-receipts); here they are logged by the relay's own code, which moves the money and commits.
 */
import { randomBytes } from "node:crypto";
import { type Cid, cidOf, DAG_CBOR, RAW } from "../src/protocol/cid.ts";
import { delegationMessage } from "../src/protocol/delegation.ts";
import { type MessageType, seal, type Verified, verifiedSync } from "../src/protocol/envelope.ts";
import { leafHash, MerkleTree } from "../src/protocol/merkle.ts";
import { jobMessage } from "../src/protocol/messages/job.ts";
import { type Lease, leaseMessage } from "../src/protocol/messages/lease.ts";
import { type Receipt, receiptMessage, reportMessage } from "../src/protocol/messages/receipt.ts";
import { type Advance, advanceMessage } from "../src/protocol/messages/task.ts";
import { encode } from "../src/protocol/schema.ts";
import type { SignatureClaim, Signer } from "../src/protocol/signature.ts";
import { priceOf, tariffCid } from "../src/protocol/tariff.ts";
import { encodeUtf8 } from "../src/protocol/text.ts";
import { fuel, microCredits } from "../src/protocol/units.ts";
import {
  HEAD,
  optionsOf,
  ORIGIN,
  POLICY_DOCUMENT,
  seedOf,
  signerOf,
  START,
  TARIFF,
  WORK,
} from "../src/relay/books/books-scene.contract.ts";
import { type Answer, CommitQueue, type Operation } from "../src/relay/books/commit-queue.ts";
import type { Draft } from "../src/relay/books/draft.ts";
import { Committed } from "../src/relay/books/committed.ts";
import { LogTree } from "../src/relay/books/log-tree.ts";
import { sha256 } from "../src/relay/books/native-hash.ts";
import { relayKey } from "../src/relay/books/native-keys.ts";
import { openBooks } from "../src/relay/books/open-books.ts";
import { releaseFree, settleLease } from "../src/relay/books/settling.ts";
import { openSqliteStore } from "../src/relay/store/sqlite-store.ts";

const PROVIDERS = 64;
const REQUESTERS = 16;
/** Jobs that are carried through at a time, so that most commits hold as many operations as one may. */
const JOBS_AT_ONCE = 256;
const LEASES_PER_JOB = 2;
const RECEIPTS = [1, 2, 3] as const;
const TASKS_PER_RECEIPT = 20;
/** Log time between two rounds, in ms: all of it fits into the day of a session key. */
const ROUND_MS = 5_000;

const NO_CLAIM: SignatureClaim = {
  key: new Uint8Array(32),
  message: new Uint8Array(0),
  signature: new Uint8Array(64),
};

/** Outcomes and tasks are the same in all leases: receipts hold their roots only. */
interface Stage {
  readonly count: number;
  readonly root: Uint8Array;
  readonly growth: readonly Uint8Array[];
}

function stages(): readonly Stage[] {
  const tree = new MerkleTree();
  return RECEIPTS.map(() => {
    const before = tree.size;
    for (let i = 0; i < TASKS_PER_RECEIPT; i += 1) tree.append(leafHash(encodeUtf8(`leaf ${tree.size}`)));
    return { count: tree.size, root: tree.root(), growth: tree.consistencyProof(before) };
  });
}

const STAGES = stages();

/** A session key of a root identity, as tabs have it, whose every signature is the one given. */
async function session(name: string, signature: Uint8Array): Promise<Signer> {
  const [root, own] = [signerOf(name), signerOf(`${name} s`)];
  const delegation = await seal(
    delegationMessage,
    { root: root.key, session: own.key, notBefore: START, notAfter: START + 86_400_000 },
    [root],
  );
  return { key: own.key, delegation, sign: async () => signature };
}

function unsigned(signer: Signer, signature: Uint8Array): Signer {
  return { ...signer, sign: async () => signature };
}

/** What opening the message would give, without decoding what was just encoded. */
async function sealed<T>(type: MessageType<T>, body: T, signer: Signer): Promise<Verified<T>> {
  const { key, delegation } = signer;
  return verifiedSync(
    {
      type: type.name,
      id: cidOf(DAG_CBOR, encode(type.schema, body), sha256),
      body,
      bytes: await seal(type, body, [signer]),
      signedBy: [delegation === undefined ? { key } : { key, delegation }],
      claims: [NO_CLAIM],
    },
    () => true,
  );
}

interface OpenLease {
  readonly lease: Verified<Lease>;
  readonly provider: Party;
  readonly requester: Party;
  prev: Cid | undefined;
}

interface WrittenReport {
  readonly receipt: Verified<Receipt>;
  readonly advance: Verified<Advance>;
  readonly envelope: Uint8Array;
}

/** Logs a report that was judged; the last of a lease settles it. */
function logged(draft: Draft, { receipt, advance, envelope }: WrittenReport): Answer<undefined> {
  const { lease, seq, final } = receipt.body;
  const newest = draft.lease(lease)?.newest;
  draft.append(
    "receipt",
    { lease, envelope },
    { type: "receipt", lease, id: receipt.id, receipt: receipt.body, advance: advance.body, lost: 0 },
    { seq, ...(newest === undefined ? {} : { previous: newest.index }) },
  );
  if (final) settleLease(draft, lease, "final");
  return () => undefined;
}

interface Party {
  readonly root: Signer["key"];
  readonly signer: Signer;
}

async function parties(kind: string, count: number, signature: Uint8Array): Promise<readonly Party[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, i) => ({
      root: signerOf(`${kind} ${i}`).key,
      signer: await session(`${kind} ${i}`, signature),
    })),
  );
}

export interface Written {
  readonly entries: number;
  /** Spent in logging and committing; making the messages is not in it. */
  readonly seconds: number;
}

/** Begins a log at `path` and appends at least `count` entries to it. */
export async function writeLog(path: string, count: number): Promise<Written> {
  const clock = { now: START };
  const options = optionsOf(path, clock);
  const signature = await signerOf("anybody").sign(encodeUtf8("anything"));
  const [providers, requesters] = await Promise.all([
    parties("provider", PROVIDERS, signature),
    parties("requester", REQUESTERS, signature),
  ]);
  const books = await openBooks(options);
  for (const { root } of requesters)
    // oxlint-disable-next-line no-await-in-loop -- a few, before anything is measured
    await books.grant(root, microCredits(1_000_000_000_000_000n), "a measurement");
  books.close();

  const store = openSqliteStore(path);
  const committed = new Committed(store);
  const tree = new LogTree((level, index) => store.nodes(level, index), committed.size, committed.root);
  const logKey = relayKey(seedOf("log"));
  const queue = new CommitQueue({
    origin: ORIGIN,
    clock: options.clock,
    store,
    committed,
    tree,
    logKey: () => logKey,
  });
  const lessor = unsigned(signerOf("lease"), signature);
  const policy = cidOf(RAW, POLICY_DOCUMENT);
  let seconds = 0;

  async function append<T>(operations: readonly Operation<T>[]): Promise<readonly T[]> {
    clock.now += ROUND_MS;
    const started = performance.now();
    const answers = await Promise.all(operations.map((operation) => queue.submit(operation)));
    seconds += (performance.now() - started) / 1_000;
    return answers;
  }

  async function round(): Promise<void> {
    const jobs = await Promise.all(
      Array.from({ length: JOBS_AT_ONCE }, async (_, i) => {
        const requester = requesters[i % REQUESTERS]!;
        const job = await sealed(
          jobMessage,
          {
            ...HEAD,
            requester: requester.root,
            payer: requester.root,
            nonce: new Uint8Array(randomBytes(16)),
            issuedAt: clock.now,
            expires: clock.now + 3_600_000,
            work: { kind: "function", cid: WORK, entry: "run", abi: "bytes-1", profile: 1, effects: [] },
            argsCid: WORK,
            limits: { fuel: fuel(1_000_000), memory: 65_536, output: 1_024, deadlineMs: 1_000 },
            maxTasks: 1_000,
            parallel: LEASES_PER_JOB,
            cap: microCredits(10_000),
            tariffMax: TARIFF,
            verify: { policy: "sampled", k: 1, disclosure: "relay", drawCommit: new Uint8Array(32) },
          },
          requester.signer,
        );
        return { job, requester };
      }),
    );
    const escrows = await append(
      jobs.map(({ job: { id, body, bytes, signedBy } }) => (draft) => {
        const index = draft.append(
          "escrow",
          { job: id, payer: body.payer, amount: body.cap, envelope: bytes },
          { type: "escrow", job: id, terms: body, signers: signedBy.map(({ key }) => key) },
        );
        return () => index;
      }),
    );
    const leases: OpenLease[] = await Promise.all(
      Array.from({ length: JOBS_AT_ONCE * LEASES_PER_JOB }, async (_, i) => {
        const { job, requester } = jobs[i % JOBS_AT_ONCE]!;
        const provider = providers[i % PROVIDERS]!;
        const lease = await sealed(
          leaseMessage,
          {
            ...HEAD,
            job: job.id,
            rev: 0,
            provider: provider.root,
            instance: provider.signer.key,
            requesterKey: requester.signer.key,
            replica: Math.floor(i / JOBS_AT_ONCE),
            gateway: false,
            budget: microCredits(5_000),
            tariff: tariffCid(TARIFF),
            profile: 1,
            policy,
            windowMax: 4,
            inflightMax: 4,
            startFee: microCredits(2),
            disputeDeposit: microCredits(0),
            holdBytes: 1_000_000,
            issuedAt: clock.now,
            firstTaskMs: 30_000,
            dispatchMs: 300_000,
            reportMs: 600_000,
            openMs: 600_000,
            escrowIndex: escrows[i % JOBS_AT_ONCE]!,
            checkpoint: "",
          },
          lessor,
        );
        return { lease, provider, requester, prev: undefined };
      }),
    );
    await append(
      leases.map(({ lease: { id, body, bytes } }) => (draft) => {
        const index = draft.append(
          "lease",
          { lease: id, job: body.job, envelope: bytes },
          { type: "lease", lease: id, revision: id, terms: body },
        );
        return () => index;
      }),
    );
    for (const seq of RECEIPTS) {
      // oxlint-disable no-await-in-loop -- a lease's receipts follow each other
      const reports = await Promise.all(leases.map(async (lease) => write(lease, seq)));
      await append(reports.map((each) => (draft) => logged(draft, each)));
      // oxlint-enable no-await-in-loop
    }
    await append(
      jobs.map(({ job }) => (draft) => {
        releaseFree(draft, job.id);
        return () => undefined;
      }),
    );
  }

  async function write(work: OpenLease, seq: number): Promise<WrittenReport> {
    const { count: done, root, growth } = STAGES[seq - 1]!;
    const { body: terms, id: lease } = work.lease;
    const tasks = { tasksRoot: root, taskCount: done };
    const totals = {
      payable: done,
      cancelled: 0,
      fuel: fuel(done * 1_000_000),
      bytes: BigInt(done * 512),
    };
    const receipt = await sealed(
      receiptMessage,
      {
        ...HEAD,
        job: terms.job,
        lease,
        rev: 0,
        seq,
        ...(work.prev === undefined ? {} : { prev: work.prev }),
        provider: terms.provider,
        requester: work.requester.root,
        workCid: WORK,
        profile: 1,
        policy,
        tariff: terms.tariff,
        tree: "rfc6962-sha256",
        root,
        count: done,
        ...totals,
        ...tasks,
        amount: priceOf(TARIFF, totals, terms.startFee),
        final: seq === RECEIPTS.length,
      },
      work.provider.signer,
    );
    work.prev = receipt.id;
    const advance = await sealed(
      advanceMessage,
      { ...HEAD, lease, receiptCid: receipt.id, ...tasks, close: seq === RECEIPTS.length },
      work.requester.signer,
    );
    const body = {
      ...HEAD,
      receipt: receipt.bytes,
      advance: advance.bytes,
      prevCount: seq === 1 ? 0 : STAGES[seq - 2]!.count,
      consistency: growth,
      lost: [],
    };
    return { receipt, advance, envelope: await seal(reportMessage, body, [work.provider.signer]) };
  }

  const before = tree.size;
  try {
    // oxlint-disable-next-line no-await-in-loop -- one round after the other
    while (tree.size < count) await round();
    return { entries: tree.size - before, seconds };
  } finally {
    store.close();
  }
}

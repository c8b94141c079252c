import { beforeAll, describe, expect, test } from "vitest";
import { type Cid, cidOf, DAG_CBOR, RAW } from "../protocol/cid.ts";
import { openEnvelope, seal } from "../protocol/envelope.ts";
import { leafHash, nodeHash } from "../protocol/merkle.ts";
import { encodeEntryOf } from "../protocol/messages/entry.ts";
import { type Job, jobMessage } from "../protocol/messages/job.ts";
import { type Lease, leaseMessage } from "../protocol/messages/lease.ts";
import { type Run, runEndMessage, runHoldersMessage, runMessage } from "../protocol/messages/run.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { Signer } from "../protocol/signature.ts";
import { encodeUtf8 } from "../protocol/text.ts";
import { microCredits } from "../protocol/units.ts";
import { type Cast, makeCast, START } from "../protocol/vectors/cast.contract.ts";
import { type Story, tellStory } from "../protocol/vectors/story.contract.ts";
import { LogCheck } from "./check-log.ts";

let cast: Cast;
let story: Story;
let run: Run;
let runId: Cid;
let runEntry: Uint8Array;

beforeAll(async () => {
  cast = await makeCast();
  story = await tellStory(cast);
  run = {
    ...story.head,
    initiator: cast.requester.key,
    payer: cast.requester.key,
    plan: cidOf(DAG_CBOR, encodeUtf8("a plan")),
    params: cidOf(RAW, encodeUtf8("{}")),
    nonce: new Uint8Array(16),
    issuedAt: START,
    notAfter: START + 60_000,
    budget: microCredits(1_500),
    returnTo: "relay",
  };
  runEntry = await register(run, cast.requester);
});

async function register(body: Run, ...signers: readonly Signer[]): Promise<Uint8Array> {
  const envelope = await seal(runMessage, body, signers);
  runId = openEnvelope(runMessage, envelope).id;
  return encodeEntryOf("run", START, { envelope });
}

interface Opened {
  readonly id: Cid;
  readonly entry: Uint8Array;
}

let nonce = 0;
async function open(changes: Partial<Job> = {}, by: Signer = cast.requester, time = START): Promise<Opened> {
  nonce += 1;
  const body: Job = {
    ...story.job,
    requester: by.key,
    payer: cast.requester.key,
    nonce: new Uint8Array(16).fill(nonce),
    cap: microCredits(1_000),
    run: { id: runId, node: "a", turn: 0 },
    ...changes,
  };
  const envelope = await seal(jobMessage, body, [by]);
  const { id } = openEnvelope(jobMessage, envelope);
  const { payer, cap: amount } = body;
  return { id, entry: encodeEntryOf("escrow", time, { job: id, payer, amount, envelope }) };
}

function release(job: Cid, amount: number, time = START): Uint8Array {
  return encodeEntryOf("release", time, {
    job,
    payer: cast.requester.key,
    amount: microCredits(amount),
  });
}

async function holders(
  rev: number,
  peers: readonly PeerId[],
  by: Signer = cast.requester,
): Promise<Uint8Array> {
  const envelope = await seal(runHoldersMessage, { ...story.head, run: runId, rev, holders: peers }, [by]);
  return encodeEntryOf("run-holders", START, { envelope });
}

async function end(by: Signer = cast.requester): Promise<Uint8Array> {
  const envelope = await seal(runEndMessage, { ...story.head, run: runId, status: "cancelled" }, [by]);
  return encodeEntryOf("run-end", START, { envelope });
}

async function lease({ id }: Opened, time: number): Promise<Uint8Array> {
  const body: Lease = { ...story.lease, job: id, budget: microCredits(10) };
  const envelope = await seal(leaseMessage, body, [cast.lease]);
  return encodeEntryOf("lease", time, { lease: openEnvelope(leaseMessage, envelope).id, job: id, envelope });
}

/** A log that holds these after its policy, money for the requester, and the run. */
function check(...entries: readonly Uint8Array[]): LogCheck {
  const log = new LogCheck({ leafHash, join: nodeHash, signatures: true });
  const policy = story.entries.find(({ type }) => type === "policy")?.bytes ?? new Uint8Array();
  log.append(policy);
  const grants = [cast.requester, cast.provider].map(({ key: account }) =>
    encodeEntryOf("grant", START, { account, amount: microCredits(9_000), reference: "a test" }),
  );
  for (const entry of [...grants, runEntry, ...entries]) log.append(entry);
  return log;
}

describe("a log with runs", () => {
  test("follows what each has set aside, by its jobs alone", async () => {
    const first = await open();
    const second = await open({ run: { id: runId, node: "b", turn: 0 }, cap: microCredits(500) });
    const log = check(
      first.entry,
      second.entry,
      release(first.id, 1_000),
      (await open({ run: { id: runId, node: "c", turn: 0 } })).entry,
    );
    expect(log.replay.runs.runs.get(runId)).toMatchObject({ charged: 1_500n, holders: [] });
    expect(log.replay.runs.jobsOf(runId, "a").get(0)).toBe(first.id);
  });

  test.each<[string, () => Promise<readonly Uint8Array[]>, RegExp]>([
    [
      "of which costs more than its budget",
      async () => [(await open()).entry, (await open({ run: { id: runId, node: "b", turn: 0 } })).entry],
      /500 micro-credits of its budget left/u,
    ],
    [
      "whose job somebody else opened",
      async () => [(await open({}, cast.provider)).entry],
      /does not coordinate its run/u,
    ],
    [
      "whose job another account pays",
      async () => [
        await holders(1, [cast.provider.key]),
        (await open({ payer: cast.provider.key }, cast.provider)).entry,
      ],
      /its run is paid for by/u,
    ],
    [
      "whose job begins after its time",
      async () => [(await open({}, cast.requester, START + 60_001)).entry],
      /time of run/u,
    ],
    ["whose job begins after its end", async () => [await end(), (await open()).entry], /has ended/u],
    [
      "that gives a lease after its time",
      async () => {
        const job = await open();
        return [job.entry, await lease(job, START + 60_001)];
      },
      /time of run/u,
    ],
    [
      "whose step two coordinators carry out at a time",
      async () => [
        await holders(1, [cast.provider.key]),
        (await open({ cap: microCredits(1) })).entry,
        (await open({ cap: microCredits(1), run: { id: runId, node: "a", turn: 1 } }, cast.provider)).entry,
      ],
      /two coordinators at a time/u,
    ],
    [
      "whose turn two jobs have",
      async () => [
        (await open({ cap: microCredits(1) })).entry,
        (await open({ cap: microCredits(2) })).entry,
      ],
      /turn 0 of a is taken/u,
    ],
    ["that is registered twice", async () => [runEntry], /registered twice/u],
    ["that ends twice", async () => [await end(), await end()], /ends twice/u],
    [
      "whose holders are named with an old number",
      async () => [await holders(2, []), await holders(2, [cast.provider.key])],
      /newer ones are known/u,
    ],
    [
      "whose holders somebody else named",
      async () => [await holders(1, [cast.provider.key], cast.provider)],
      /not signed by the run's initiator alone/u,
    ],
    ["that a stranger ended", async () => [await end(cast.provider)], /nobody who takes part/u],
    [
      "that is not there, for a job that names it",
      async () => [(await open({ run: { id: story.jobId, node: "a", turn: 0 } })).entry],
      /no such run/u,
    ],
  ])("is contradicted by one %s", async (_what, make, why) => {
    const entries = await make();
    expect(() => check(...entries)).toThrow(why);
  });

  test("is contradicted by a run that its payer has not signed", async () => {
    const before = runEntry;
    runEntry = await register({ ...run, initiator: cast.provider.key }, cast.provider);
    expect(() => check()).toThrow(/has not signed it/u);
    runEntry = before;
  });

  test("is contradicted by a job without a run whose payer has not signed", async () => {
    const { run: _run, ...plain } = story.job;
    const body = { ...plain, requester: cast.provider.key, payer: cast.requester.key };
    const envelope = await seal(jobMessage, body, [cast.provider]);
    const job = openEnvelope(jobMessage, envelope).id;
    const { payer, cap: amount } = body;
    const entry = encodeEntryOf("escrow", START, { job, payer, amount: microCredits(amount), envelope });
    const rich = encodeEntryOf("grant", START, { account: payer, amount, reference: "a test" });
    expect(() => check(rich, entry)).toThrow(/payer has not signed it/u);
  });
});

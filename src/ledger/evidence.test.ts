import { webcrypto } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { signCheckpoint } from "../protocol/checkpoint.ts";
import { verifierOf } from "../protocol/ed25519.ts";
import { type MessageType, seal } from "../protocol/envelope.ts";
import { leafHash, MerkleTree } from "../protocol/merkle.ts";
import { type Receipt, receiptMessage } from "../protocol/messages/receipt.ts";
import { type Advance, advanceMessage } from "../protocol/messages/task.ts";
import { keyFromPeerId } from "../protocol/peer-id.ts";
import { rotationMessage } from "../protocol/rotation.ts";
import type { Signer } from "../protocol/signature.ts";
import { type Cast, makeCast, ORIGIN, START } from "../protocol/vectors/cast.contract.ts";
import { entryOf, tellStory } from "../protocol/vectors/story.contract.ts";
import {
  checkpointEvidence,
  judgeEvidence,
  type Judgement,
  leaseEvidence,
  readEvidence,
} from "./evidence.ts";
import { createLogView, ForgedCheckpointError } from "./log-view.ts";

const verify = verifierOf(webcrypto.subtle);
let cast: Cast;
let receipt: Receipt;
let advance: Advance;

beforeAll(async () => {
  cast = await makeCast();
  ({ receipt, advance } = await tellStory(cast));
});

function grown(size: number, history: string, common: number): MerkleTree {
  const tree = new MerkleTree();
  for (let i = 0; i < size; i += 1)
    tree.append(leafHash(Buffer.from(`${i < common ? "true" : history} ${i}`)));
  return tree;
}

async function note(tree: MerkleTree, signer: Signer = cast.log, origin: string = ORIGIN): Promise<string> {
  const head = { origin, size: tree.size, root: tree.root() };
  return signCheckpoint(head, keyFromPeerId(signer.key), async (message) => signer.sign(message));
}

async function judge(file: Uint8Array): Promise<Judgement> {
  return judgeEvidence(readEvidence(file), verify);
}

/** What a view of the log keeps when the second note is shown after the first was believed. */
async function fileOf(held: MerkleTree, shown: MerkleTree, answers: MerkleTree): Promise<Uint8Array> {
  const view = createLogView({
    origin: ORIGIN,
    trusted: { logKey: cast.log.key, checkpoint: await note(held) },
    fetchCheckpoint: async () => note(shown),
    fetchConsistency: async (from, to) => answers.consistencyProof(from, to),
    verify,
    remember: async () => undefined,
  });
  const error: unknown = await view.refresh().catch((thrown: unknown) => thrown);
  if (error instanceof ForgedCheckpointError) return error.file;
  throw error;
}

describe("evidence against a relay", () => {
  test("is written where a view of the log finds two roots for one size, and convicts anywhere", async () => {
    const file = await fileOf(grown(5, "true", 5), grown(5, "other", 3), grown(5, "other", 3));
    const judged = await judge(file);
    expect(judged).toMatchObject({
      verdict: "convicts",
      accused: "relay",
      key: cast.log.key,
      origin: ORIGIN,
    });
    expect(judged.detail).toMatch(/two roots are signed for the same 5 entries/u);
  });

  test("is written where the log was rewritten and grew: the proof of the new history convicts", async () => {
    const rewritten = grown(9, "other", 3);
    const judged = await judge(await fileOf(grown(5, "true", 5), rewritten, rewritten));
    expect(judged.verdict).toBe("convicts");
    expect(judged.detail).toMatch(/first 5 of 9 entries are others/u);
  });

  test("leaves open what nothing in the file decides", async () => {
    const rewritten = grown(9, "other", 3);
    const judged = await judge(await fileOf(grown(5, "true", 5), rewritten, grown(9, "third", 2)));
    expect(judged).toMatchObject({ verdict: "open", key: cast.log.key });
  });

  test("does not convict a log that only grew, whatever proof is made up", async () => {
    const [small, large] = [grown(5, "true", 5), grown(9, "true", 9)];
    const base = { origin: ORIGIN, logKey: cast.log.key, rotations: [] };
    const notes = [await note(small), await note(large)] as const;
    const honest = { root: small.root(), proof: large.consistencyProof(5) };
    const invented = { root: grown(5, "other", 0).root(), proof: large.consistencyProof(5) };
    expect((await judge(checkpointEvidence({ ...base, notes, prefix: honest }))).verdict).toBe("nothing");
    expect((await judge(checkpointEvidence({ ...base, notes, prefix: invented }))).verdict).toBe("open");
    expect((await judge(checkpointEvidence({ ...base, notes: [notes[0], notes[0]] }))).verdict).toBe(
      "nothing",
    );
  });

  test("counts notes under a key that the log has replaced, but under nobody else's", async () => {
    const proof = await cast.log.sign(rotationMessage(ORIGIN, "log", cast.lease.key));
    const rotation = entryOf("key-rotate", START, {
      purpose: "log",
      previous: cast.log.key,
      next: cast.lease.key,
      proof,
    });
    const notes = [await note(grown(4, "true", 4)), await note(grown(4, "other", 0), cast.lease)] as const;
    const file = (rotations: readonly Uint8Array[]): Uint8Array =>
      checkpointEvidence({ origin: ORIGIN, logKey: cast.lease.key, rotations, notes });
    expect(await judge(file([rotation]))).toMatchObject({ verdict: "convicts", key: cast.lease.key });
    expect(await judge(file([]))).toMatchObject({
      verdict: "nothing",
      detail: expect.stringMatching(/not signed/u),
    });
    const stolen = entryOf("key-rotate", START, {
      purpose: "log",
      previous: cast.log.key,
      next: cast.lease.key,
      proof: await cast.lease.sign(rotationMessage(ORIGIN, "log", cast.lease.key)),
    });
    expect((await judge(file([stolen]))).verdict).toBe("nothing");
  });
});

async function signed<T>(type: MessageType<T>, body: T, signer: Signer): Promise<Uint8Array> {
  return seal(type, body, [signer]);
}

async function receipts(changes: Partial<Receipt>, signer: Signer = cast.provider): Promise<Judgement> {
  const pair = [
    await signed(receiptMessage, receipt, cast.provider),
    await signed(receiptMessage, { ...receipt, ...changes }, signer),
  ] as const;
  return judge(leaseEvidence("receipts", ORIGIN, pair));
}

async function advances(changes: Partial<Advance>): Promise<Judgement> {
  const pair = [
    await signed(advanceMessage, advance, cast.requester),
    await signed(advanceMessage, { ...advance, ...changes }, cast.requester),
  ] as const;
  return judge(leaseEvidence("advances", ORIGIN, pair));
}

describe("evidence against a provider", () => {
  test("convicts where two receipts of one number state different outcomes", async () => {
    expect(await receipts({ root: new Uint8Array(32) })).toMatchObject({
      verdict: "convicts",
      accused: "provider",
      key: cast.provider.key,
      identity: receipt.provider,
    });
  });

  test.each([
    ["of two leases", async () => receipts({ lease: receipt.job, root: new Uint8Array(32) })],
    ["signed by two keys", async () => receipts({ root: new Uint8Array(32) }, cast.lease)],
    ["about two relays", async () => receipts({ origin: "elsewhere", root: new Uint8Array(32) })],
    ["that are one and the same", async () => receipts({})],
  ])("does not convict by receipts %s", async (_, judged) => {
    expect((await judged()).verdict).toBe("nothing");
  });

  test("convicts where a later receipt does not extend the earlier one, and the lists show it", async () => {
    const [early, late] = [grown(3, "true", 3), grown(5, "other", 1)];
    const pair = [
      await signed(receiptMessage, { ...receipt, seq: 1, count: 3, root: early.root() }, cast.provider),
      await signed(receiptMessage, { ...receipt, seq: 2, count: 5, root: late.root() }, cast.provider),
    ] as const;
    const prefix = { root: late.root(3), proof: late.consistencyProof(3) };
    expect((await judge(leaseEvidence("receipts", ORIGIN, pair))).verdict).toBe("open");
    expect((await judge(leaseEvidence("receipts", ORIGIN, pair, prefix))).verdict).toBe("convicts");
  });
});

describe("evidence against a requester", () => {
  test("convicts where two advances name different tasks in the same places", async () => {
    expect(await advances({ tasksRoot: new Uint8Array(32) })).toMatchObject({
      verdict: "convicts",
      accused: "requester",
      key: cast.requester.key,
    });
  });

  test("does not convict by advances that name the same tasks, and leaves open what it cannot see", async () => {
    expect((await advances({ close: !advance.close })).verdict).toBe("nothing");
    expect((await advances({ taskCount: advance.taskCount + 1 })).verdict).toBe("open");
  });
});

test("evidence with a bit changed convicts nobody, or is not read", async () => {
  const pair = [
    await signed(advanceMessage, advance, cast.requester),
    await signed(advanceMessage, { ...advance, tasksRoot: new Uint8Array(32) }, cast.requester),
  ] as const;
  const file = leaseEvidence("advances", ORIGIN, pair);
  const judged: string[] = [];
  for (let at = 0; at < file.length; at += 7) {
    const changed = file.slice();
    changed[at] = (changed[at] ?? 0) ^ 4;
    try {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      judged.push((await judge(changed)).verdict);
    } catch (error) {
      expect(error).toMatchObject({ name: "FailureError" });
    }
  }
  expect(judged).not.toContain("convicts");
  expect(judged.length).toBeGreaterThan(5);
});

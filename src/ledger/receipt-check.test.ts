/* oxlint-disable no-await-in-loop -- every byte in turn */
import { webcrypto } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { equalBytes } from "../protocol/bytes.ts";
import { delegationMessage } from "../protocol/delegation.ts";
import { signerFromSeed, verifierOf } from "../protocol/ed25519.ts";
import { bodyId, openEnvelope, seal } from "../protocol/envelope.ts";
import { leafHash, MerkleTree } from "../protocol/merkle.ts";
import {
  type Inclusion,
  inclusionSchema,
  type Receipt,
  receiptMessage,
  type Report,
  reportMessage,
} from "../protocol/messages/receipt.ts";
import { type Advance, advanceMessage } from "../protocol/messages/task.ts";
import { decode, encode } from "../protocol/schema.ts";
import type { Signer } from "../protocol/signature.ts";
import { FailureError } from "../protocol/failure.ts";
import { microCredits } from "../protocol/units.ts";
import { type Cast, makeCast, ORIGIN, seedOf, START } from "../protocol/vectors/cast.contract.ts";
import { entryOf, noteOver, type Story, tellStory } from "../protocol/vectors/story.contract.ts";
import { createLogView, type LogView } from "./log-view.ts";
import { type CheckedReceipt, checkReceiptEntry, RECEIPT_CHECKS } from "./receipt-check.ts";

const verify = verifierOf(webcrypto.subtle);
let cast: Cast;
let story: Story;
beforeAll(async () => {
  cast = await makeCast();
  story = await tellStory(cast);
});

function viewOf(log: MerkleTree, note: string): LogView {
  return createLogView({
    origin: ORIGIN,
    trusted: { logKey: cast.log.key, checkpoint: note },
    fetchCheckpoint: async () => note,
    fetchConsistency: async (from, to) => log.consistencyProof(from, to),
    verify,
    remember: async () => undefined,
  });
}

async function check(entryBytes: Uint8Array, inclusion: Inclusion): Promise<CheckedReceipt> {
  const logView = viewOf(story.log, story.note);
  return checkReceiptEntry({ entryBytes, inclusion, logView, verify });
}

interface Change {
  readonly receipt?: Partial<Receipt>;
  readonly advance?: Partial<Advance>;
  readonly report?: Partial<Report>;
  readonly receiptSigner?: Signer;
  readonly advanceSigner?: Signer;
  readonly time?: number;
}

/** The story's receipt with something changed and everything signed and logged again: only the changed thing is wrong. */
async function checkChanged(
  change: Change,
  expectations: { readonly provider?: Receipt["provider"]; readonly asset?: string } = {},
): Promise<CheckedReceipt> {
  const receipt: Receipt = { ...story.receipt, ...change.receipt };
  const advance: Advance = {
    ...story.advance,
    receiptCid: bodyId(receiptMessage, receipt),
    ...change.advance,
  };
  const report: Report = {
    ...story.report,
    receipt: await seal(receiptMessage, receipt, [change.receiptSigner ?? cast.providerSession]),
    advance: await seal(advanceMessage, advance, [change.advanceSigner ?? cast.requesterSession]),
    ...change.report,
  };
  const entryBytes = entryOf("receipt", change.time ?? START, {
    lease: story.leaseId,
    envelope: await seal(reportMessage, report, [cast.provider]),
  });
  const log = new MerkleTree();
  for (const { bytes } of story.entries) log.append(leafHash(bytes));
  log.append(leafHash(entryBytes));
  const note = await noteOver(cast, log);
  const inclusion: Inclusion = {
    index: log.size - 1,
    leaf: leafHash(entryBytes),
    proof: log.inclusionProof(log.size - 1),
    checkpoint: note,
  };
  return checkReceiptEntry({ entryBytes, inclusion, logView: viewOf(log, note), verify, expectations });
}

function failed(result: CheckedReceipt): readonly string[] {
  return result.checks.filter(({ ok }) => !ok).map(({ name }) => name);
}

async function sessionOf(root: Signer, from: number, until: number): Promise<Signer> {
  const seed = seedOf("providerSession");
  const session = (await signerFromSeed(webcrypto.subtle, seed)).key;
  const body = { root: root.key, session, notBefore: START + from, notAfter: START + until };
  return signerFromSeed(webcrypto.subtle, seed, await seal(delegationMessage, body, [root]));
}

/** What fails when the report's signature is not the reporter's. */
async function spoilt(lost: readonly number[]): Promise<readonly string[]> {
  const report = { ...story.report, lost };
  const good = await seal(reportMessage, report, [cast.provider]);
  const sig = (await cast.provider.sign(Uint8Array.of(1))).slice();
  const envelope = good.slice();
  envelope.set(sig, Buffer.from(good).indexOf(openEnvelope(reportMessage, good).claims[0]!.signature));
  const believing = { origin: ORIGIN, checkInclusion: async () => undefined };
  const entryBytes = entryOf("receipt", START, { lease: story.leaseId, envelope });
  return failed(
    await checkReceiptEntry({ entryBytes, inclusion: story.inclusion, logView: believing, verify }),
  );
}

describe("A logged receipt", () => {
  test("passes every check and says who earned what", async () => {
    const entryBytes = story.entries[3]!.bytes;
    const result = await check(entryBytes, story.inclusion);
    expect(failed(result)).toEqual([]);
    expect(result.ok).toBe(true);
    expect(result.checks.map(({ name }) => name)).toEqual([...RECEIPT_CHECKS]);
    expect(result.statement?.receiptId).toBe(story.receiptId);
    expect(result.statement?.receipt).toEqual(story.receipt);
    expect(result.statement?.time).toBe(START + 3);
    expect(result.statement?.provider).toMatchObject({
      root: cast.provider.key,
      session: cast.providerSession.key,
    });
    expect(result.statement?.requester).toMatchObject({ root: cast.requester.key });
  });

  test("passes again when it is made and signed again", async () => {
    expect(failed(await checkChanged({}))).toEqual([]);
    expect(
      failed(await checkChanged({ receiptSigner: cast.provider, advanceSigner: cast.requester })),
    ).toEqual([]);
  });

  test("fails for any byte of the entry that is changed", async () => {
    const entry = story.entries[3]!.bytes;
    for (let at = 0; at < entry.length; at += 1) {
      const tampered = entry.slice();
      tampered[at]! ^= 1 << (at % 8);
      expect((await check(tampered, story.inclusion)).ok, `byte ${at}`).toBe(false);
    }
  });

  test("fails for any byte of the entry that is changed even when the log was made to hold it", async () => {
    const entry = story.entries[3]!.bytes;
    const believing = { origin: ORIGIN, checkInclusion: async () => undefined };
    const free = new Set<number>();
    for (let at = 0; at < entry.length; at += 1) {
      const tampered = entry.slice();
      tampered[at]! ^= 1 << (at % 8);
      const result = await checkReceiptEntry({
        entryBytes: tampered,
        inclusion: story.inclusion,
        logView: believing,
        verify,
      });
      if (result.ok) free.add(at);
    }
    // Free are the log time, which is the relay's own word, and what the reporter alone says: not what the parties signed.
    expect(free.size).toBeGreaterThan(0);
    for (const part of [story.report.receipt, story.report.advance]) {
      const start = Buffer.from(entry).indexOf(part);
      expect(start).toBeGreaterThan(0);
      expect([...free].filter((at) => at >= start && at < start + part.length)).toEqual([]);
    }
  });

  test("does not depend on the reporter's signature unless the reporter states something of its own", async () => {
    expect(await spoilt([])).toEqual([]);
    expect(await spoilt([0])).toEqual(["report"]);
  });

  test("fails for any byte of the proof or checkpoint that is changed", async () => {
    const entryBytes = story.entries[3]!.bytes;
    const encoded = encode(inclusionSchema, story.inclusion);
    for (let at = 0; at < encoded.length; at += 1) {
      for (const flip of [1, 0x20, 0x80]) {
        const tampered = encoded.slice();
        tampered[at]! ^= flip;
        const inclusion = decodeOrNothing(tampered);
        if (inclusion === undefined) continue;
        expect((await check(entryBytes, inclusion)).ok, `byte ${at}`).toBe(false);
      }
    }
  });

  test("fails at the signatures when somebody else signed", async () => {
    expect(failed(await checkChanged({ receiptSigner: cast.auditor }))).toEqual(["provider-signature"]);
    expect(failed(await checkChanged({ receiptSigner: cast.requesterSession }))).toEqual([
      "provider-signature",
    ]);
    expect(failed(await checkChanged({ advanceSigner: cast.auditor }))).toEqual(["requester-signature"]);
    expect(failed(await checkChanged({ advanceSigner: cast.providerSession }))).toEqual([
      "requester-signature",
    ]);
  });

  test("judges delegations by the log's time", async () => {
    const hour = 3_600_000;
    const early = await sessionOf(cast.provider, -5 * hour, -4 * hour);
    expect(failed(await checkChanged({ receiptSigner: early }))).toEqual(["provider-signature"]);
    expect(
      failed(
        await checkChanged({ receiptSigner: early, time: START - 4.5 * hour, advanceSigner: cast.requester }),
      ),
    ).toEqual([]);
    const foreign = await sessionOf(cast.auditor, -hour, hour);
    expect(failed(await checkChanged({ receiptSigner: foreign }))).toEqual(["provider-signature"]);
  });

  test("fails when the requester countersigned another receipt or none, or under another lease", async () => {
    expect(
      failed(await checkChanged({ advance: { receiptCid: story.receiptId, lease: story.jobId } })),
    ).toEqual(["lease"]);
    expect(failed(await checkChanged({ advance: { receiptCid: story.jobId } }))).toEqual([
      "countersignature",
    ]);
    expect(
      failed(
        await checkChanged({
          receipt: { amount: microCredits(9) },
          advance: { receiptCid: story.receiptId },
        }),
      ),
    ).toEqual(["countersignature"]);
    expect(failed(await checkChanged({ receipt: { lease: story.jobId } }))).toEqual(["lease"]);
  });

  test("fails when it counts a task the requester never named", async () => {
    expect(failed(await checkChanged({ advance: { taskCount: 2 } }))).toEqual(["named-tasks"]);
  });

  test("fails when its totals contradict each other", async () => {
    expect(failed(await checkChanged({ receipt: { ended: 4 } }))).toEqual(["named-tasks", "totals"]);
    expect(failed(await checkChanged({ receipt: { payable: 3 } }))).toEqual(["named-tasks", "totals"]);
    expect(failed(await checkChanged({ report: { prevCount: 4 } }))).toEqual(["totals"]);
  });

  test("fails when a part is about another relay or other money", async () => {
    expect(failed(await checkChanged({ receipt: { origin: "relay.example/other" } }))).toEqual(["origin"]);
    expect(failed(await checkChanged({ advance: { asset: "test:other" } }))).toEqual(["origin"]);
    expect(failed(await checkChanged({ report: { origin: "relay.example/other" } }))).toEqual(["origin"]);
    expect(failed(await checkChanged({}, { asset: "eip155:1/slip44:60" }))).toEqual(["origin"]);
  });

  test("fails when another provider was expected", async () => {
    expect(failed(await checkChanged({}, { provider: cast.auditor.key }))).toEqual(["provider"]);
    expect(failed(await checkChanged({}, { provider: cast.provider.key }))).toEqual([]);
  });

  test("is not taken from an entry of another type", async () => {
    const entryBytes = story.entries[2]!.bytes;
    const inclusion: Inclusion = {
      index: 2,
      leaf: leafHash(entryBytes),
      proof: story.log.inclusionProof(2),
      checkpoint: story.note,
    };
    const result = await check(entryBytes, inclusion);
    expect([result.ok, failed(result), result.statement]).toEqual([false, ["entry"], undefined]);
  });

  test("says that nothing is proven when the relay cannot be reached", async () => {
    const logView = {
      origin: ORIGIN,
      checkInclusion: async () => {
        throw new FailureError("unreachable", "offline");
      },
    };
    const entryBytes = story.entries[3]!.bytes;
    const result = await checkReceiptEntry({ entryBytes, inclusion: story.inclusion, logView, verify });
    expect(result.ok).toBe(false);
    expect(result.checks[0]).toMatchObject({ name: "inclusion", ok: false, code: 20004 });
    expect(equalBytes(result.statement!.receipt.root, story.receipt.root)).toBe(true);
  });
});

function decodeOrNothing(bytes: Uint8Array): Inclusion | undefined {
  try {
    return decode(inclusionSchema, bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(FailureError);
    return undefined;
  }
}

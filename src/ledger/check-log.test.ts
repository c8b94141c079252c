import { webcrypto } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { verifierOf } from "../protocol/ed25519.ts";
import { seal } from "../protocol/envelope.ts";
import { leafHash, MerkleTree, nodeHash } from "../protocol/merkle.ts";
import { decodeEntry, decodeEntryOf, encodeEntryOf } from "../protocol/messages/entry.ts";
import { jobMessage } from "../protocol/messages/job.ts";
import { leaseMessage } from "../protocol/messages/lease.ts";
import { receiptMessage, reportMessage } from "../protocol/messages/receipt.ts";
import { advanceMessage } from "../protocol/messages/task.ts";
import type { SignatureClaim, Signer } from "../protocol/signature.ts";
import { type Cast, makeCast } from "../protocol/vectors/cast.contract.ts";
import { type Story, tellStory } from "../protocol/vectors/story.contract.ts";
import { LogCheck, LogContradiction } from "./check-log.ts";

const verify = verifierOf(webcrypto.subtle);
let cast: Cast;
let story: Story;
let entries: readonly Uint8Array[];

beforeAll(async () => {
  cast = await makeCast();
  story = await tellStory(cast);
  const of = (wanted: string): Uint8Array => story.entries.find(({ type }) => type === wanted)!.bytes;
  const { payer: account, cap: amount } = story.job;
  const grant = encodeEntryOf("grant", decodeEntry(of("policy")).time, {
    account,
    amount,
    reference: "a test",
  });
  entries = [of("policy"), grant, of("escrow"), of("lease"), of("receipt")];
});

function opened(signatures = true): LogCheck {
  return new LogCheck({ leafHash, join: nodeHash, signatures });
}

/** The story's log with one of its entries in another form. */
function changed(
  type: "escrow" | "lease" | "receipt",
  change: (entry: Uint8Array) => Uint8Array,
): readonly Uint8Array[] {
  const at = entries.findIndex((entry) => decodeEntry(entry).type === type);
  expect(at).toBeGreaterThan(0);
  return entries.map((entry, index) => (index === at ? change(entry) : entry));
}

function readAll(log: readonly Uint8Array[]): readonly SignatureClaim[] {
  const check = opened();
  return log.flatMap((entry) => check.append(entry));
}

async function reportBy(provider: Signer, requester: Signer): Promise<Uint8Array> {
  const report = {
    ...story.report,
    receipt: await seal(receiptMessage, story.receipt, [provider]),
    advance: await seal(advanceMessage, story.advance, [requester]),
  };
  return seal(reportMessage, report, [provider]);
}

describe("a log read from its beginning", () => {
  test("has the root and the keys that it says, and stands on signatures that hold", async () => {
    const check = opened();
    const claims = entries.flatMap((entry) => check.append(entry));
    expect(check.size).toBe(entries.length);
    const tree = new MerkleTree();
    for (const entry of entries) tree.append(leafHash(entry));
    expect(check.root()).toEqual(tree.root());
    expect(check.names?.origin).toBe(story.head.origin);
    expect(check.logKeys[0]).toBe(cast.log.key);
    expect(claims.length).toBeGreaterThanOrEqual(4);
    const held = await Promise.all(
      claims.map(({ key, message, signature }) => verify(key, message, signature)),
    );
    expect(held).not.toContain(false);
    expect(check.replay.total()).toBe(0n);
  });

  test("is contradicted by a job that its requester has not signed", async () => {
    const envelope = await seal(jobMessage, story.job, [cast.auditor]);
    const log = changed("escrow", (entry) => {
      const { time, body } = decodeEntryOf("escrow", entry);
      return encodeEntryOf("escrow", time, { ...body, envelope });
    });
    expect(() => readAll(log)).toThrow(/its requester has not signed it/u);
  });

  test("is contradicted by a lease that the relay's key in force has not signed", async () => {
    const envelope = await seal(leaseMessage, story.lease, [cast.log]);
    const log = changed("lease", (entry) => {
      const { time, body } = decodeEntryOf("lease", entry);
      return encodeEntryOf("lease", time, { ...body, envelope });
    });
    expect(() => readAll(log)).toThrow(LogContradiction);
    expect(() => readAll(log)).toThrow(/relay's lease key in force/u);
  });

  test.each([
    ["receipt", () => reportBy(cast.auditor, cast.requesterSession)],
    ["advance", () => reportBy(cast.providerSession, cast.auditor)],
  ])("is contradicted by a report whose %s somebody else has signed", async (what, make) => {
    const envelope = await make();
    const log = changed("receipt", (entry) => {
      const { time, body } = decodeEntryOf("receipt", entry);
      return encodeEntryOf("receipt", time, { ...body, envelope });
    });
    expect(() => readAll(log)).toThrow(
      new RegExp(`${what}: not signed by the key that the lease names`, "u"),
    );
  });

  test("begins with its policy, and keeps its name and its keys", () => {
    const [policy] = entries;
    expect(() => opened().append(entries[1]!)).toThrow(/entry 0: the first entry of a log is a policy/u);
    const { time, body } = decodeEntryOf("policy", policy!);
    const again = (changes: Partial<typeof body>): Uint8Array =>
      encodeEntryOf("policy", time, { ...body, ...changes });
    const second = (entry: Uint8Array) => (): void => {
      const check = opened(false);
      check.append(policy!);
      check.append(entry);
    };
    expect(second(again({ origin: "elsewhere" }))).toThrow(/changes its name or its money/u);
    expect(second(again({ keys: { ...body.keys, log: cast.auditor.key } }))).toThrow(
      /other keys than those in force/u,
    );
    expect(second(again({}))).not.toThrow();
  });
});

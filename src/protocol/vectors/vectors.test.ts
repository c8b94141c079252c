/* oxlint-disable no-await-in-loop -- one after another, so that a failure names its case */
import { createPrivateKey, createPublicKey, sign, verify as nodeVerify, webcrypto } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import * as dagCbor from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";
import { sha256 } from "multiformats/hashes/sha2";
import { beforeAll, describe, expect, test } from "vitest";
import { toHex } from "../bytes.ts";
import { parseCheckpoint } from "../checkpoint.ts";
import { signatory } from "../delegation.ts";
import { verifierOf } from "../ed25519.ts";
import { openEnvelope, verified } from "../envelope.ts";
import { failureKind } from "../failure-code.ts";
import { FailureError } from "../failure.ts";
import { leafHash, verifyConsistency, verifyInclusion } from "../merkle.ts";
import { decodeEntry, decodeEntryOf, ENTRY_TYPES, type EntryType } from "../messages/entry.ts";
import { keyFromPeerId, parsePeerId } from "../peer-id.ts";
import { decode, encode } from "../schema.ts";
import { FRAME } from "../work-frame.ts";
import { FrameParser } from "../../mesh/frame-parser.ts";
import { type Cast, makeCast, ORIGIN, START } from "./cast.contract.ts";
import { type MessageSample, messageSamples, type PartSample, partSamples } from "./catalogue.contract.ts";
import { goldenFiles } from "./generate.contract.ts";
import { dagCborForm, fromHex, fromJsonForm, type JsonForm, toJsonForm } from "./json-form.contract.ts";
import { readersOf } from "./negative.contract.ts";
import { tellStory } from "./story.contract.ts";

const HERE = new URL(".", import.meta.url);

interface Row {
  readonly name: string;
  readonly type: string;
  readonly time: number;
  readonly body: JsonForm;
  readonly bodyHex: string;
  readonly cid: string;
  readonly signedHex: string;
  readonly signatures: readonly {
    readonly role: string;
    readonly sigHex: string;
    readonly delegationHex?: string;
  }[];
  readonly envelopeHex: string;
  readonly entryHex: string;
  readonly leafHashHex: string;
}

function read(name: string): Record<string, never> {
  return JSON.parse(readFileSync(new URL(name, HERE), "utf8"));
}

const GROUPS = ["session", "job", "lease", "task", "receipt", "audit", "payout", "run", "frame"];
const messages: readonly Row[] = GROUPS.flatMap(
  (group): readonly Row[] => read(`${group}.json`)["messages"] ?? [],
);
const parts: readonly Row[] = GROUPS.flatMap((group): readonly Row[] => read(`${group}.json`)["parts"] ?? []);
const entries: readonly Row[] = read("entry.json")["entries"] ?? [];
const seeds = new Map<string, string>(
  ((read("keys.json")["keys"] ?? []) as readonly { role: string; seedHex: string }[]).map(
    ({ role, seedHex }) => [role, seedHex],
  ),
);
const verify = verifierOf(webcrypto.subtle);

let cast: Cast;
let messageSample: ReadonlyMap<string, MessageSample>;
let partSample: ReadonlyMap<string, PartSample>;

beforeAll(async () => {
  cast = await makeCast();
  const story = await tellStory(cast);
  messageSample = new Map(messageSamples(cast, story).map((sample) => [sample.name, sample]));
  partSample = new Map(partSamples(story).map((sample) => [sample.name, sample]));
});

function privateKeyOf(role: string): ReturnType<typeof createPrivateKey> {
  const pkcs8 = Buffer.from(`302e020100300506032b657004220420${seeds.get(role)}`, "hex");
  return createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
}

/** tag and body, each behind its length in four bytes, written out once more. */
function framed(type: string, body: Uint8Array): Buffer {
  const tag = Buffer.from(`tabmesh/${type}/1`, "utf8");
  const lengths = [tag, body].map(({ length }) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(length);
    return bytes;
  });
  return Buffer.concat([lengths[0]!, tag, lengths[1]!, body]);
}

describe("Golden vectors", () => {
  test("are what the generator writes, file for file", async () => {
    const files = await goldenFiles();
    const stored = readdirSync(HERE).filter((name) => name.endsWith(".json"));
    expect(stored.toSorted()).toEqual([...files.keys()].toSorted());
    for (const [name, text] of files) expect(readFileSync(new URL(name, HERE), "utf8"), name).toBe(text);
  });

  test("cover every message type, part, entry type and failure of the format", () => {
    expect(new Set(messages.map((row) => row.type))).toEqual(
      new Set([...messageSample.values()].map((sample) => sample.type.name)),
    );
    expect(new Set(parts.map((row) => row.name))).toEqual(new Set(partSample.keys()));
    expect(new Set(entries.map((row) => row.type))).toEqual(new Set(ENTRY_TYPES));
    expect(messages.length).toBeGreaterThan(20);
  });

  test("have the bytes that a general dag-cbor encoder gives the same value", () => {
    for (const row of [...messages, ...parts, ...entries]) {
      expect(toHex(dagCbor.encode(dagCborForm(row.body))), row.name).toBe(row.bodyHex);
    }
  });

  test("decode to the value they are printed as, and encode back", () => {
    for (const row of messages) {
      const { schema } = messageSample.get(row.name)!.type;
      const value = decode(schema, fromHex(row.bodyHex));
      expect(toJsonForm(value), row.name).toEqual(row.body);
      expect(value, row.name).toEqual(fromJsonForm(row.body));
      expect(toHex(encode(schema, value)), row.name).toBe(row.bodyHex);
    }
    for (const row of parts) {
      const { schema } = partSample.get(row.name)!;
      const value = decode(schema, fromHex(row.bodyHex));
      expect(toJsonForm(value), row.name).toEqual(row.body);
      expect(toHex(encode(schema, value)), row.name).toBe(row.bodyHex);
    }
  });

  test("are named by the CID that multiformats computes", async () => {
    for (const row of [...messages, ...parts]) {
      const digest = await sha256.digest(fromHex(row.bodyHex));
      expect(CID.createV1(dagCbor.code, digest).toString(), row.name).toBe(row.cid);
    }
  });

  test("are signed over tag and body by Ed25519 as Node's crypto computes it", () => {
    for (const row of messages) {
      const message = framed(row.type, fromHex(row.bodyHex));
      expect(message.toString("hex"), row.name).toBe(row.signedHex);
      for (const { role, sigHex } of row.signatures) {
        const key = privateKeyOf(role);
        expect(sign(null, message, key).toString("hex"), row.name).toBe(sigHex);
        expect(nodeVerify(null, message, createPublicKey(key), fromHex(sigHex)), row.name).toBe(true);
      }
    }
  });

  test("open from their envelopes with every signature and delegation holding", async () => {
    for (const row of messages) {
      const { type, signers } = messageSample.get(row.name)!;
      const opened = await verified(openEnvelope(type, fromHex(row.envelopeHex)), verify);
      expect(opened.id, row.name).toBe(row.cid);
      expect(toJsonForm(opened.body), row.name).toEqual(row.body);
      expect(opened.signedBy.map(({ key }) => key)).toEqual(signers.map((role) => cast[role].key));
      for (const signed of opened.signedBy) {
        const { delegation } = signatory(signed, START);
        if (delegation !== undefined) await verified(delegation, verify);
      }
    }
  });

  test("have envelopes that a general dag-cbor decoder reads", () => {
    for (const row of messages) {
      const envelope: { type: string; body: Uint8Array; signatures: { sig: Uint8Array }[] } = dagCbor.decode(
        fromHex(row.envelopeHex),
      );
      expect(envelope.type).toBe(row.type);
      expect(toHex(envelope.body)).toBe(row.bodyHex);
      expect(envelope.signatures.map(({ sig }) => toHex(sig))).toEqual(
        row.signatures.map(({ sigHex }) => sigHex),
      );
      expect(Object.keys(envelope).toSorted()).toEqual(["body", "signatures", "type"]);
    }
  });

  test("of entries open to the body and hash to the leaf", () => {
    for (const row of entries) {
      const bytes = fromHex(row.entryHex);
      const entry = decodeEntry(bytes);
      expect([entry.type, entry.time, toHex(entry.body ?? bytes)]).toEqual([row.type, row.time, row.bodyHex]);
      expect(toJsonForm(decodeEntryOf(row.type as EntryType, bytes).body), row.name).toEqual(row.body);
      expect(toHex(leafHash(bytes)), row.name).toBe(row.leafHashHex);
    }
  });

  test("of the log agree: notes, roots, inclusion, consistency", async () => {
    const log = read("log.json") as unknown as {
      logKey: string;
      entriesHex: string[];
      rootHex: string;
      note: string;
      earlyNote: string;
      inclusion: JsonForm;
      consistency: JsonForm;
    };
    const key = keyFromPeerId(parsePeerId(log.logKey));
    const late = parseCheckpoint(log.note, ORIGIN, key);
    const early = parseCheckpoint(log.earlyNote, ORIGIN, key);
    for (const { claim } of [late, early]) {
      expect(await verify(claim.key, claim.message, claim.signature)).toBe(true);
    }
    expect(toHex(late.root)).toBe(log.rootHex);
    const inclusion = fromJsonForm(log.inclusion) as { index: number; proof: Uint8Array[] };
    const leaf = leafHash(fromHex(log.entriesHex[inclusion.index]!));
    expect(verifyInclusion(leaf, inclusion.index, late.size, inclusion.proof, late.root)).toBe(true);
    const consistency = fromJsonForm(log.consistency) as { from: number; to: number; proof: Uint8Array[] };
    expect([consistency.from, consistency.to]).toEqual([early.size, late.size]);
    expect(verifyConsistency(early.size, late.size, early.root, late.root, consistency.proof)).toBe(true);
  });

  test("of frames have length, kind and payload in a row", () => {
    const frames: readonly {
      name: keyof typeof FRAME;
      kind: number;
      payloadHex: string;
      frameHex: string;
    }[] = read("frame.json")["frames"] ?? [];
    expect(frames.length).toBeGreaterThan(5);
    for (const { name, kind, payloadHex, frameHex } of frames) {
      expect(kind).toBe(FRAME[name]);
      const length = (payloadHex.length / 2).toString(16).padStart(8, "0");
      expect(frameHex).toBe(`${length}${kind.toString(16).padStart(2, "0")}${payloadHex}`);
      const parsed: string[] = [];
      const parser = new FrameParser(
        () => 65_536,
        (parsedKind, payload) => parsed.push(`${parsedKind} ${toHex(payload)}`),
      );
      parser.push(fromHex(frameHex));
      expect([parsed, parser.atBoundary]).toEqual([[`${kind} ${payloadHex}`], true]);
    }
  });
});

describe("Bytes that have to be refused", () => {
  const refused: readonly { why: string; of: string; hex: string; failure: string }[] =
    read("negative.json")["refused"] ?? [];

  test("are many", () => {
    expect(refused.length).toBeGreaterThan(80);
    expect(new Set(refused.map(({ of, hex }) => `${of} ${hex}`)).size).toBe(refused.length);
  });

  test.each(refused)("$of: $why", async ({ of, hex, failure }) => {
    const reader = readersOf(cast, verify)[of];
    const error: unknown = await reader!(fromHex(hex)).then(
      () => "accepted",
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(FailureError);
    if (error instanceof FailureError) expect(failureKind(error.code).name, error.message).toBe(failure);
  });
});

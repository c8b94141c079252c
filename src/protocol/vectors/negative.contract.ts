import * as dagCbor from "@ipld/dag-cbor";
import { concatBytes, toHex } from "../bytes.ts";
import { parseCheckpoint } from "../checkpoint.ts";
import { delegationMessage, signatory } from "../delegation.ts";
import { openEnvelope, verified } from "../envelope.ts";
import type { FailureName } from "../failure-code.ts";
import { auditPolicySchema, DEFAULT_AUDIT_POLICY, PPM } from "../audit-policy.ts";
import { disputeMessage, drawMessage, revealMessage, verdictMessage } from "../messages/audit.ts";
import { jobMessage } from "../messages/job.ts";
import { acceptMessage } from "../messages/lease.ts";
import { decodeEntry } from "../messages/entry.ts";
import { receiptMessage } from "../messages/receipt.ts";
import { drainMessage } from "../messages/session.ts";
import { outcomeSchema } from "../messages/task.ts";
import { keyFromPeerId, multicodecKey } from "../peer-id.ts";
import { decode, encode, type Schema } from "../schema.ts";
import { signedBytes, type Signer, type Verify } from "../signature.ts";
import { type Cast, ORIGIN, START } from "./cast.contract.ts";
import { dagCborForm, fromHex, toJsonForm } from "./json-form.contract.ts";
import { noteOver, type Story } from "./story.contract.ts";
import { encodeUtf8 } from "../text.ts";

/** Bytes that have to be refused, and the name of the failure. `of` says what a reader takes them for. */
export interface Negative {
  readonly why: string;
  readonly of: string;
  readonly hex: string;
  readonly failure: FailureName;
}

type Refuse = (why: string, data: Uint8Array, failure?: FailureName) => Negative;

function refusing(of: string, usual: FailureName): Refuse {
  return (why, data, failure = usual) => ({ why, of, hex: toHex(data), failure });
}

function schemaReader(schema: Schema<unknown>): (data: Uint8Array) => Promise<unknown> {
  return async (data) => decode(schema, data);
}

/** How each kind of bytes is read, to the end: signatures and delegations are verified. */
export function readersOf(
  cast: Cast,
  verify: Verify,
): Readonly<Record<string, (data: Uint8Array) => Promise<unknown>>> {
  return {
    "accept body": schemaReader(acceptMessage.schema),
    "drain body": schemaReader(drainMessage.schema),
    "job body": schemaReader(jobMessage.schema),
    outcome: schemaReader(outcomeSchema),
    "receipt body": schemaReader(receiptMessage.schema),
    "audit-policy": schemaReader(auditPolicySchema),
    "draw body": schemaReader(drawMessage.schema),
    "verdict body": schemaReader(verdictMessage.schema),
    "dispute body": schemaReader(disputeMessage.schema),
    "reveal body": schemaReader(revealMessage.schema),
    entry: async (data) => decodeEntry(data),
    "accept envelope, read at 2026-01-01T00:00:00Z": async (data) => {
      const message = await verified(openEnvelope(acceptMessage, data), verify);
      const delegations = message.signedBy.map((signed) => signatory(signed, START).delegation);
      await Promise.all(
        delegations.map(async (delegation) => delegation === undefined || verified(delegation, verify)),
      );
      return message;
    },
    checkpoint: async (data) => {
      const { claim } = parseCheckpoint(
        Buffer.from(data).toString("utf8"),
        ORIGIN,
        keyFromPeerId(cast.log.key),
      );
      if (!(await verify(claim.key, claim.message, claim.signature)))
        throw new Error("the signature does not hold");
    },
  };
}

type Plain = Record<string, unknown>;

function plainOf(value: unknown): Plain {
  return dagCborForm(toJsonForm(value)) as Plain;
}

/** Map with the given keys in the given order, whatever the rules say. */
function rawMap(entries: readonly (readonly [string, Uint8Array])[]): Uint8Array {
  return concatBytes(
    Uint8Array.of(0xa0 | entries.length),
    ...entries.flatMap(([key, value]) => [dagCbor.encode(key), value]),
  );
}

const AT = "accept envelope, read at 2026-01-01T00:00:00Z";

function spellings(story: Story): readonly Negative[] {
  const body = plainOf({ ...story.head, lease: story.leaseId });
  const good = dagCbor.encode(body);
  const fields = ["v", "ext", "crit", "asset", "lease", "origin"].map(
    (key) => [key, dagCbor.encode(body[key])] as const,
  );
  const refuse = refusing("accept body", "malformed");
  const withField = (name: string, value: Uint8Array): Uint8Array =>
    rawMap(fields.map(([key, bytes]) => [key, key === name ? value : bytes]));
  const link = dagCbor.encode(body["lease"]);
  const [version, ...others] = fields;
  if (version === undefined) throw new Error("no fields");
  return [
    refuse("nothing", new Uint8Array()),
    refuse("ends one byte early", good.subarray(0, -1)),
    refuse("a byte after the end", concatBytes(good, Uint8Array.of(0))),
    refuse("a list instead of a map", Uint8Array.of(0x80)),
    refuse("integer with a head longer than needed", withField("v", Uint8Array.of(0x18, 1))),
    refuse("integer in eight bytes that fits one", withField("v", fromHex("1b0000000000000001"))),
    refuse("text with a head longer than needed", withField("asset", fromHex("780161"))),
    refuse(
      "map of indefinite length",
      concatBytes(Uint8Array.of(0xbf), good.subarray(1), Uint8Array.of(0xff)),
    ),
    refuse("list of indefinite length", withField("crit", fromHex("9fff"))),
    refuse("text of indefinite length", withField("asset", fromHex("7f6161ff"))),
    refuse("reserved length", withField("asset", fromHex("7c"))),
    refuse("float for an integer", withField("v", fromHex("f93c00"))),
    refuse("double for an integer", withField("v", fromHex("fb3ff0000000000000"))),
    refuse("negative integer", withField("v", Uint8Array.of(0x20))),
    refuse("null for a value", withField("asset", Uint8Array.of(0xf6))),
    refuse("undefined for a value", withField("asset", Uint8Array.of(0xf7))),
    refuse("bytes for text", withField("asset", fromHex("4161"))),
    refuse("keys out of order", rawMap([...others, version])),
    refuse("key twice", rawMap([version, ...fields])),
    refuse("unknown field", dagCbor.encode({ ...body, zzzzzzz: 1 })),
    refuse("missing field", rawMap(others)),
    refuse("other version", withField("v", Uint8Array.of(2)), "unsupported"),
    refuse("other version with an unknown field", dagCbor.encode({ ...body, v: 2, more: 1 }), "unsupported"),
    refuse("extension that must be understood", withField("crit", dagCbor.encode(["x"])), "unsupported"),
    refuse("another tag", concatBytes(rawMapUpTo(fields, "lease"), fromHex("d82b"))),
    refuse("CID without its tag", withField("lease", link.subarray(2))),
    refuse(
      "CID without the zero before it",
      withField("lease", concatBytes(fromHex("d82a5824"), link.subarray(5))),
    ),
    refuse("CID version 0", withField("lease", concatBytes(fromHex("d82a5823001220"), new Uint8Array(32)))),
    refuse(
      "CID of another codec",
      withField("lease", concatBytes(fromHex("d82a5825000170"), link.subarray(7))),
    ),
    refuse(
      "CID of another hash",
      withField("lease", concatBytes(fromHex("d82a58250001711320"), new Uint8Array(32))),
    ),
    refuse("text that is not UTF-8", withField("asset", fromHex("61ff"))),
    refuse("text with an overlong form", withField("asset", fromHex("62c080"))),
    refuse("text with a lone surrogate", withField("asset", fromHex("63eda080"))),
    refuse("text above its bound", withField("asset", dagCbor.encode("a".repeat(161))), "too-large"),
    refuse("extension of null", withField("ext", dagCbor.encode({ a: null }))),
    refuse("extension that is a map", withField("ext", dagCbor.encode({ a: {} }))),
    refuse("extension with a negative integer", withField("ext", dagCbor.encode({ a: -1 }))),
    refuse("extensions out of order", withField("ext", fromHex("a2616201616101"))),
    refuse("extension twice", withField("ext", fromHex("a2616101616101"))),
    refuse("nested deeper than 12", withField("ext", dagCbor.encode({ a: nest(12) }))),
    refuse(
      "more than 16 extensions",
      withField(
        "ext",
        dagCbor.encode(Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, 1]))),
      ),
      "too-large",
    ),
  ];
}

function nest(levels: number): unknown {
  return levels === 0 ? 1 : [nest(levels - 1)];
}

/** The map up to the value of `stop`, which is left to the caller. */
function rawMapUpTo(entries: readonly (readonly [string, Uint8Array])[], stop: string): Uint8Array {
  const before = entries.slice(
    0,
    entries.findIndex(([key]) => key === stop),
  );
  return concatBytes(
    Uint8Array.of(0xa0 | entries.length),
    ...before.flatMap(([key, value]) => [dagCbor.encode(key), value]),
    dagCbor.encode(stop),
  );
}

/** A whole body with something in it that must not be there. */
function refused(why: string, of: string, value: Plain, failure: FailureName = "malformed"): Negative {
  return { why, of, hex: toHex(dagCbor.encode(value)), failure };
}

function fieldRules(cast: Cast, story: Story): readonly Negative[] {
  const [done] = story.outcomes;
  const job = plainOf(story.job);
  const drain = plainOf({
    ...story.head,
    lease: story.leaseId,
    instance: cast.providerSession.key,
    code: 10010,
    acceptedUpTo: 3,
    running: [],
    returned: [],
    lost: [],
  });
  const outcome = plainOf(done);
  const key = multicodecKey(cast.provider.key);
  return [
    refused("word outside its set", "job body", {
      ...job,
      work: { ...(job["work"] as Plain), kind: "thing" },
    }),
    refused("15 bytes for a nonce", "job body", { ...job, nonce: new Uint8Array(15) }),
    refused("17 bytes for a nonce", "job body", { ...job, nonce: new Uint8Array(17) }, "too-large"),
    refused("number above its bound", "job body", { ...job, maxTasks: 1_000_001 }),
    refused("key of another kind", "job body", {
      ...job,
      payer: concatBytes(Uint8Array.of(0xe7, 1), key.subarray(2)),
    }),
    refused("key without its kind", "job body", { ...job, payer: key.subarray(2) }),
    refused("integer for true or false", "outcome", { ...outcome, end: 1 }),
    refused("unknown failure code", "drain body", { ...drain, code: 12_345 }),
    refused(
      "list above its bound",
      "drain body",
      { ...drain, lost: Array.from({ length: 4_097 }, () => 0) },
      "too-large",
    ),
    refused("done without an output", "outcome", without(outcome, "outputCid")),
    refused("done with a code", "outcome", { ...outcome, code: 30001 }),
    refused("failed with an output", "outcome", { ...outcome, status: "failed", code: 30001 }),
    refused("failed without a code", "outcome", { ...without(outcome, "outputCid"), status: "failed" }),
    refused("entry without a body", "entry", { v: 1, type: "bar", time: 0 }),
    refused("entry with body and CID", "entry", {
      v: 1,
      type: "bar",
      time: 0,
      body: new Uint8Array(1),
      bodyCid: job["argsCid"],
    }),
    refused("entry of an unknown type", "entry", { v: 1, type: "gift", time: 0, body: new Uint8Array(1) }),
    refused(
      "entry of another version",
      "entry",
      { v: 2, type: "bar", time: 0, body: new Uint8Array(1) },
      "unsupported",
    ),
  ];
}

/** What a draw, a verdict and their like must not be. */
function auditRules({
  head,
  leaseId,
  inclusion,
  receipt,
  receiptEnvelope,
  ...story
}: Story): readonly Negative[] {
  const at = { ...head, lease: leaseId, entryIndex: inclusion.index };
  const draw = plainOf({
    ...at,
    entryHash: inclusion.leaf,
    epoch: 1,
    source: "relay",
    policy: receipt.policy,
    n: 0n,
    bond: 0n,
    value: 5_006n,
    first: 0,
    end: 3,
    leaves: [0, 1, 2],
    openBy: START,
    verdictBy: START,
  });
  const verdict = plainOf({
    ...at,
    index: 0,
    result: "match",
    expected: inclusion.leaf,
    found: inclusion.leaf,
    fuel: 7n,
    profile: 1,
    engine: "v8",
    auditors: [],
  });
  const dispute = plainOf({
    ...head,
    lease: leaseId,
    receipt: receiptEnvelope,
    advance: story.advanceEnvelope,
    prevCount: 0,
    consistency: [],
  });
  const reveal = plainOf({ ...head, job: story.jobId, secret: story.drawSecret });
  const policy = plainOf(DEFAULT_AUDIT_POLICY);
  return [
    refused("a draw by somebody else", "draw body", { ...draw, source: "provider" }),
    refused("a draw without the value at stake", "draw body", without(draw, "value")),
    refused("a draw that names no lease", "draw body", without(draw, "lease")),
    refused("an entry hash of 31 bytes", "draw body", { ...draw, entryHash: new Uint8Array(31) }),
    refused(
      "more leaves than a draw has",
      "draw body",
      { ...draw, leaves: Array.from({ length: 9_001 }, (_, leaf) => leaf) },
      "too-large",
    ),
    refused("a verdict between right and wrong", "verdict body", { ...verdict, result: "maybe" }),
    refused("a verdict that moves money by itself", "verdict body", { ...verdict, postings: [] }),
    refused(
      "seventeen auditors",
      "verdict body",
      { ...verdict, auditors: Array.from({ length: 17 }, () => new Uint8Array(34)) },
      "too-large",
    ),
    refused(
      "a dispute over more than a receipt can be",
      "dispute body",
      { ...dispute, receipt: new Uint8Array(8_193) },
      "too-large",
    ),
    refused("a dispute without the advance", "dispute body", without(dispute, "advance")),
    refused("half a secret", "reveal body", { ...reveal, secret: new Uint8Array(16) }),
    refused("a rate above one", "audit-policy", { ...policy, floorPpm: PPM + 1 }),
    refused("a rate below nothing", "audit-policy", { ...policy, failedPpm: -1 }),
    refused("a rate in floating point", "audit-policy", { ...policy, floorPpm: 0.05 }),
    refused("65 replicas", "audit-policy", { ...policy, maxReplicas: 65 }),
    refused("a number left out", "audit-policy", without(policy, "holdMs")),
    refused("failures below nothing", "receipt body", { ...plainOf(receipt), failed: -1 }),
    refused("a dearest outcome of null", "receipt body", { ...plainOf(receipt), peak: null }),
  ];
}

function without(value: Plain, name: string): Plain {
  return Object.fromEntries(Object.entries(value).filter(([key]) => key !== name));
}

interface RawSignature {
  readonly key: Uint8Array;
  readonly sig: Uint8Array;
  readonly delegation?: Uint8Array;
}

function rawEnvelope(type: string, body: Uint8Array, signatures: readonly RawSignature[]): Uint8Array {
  return dagCbor.encode({ type, body, signatures });
}

async function delegationBy(
  signers: readonly Signer[],
  fields: {
    readonly root: Signer;
    readonly session: Signer;
    readonly notBefore: number;
    readonly notAfter: number;
  },
): Promise<Uint8Array> {
  const body = encode(delegationMessage.schema, {
    ...fields,
    root: fields.root.key,
    session: fields.session.key,
  });
  const message = signedBytes("delegation", body);
  const signatures = await Promise.all(
    signers.map(async (signer) => ({
      key: multicodecKey(signer.key),
      sig: await signer.sign(message),
      ...(signer.delegation === undefined ? {} : { delegation: signer.delegation }),
    })),
  );
  return rawEnvelope("delegation", body, signatures);
}

/** S + L: the same signature to a verifier that does not reduce. */
export function malleated(signature: Uint8Array): Uint8Array {
  const order = (1n << 252n) + 27_742_317_777_372_353_535_851_937_790_883_648_493n;
  let sum = order + BigInt(`0x${toHex(signature.slice(32).toReversed())}`);
  const result = signature.slice();
  for (let i = 32; i < 64; i += 1) {
    result[i] = Number(sum & 0xffn);
    sum >>= 8n;
  }
  return result;
}

async function badSignatures(cast: Cast, story: Story): Promise<readonly Negative[]> {
  const body = encode(acceptMessage.schema, { ...story.head, lease: story.leaseId });
  const { provider, providerSession: session, requester, requesterSession } = cast;
  const key = multicodecKey(provider.key);
  const sig = await provider.sign(signedBytes("accept", body));
  const bySession = await session.sign(signedBytes("accept", body));
  const flipped = sig.slice();
  flipped[0] = (flipped[0] ?? 0) ^ 1;
  const refuse = refusing(AT, "bad-signature");
  const one = (signature: RawSignature): Uint8Array => rawEnvelope("accept", body, [signature]);
  const delegated = async (
    signers: readonly Signer[],
    root: Signer,
    to: Signer,
    from = 0,
    until = 0,
  ): Promise<Uint8Array> =>
    one({
      key: multicodecKey(session.key),
      sig: bySession,
      delegation: await delegationBy(signers, {
        root,
        session: to,
        notBefore: START + from,
        notAfter: START + until,
      }),
    });
  const day = 86_400_000;
  return [
    refuse("no signature", rawEnvelope("accept", body, []), "bad-signature"),
    refuse(
      "five signatures",
      rawEnvelope(
        "accept",
        body,
        Array.from({ length: 5 }, () => ({ key, sig })),
      ),
      "too-large",
    ),
    refuse("another type", rawEnvelope("cancel", body, [{ key, sig }]), "malformed"),
    refuse(
      "signature over another type",
      one({ key, sig: await provider.sign(signedBytes("close-job", body)) }),
      "bad-signature",
    ),
    refuse("signature over the bare body", one({ key, sig: await provider.sign(body) }), "bad-signature"),
    refuse("one bit of the signature flipped", one({ key, sig: flipped }), "bad-signature"),
    refuse("another signer's key", one({ key: multicodecKey(requester.key), sig }), "bad-signature"),
    refuse("S plus the group order", one({ key, sig: malleated(sig) }), "bad-signature"),
    refuse(
      "key of small order",
      one({
        key: concatBytes(key.subarray(0, 2), Uint8Array.of(1), new Uint8Array(31)),
        sig: concatBytes(Uint8Array.of(1), new Uint8Array(63)),
      }),
      "bad-signature",
    ),
    refuse(
      "one good and one bad signature",
      rawEnvelope("accept", body, [
        { key, sig },
        { key: multicodecKey(requester.key), sig },
      ]),
      "bad-signature",
    ),
    refuse(
      "delegation for another session",
      await delegated([provider], provider, requesterSession, -day, day),
      "bad-signature",
    ),
    refuse(
      "delegation signed by another root",
      await delegated([requester], provider, session, -day, day),
      "bad-signature",
    ),
    refuse(
      "delegation signed by two",
      await delegated([provider, requester], provider, session, -day, day),
      "bad-signature",
    ),
    refuse(
      "delegation that stands on a delegation",
      await delegated([session], provider, session, -day, day),
      "bad-signature",
    ),
    refuse(
      "delegation that is over",
      await delegated([provider], provider, session, -day, -day / 2),
      "expired",
    ),
    refuse(
      "delegation that has not begun",
      await delegated([provider], provider, session, day / 2, day),
      "expired",
    ),
    refuse(
      "delegation that is no envelope",
      one({ key: multicodecKey(session.key), sig: bySession, delegation: Uint8Array.of(0xa0) }),
      "malformed",
    ),
  ];
}

async function notes(cast: Cast, story: Story): Promise<readonly Negative[]> {
  const { note } = story;
  const refuse = refusing("checkpoint", "forged-checkpoint");
  const [, , root = ""] = note.split("\n");
  return [
    refuse("of another log", encodeUtf8(note.replace(ORIGIN, "relay.example/gol"))),
    refuse("signed under another key", encodeUtf8(await noteOver(cast, story.log, "nextLog"))),
    refuse("no signature", encodeUtf8(note.slice(0, note.indexOf("\n\n") + 2))),
    refuse("no empty line", encodeUtf8(note.replace("\n\n", "\n"))),
    refuse("no newline at the end", encodeUtf8(note.slice(0, -1))),
    refuse("an extension line", encodeUtf8(note.replace(`${root}\n`, `${root}\nmore\n`))),
    refuse("size with a leading zero", encodeUtf8(note.replace("\n5\n", "\n05\n"))),
    refuse("size that is no number", encodeUtf8(note.replace("\n5\n", "\n-5\n"))),
    refuse("root without padding", encodeUtf8(note.replace(root, root.replace("=", "")))),
    refuse("root with stray bits", encodeUtf8(note.replace(root, strayBits(root)))),
    refuse("a line between the signatures that is none", encodeUtf8(`${note}hello\n`)),
    refuse("something before the signatures", encodeUtf8(note.replace("\n\n", "\n\nhello\n\n"))),
    refuse("a hyphen for the dash", encodeUtf8(note.replace("\u2014", "-"))),
  ];
}

/** The last base64 digit before the padding holds two unused bits. */
function strayBits(text: string): string {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const last = text.indexOf("=") - 1;
  const digit = digits.indexOf(text.charAt(last));
  return `${text.slice(0, last)}${digits.charAt(digit | 1)}${text.slice(last + 1)}`;
}

export async function negatives(cast: Cast, story: Story): Promise<readonly Negative[]> {
  return [
    ...spellings(story),
    ...fieldRules(cast, story),
    ...auditRules(story),
    ...(await badSignatures(cast, story)),
    ...(await notes(cast, story)),
  ];
}

import { type AuditPolicy, auditPolicySchema } from "../audit-policy.ts";
import { CborWriter } from "../cbor-writer.ts";
import { type Cid } from "../cid.ts";
import { MAX_ENTRY_BYTES, MAX_ENVELOPE_BYTES, WIRE_VERSION } from "../limits.ts";
import {
  type ForfeitBody,
  forfeitSchema,
  type ResetBody,
  resetSchema,
  type UnbondBody,
  unbondSchema,
  type VestBody,
  vestSchema,
} from "./record-entries.ts";
import { type RetireIdleBody, retireIdleSchema, type TransferBody, transferSchema } from "./assign.ts";
import type { PeerId } from "../peer-id.ts";
import { type EpochOpenBody, epochOpenBody } from "./epoch.ts";
import {
  type PayoutBatchBody,
  payoutBatchSchema,
  type PayoutBody,
  type PayoutCancelBody,
  payoutCancelSchema,
  type PayoutPrepareBody,
  payoutPrepareSchema,
  payoutSchema,
} from "./payout-entries.ts";
import {
  amount,
  bytesInPlace,
  cid,
  decode,
  encode,
  exactBytes,
  oneOf,
  optional,
  peer,
  record,
  type Schema,
  text,
  uint,
} from "../schema.ts";
import { type Tariff, tariffSchema } from "../tariff.ts";
import type { MicroCredits } from "../units.ts";
import { WireError } from "../wire-error.ts";

/** Every movement of money and every change of rules is an entry of one of these types (rule 10). */
export const ENTRY_TYPES = [
  "policy",
  "deposit",
  "grant",
  "escrow",
  "lease",
  "receipt",
  "dispute",
  "cancel",
  "draw",
  "reveal",
  "verdict",
  "settle",
  "release",
  "vest",
  "forfeit",
  "retire",
  "unbond",
  "reset",
  "payout-address",
  "payout-batch",
  "payout-prepare",
  "payout",
  "payout-cancel",
  "assign",
  "transfer",
  "retire-idle",
  "epoch-open",
  "key-rotate",
  "key-revoke",
  "api-key",
  "api-key-revoke",
  "run",
  "run-holders",
  "run-end",
  "bar",
] as const;
export type EntryType = (typeof ENTRY_TYPES)[number];

/** One entry of the relay's append-only log. Its bytes are the data of a Merkle leaf. */
export interface Entry {
  readonly v: typeof WIRE_VERSION;
  readonly type: EntryType;
  /** Log time, milliseconds since 1970; never decreases. Only this time judges (rule 19). */
  readonly time: number;
  /** Encoded body, or its CID where it is too large. Exactly one of the two is present. */
  readonly body?: Uint8Array;
  readonly bodyCid?: Cid;
}

const entrySchema: Schema<Entry> = record<Entry>({
  v: {
    write: (out, value) => out.head(0, value),
    read: (from) =>
      from.uint(255) === WIRE_VERSION ? WIRE_VERSION : from.fail("is of another version", "unsupported"),
  },
  type: oneOf(ENTRY_TYPES),
  time: uint(),
  body: optional(bytesInPlace(MAX_ENTRY_BYTES)),
  bodyCid: optional(cid),
});

/** @throws RangeError above MAX_ENTRY_BYTES. */
export function encodeEntry(entry: Entry): Uint8Array<ArrayBuffer> {
  const encoded = encode(entrySchema, entry);
  if (encoded.length > MAX_ENTRY_BYTES)
    throw new RangeError(`entry takes ${encoded.length} bytes, at most ${MAX_ENTRY_BYTES}`);
  return encoded;
}

export function decodeEntry(data: Uint8Array): Entry {
  const entry = decode(entrySchema, data, MAX_ENTRY_BYTES);
  if ((entry.body === undefined) === (entry.bodyCid === undefined)) {
    throw new WireError("entry: needs a body or the CID of one, not both");
  }
  return entry;
}

/** Where a body is written before it goes into its entry. */
const bodyWriter = new CborWriter();

/** Bytes of an entry, from its body. @throws RangeError above MAX_ENTRY_BYTES, or when the body breaks a bound. */
export function encodeEntryOf<K extends EntryType>(
  type: K,
  time: number,
  body: EntryBodies[K],
): Uint8Array<ArrayBuffer> {
  bodyWriter.takeInPlace();
  entryBodies[type].write(bodyWriter, body);
  return encodeEntry({ v: WIRE_VERSION, type, time, body: bodyWriter.takeInPlace() });
}

/** An entry of the expected type with its body decoded. @throws WireError for another type, or where only the body's CID is there. */
export function decodeEntryOf<K extends EntryType>(
  type: K,
  data: Uint8Array,
): { readonly time: number; readonly body: EntryBodies[K] } {
  const entry = decodeEntry(data);
  if (entry.type !== type) throw new WireError(`entry: expected a ${type}, not a ${entry.type}`);
  if (entry.body === undefined) throw new WireError("entry: its body is not here");
  return { time: entry.time, body: decode(entryBodies[type], entry.body, MAX_ENTRY_BYTES) };
}

/** Keys of the relay: one each for log, leases and draws (rule 12). */
export interface RelayKeys {
  readonly log: PeerId;
  readonly lease: PeerId;
  readonly draw: PeerId;
}

/** First entry, and again at every change: the rules that hold from here on. */
export interface PolicyBody {
  readonly origin: string;
  readonly asset: string;
  readonly keys: RelayKeys;
  readonly tariff: Tariff;
  /** The policy document by CID; receipts name it. */
  readonly policy: Cid;
  /** Its numbers for audits; absent where nothing is audited and pay is free at settlement. */
  readonly audit?: AuditPolicy;
}

/** Money comes in: `reference` is the payment's identity outside, or why test credits were granted. */
export interface FundingBody {
  readonly account: PeerId;
  readonly amount: MicroCredits;
  readonly reference: string;
}

/** A job's price cap is set aside. */
export interface EscrowBody {
  readonly job: Cid;
  readonly payer: PeerId;
  readonly amount: MicroCredits;
  /** Job envelope. */
  readonly envelope: Uint8Array;
}

/** A lease takes its budget out of the job's escrow; a top-up is an entry of its own. */
export interface LeaseBody {
  readonly lease: Cid;
  readonly job: Cid;
  /** Lease envelope. */
  readonly envelope: Uint8Array;
}

/** A report, as it came: it holds the receipt and both signatures. */
export interface ReceiptBody {
  readonly lease: Cid;
  readonly envelope: Uint8Array;
}

/** The requester gave a lease back: all but one window of its budget returns to the job's escrow (rule 4). */
export interface CancelBody {
  readonly lease: Cid;
  /** Cancel envelope, signed by the requester. */
  readonly envelope: Uint8Array;
}

/** A lease ends: what it earned goes to the provider, the rest of its budget back to the job's escrow. */
export interface SettleBody {
  readonly lease: Cid;
  readonly job: Cid;
  readonly provider: PeerId;
  /** Receipt entry that is paid; absent when the lease ends unused. */
  readonly receiptIndex?: number;
  readonly paid: MicroCredits;
  readonly returned: MicroCredits;
  readonly reason: "final" | "closed" | "report-by" | "void";
}

/** A job ends, or a part of it becomes free: money goes from the job's escrow back to the payer. */
export interface ReleaseBody {
  readonly job: Cid;
  readonly payer: PeerId;
  readonly amount: MicroCredits;
}

/** The relay replaces one of its keys; signed by the old one. */
export interface KeyRotateBody {
  readonly purpose: keyof RelayKeys;
  readonly previous: PeerId;
  readonly next: PeerId;
  /** Signature of `previous` over rotationMessage(origin, purpose, next); see rotation.ts. */
  readonly proof: Uint8Array;
}

export interface BarBody {
  readonly identity: PeerId;
  readonly reason: string;
}

/** What somebody signed, as it came: the entry's type is the message's. */
interface SignedBody {
  readonly envelope: Uint8Array;
}

const envelope: Schema<Uint8Array> = bytesInPlace(MAX_ENVELOPE_BYTES);
const signed: Schema<SignedBody> = record<SignedBody>({ envelope });
const funding: Schema<FundingBody> = record<FundingBody>({ account: peer, amount, reference: text(256) });

export interface EntryBodies {
  readonly policy: PolicyBody;
  readonly deposit: FundingBody;
  readonly grant: FundingBody;
  readonly escrow: EscrowBody;
  readonly lease: LeaseBody;
  readonly receipt: ReceiptBody;
  readonly cancel: CancelBody;
  readonly dispute: ReceiptBody;
  readonly draw: SignedBody;
  readonly reveal: SignedBody;
  readonly verdict: SignedBody;
  readonly settle: SettleBody;
  readonly release: ReleaseBody;
  readonly vest: VestBody;
  readonly forfeit: ForfeitBody;
  readonly retire: SignedBody;
  readonly unbond: UnbondBody;
  readonly reset: ResetBody;
  readonly "payout-address": SignedBody;
  readonly "payout-batch": PayoutBatchBody;
  readonly "payout-prepare": PayoutPrepareBody;
  readonly payout: PayoutBody;
  readonly "payout-cancel": PayoutCancelBody;
  readonly assign: SignedBody;
  readonly transfer: TransferBody;
  readonly "retire-idle": RetireIdleBody;
  readonly "epoch-open": EpochOpenBody;
  readonly "key-rotate": KeyRotateBody;
  readonly "key-revoke": SignedBody;
  readonly "api-key": SignedBody;
  readonly "api-key-revoke": SignedBody;
  readonly run: SignedBody;
  readonly "run-holders": SignedBody;
  readonly "run-end": SignedBody;
  readonly bar: BarBody;
}

/** The shape of each entry type's body. */
export const entryBodies: { readonly [K in EntryType]: Schema<EntryBodies[K]> } = {
  policy: record<PolicyBody>({
    origin: text(128),
    asset: text(160),
    keys: record<RelayKeys>({ log: peer, lease: peer, draw: peer }),
    tariff: tariffSchema,
    policy: cid,
    audit: optional(auditPolicySchema),
  }),
  deposit: funding,
  grant: funding,
  escrow: record<EscrowBody>({ job: cid, payer: peer, amount, envelope }),
  lease: record<LeaseBody>({ lease: cid, job: cid, envelope }),
  receipt: record<ReceiptBody>({ lease: cid, envelope }),
  cancel: record<CancelBody>({ lease: cid, envelope }),
  dispute: record<ReceiptBody>({ lease: cid, envelope }),
  draw: signed,
  reveal: signed,
  verdict: signed,
  settle: record<SettleBody>({
    lease: cid,
    job: cid,
    provider: peer,
    receiptIndex: optional(uint()),
    paid: amount,
    returned: amount,
    reason: oneOf(["final", "closed", "report-by", "void"]),
  }),
  release: record<ReleaseBody>({ job: cid, payer: peer, amount }),
  vest: vestSchema,
  forfeit: forfeitSchema,
  retire: signed,
  unbond: unbondSchema,
  reset: resetSchema,
  "payout-address": signed,
  "payout-batch": payoutBatchSchema,
  "payout-prepare": payoutPrepareSchema,
  payout: payoutSchema,
  "payout-cancel": payoutCancelSchema,
  assign: signed,
  transfer: transferSchema,
  "retire-idle": retireIdleSchema,
  "epoch-open": epochOpenBody,
  "key-rotate": record<KeyRotateBody>({
    purpose: oneOf(["log", "lease", "draw"]),
    previous: peer,
    next: peer,
    proof: exactBytes(64),
  }),
  "key-revoke": signed,
  "api-key": signed,
  "api-key-revoke": signed,
  run: signed,
  "run-holders": signed,
  "run-end": signed,
  bar: record<BarBody>({ identity: peer, reason: text(256) }),
};

/** An entry with its body decoded. */
export type TypedEntry = {
  readonly [K in EntryType]: { readonly type: K; readonly time: number; readonly body: EntryBodies[K] };
}[EntryType];

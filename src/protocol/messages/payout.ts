import type { Cid } from "../cid.ts";
import type { MessageType } from "../envelope.ts";
import { type Header, headerFields } from "../header.ts";
import { MAX_PAYOUT_ADDRESS_BYTES } from "../limits.ts";
import { HASH_BYTES, leafHash, MerkleTree } from "../merkle.ts";
import type { PeerId } from "../peer-id.ts";
import {
  amount,
  cid,
  encode,
  exactBytes,
  optional,
  peer,
  record,
  type Schema,
  text,
  uint,
  where,
} from "../schema.ts";
import { type MicroCredits, microCredits } from "../units.ts";

/**
 * Accounts at chains and banks: no spaces, commas, quotes or line ends, and a letter or digit first, so that an address
 * that a stranger chose is one cell of a CSV file and no formula in it.
 */
const ADDRESS = /^[0-9A-Za-z][0-9A-Za-z._:@/+-]*$/u;

/** Whether money could be sent there, as far as the form of the address tells. */
export function isPayoutAddress(address: string): boolean {
  return address.length <= MAX_PAYOUT_ADDRESS_BYTES && ADDRESS.test(address);
}

export const payoutAddressText: Schema<string> = where(
  text(MAX_PAYOUT_ADDRESS_BYTES),
  isPayoutAddress,
  "is no payout address",
);

/**
 * Where an account wants its money paid out. Signed by the account's root identity itself. The first one counts at once,
 * a change after PAYOUT_ADDRESS_WAIT_MS of log time (rule 12); see ledger/payout-address.ts.
 */
export interface PayoutAddress extends Header {
  readonly account: PeerId;
  readonly address: string;
  /** CID of the payout-address that this one replaces; absent in the first. So an old one cannot be sent again. */
  readonly prev?: Cid;
}

export const payoutAddressMessage: MessageType<PayoutAddress> = {
  name: "payout-address",
  schema: record<PayoutAddress>({
    ...headerFields,
    account: peer,
    address: payoutAddressText,
    prev: optional(cid),
  }),
};

/** What one account gets in a batch. Its encoding is a leaf of the batch's root. */
export interface PayoutLine {
  readonly account: PeerId;
  readonly amount: MicroCredits;
  readonly address: string;
}

export const payoutLineSchema: Schema<PayoutLine> = record<PayoutLine>({
  account: peer,
  amount,
  address: payoutAddressText,
});

/**
 * The relay's order to pay: whoever carries it out can check the list of lines it got against this. Signed by the relay's
 * lease key, which signs what the relay promises to pay. Its CID names the batch.
 */
export interface PayoutBatch extends Header {
  /** From 1 on, one more than the batch before. */
  readonly number: number;
  /** Lines. */
  readonly count: number;
  /** Sum of the lines. */
  readonly total: MicroCredits;
  /** Merkle root over the encoded lines, in order. */
  readonly root: Uint8Array;
}

export const payoutBatchMessage: MessageType<PayoutBatch> = {
  name: "payout-batch",
  schema: record<PayoutBatch>({
    ...headerFields,
    number: uint(),
    count: uint(),
    total: amount,
    root: exactBytes(HASH_BYTES),
  }),
};

/** What a batch of these lines says about them. */
export function payoutSums(lines: readonly PayoutLine[]): Pick<PayoutBatch, "count" | "total" | "root"> {
  const tree = new MerkleTree();
  for (const line of lines) tree.append(leafHash(encode(payoutLineSchema, line)));
  const total = lines.reduce<bigint>((sum, line) => sum + line.amount, 0n);
  return { count: lines.length, total: microCredits(total), root: tree.root() };
}

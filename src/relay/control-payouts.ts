import { type Cid, isCid } from "../protocol/cid.ts";
import { isTestAsset } from "../protocol/header.ts";
import {
  jsonAmount,
  jsonBool,
  jsonCid,
  jsonList,
  jsonOneOf,
  jsonPeer,
  jsonRecord,
  type JsonShape,
  jsonText,
  jsonUint,
  optionalJson,
} from "../protocol/json-shape.ts";
import { MAX_PAYOUT_ADDRESS_BYTES } from "../protocol/limits.ts";
import type { PayoutLine } from "../protocol/messages/payout.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { MicroCredits } from "../protocol/units.ts";
import type { Books } from "./books.ts";
import { MAX_PAYOUT_LINES } from "./books/limits.ts";
import { MAX_LISTED_PAYOUTS } from "./limits.ts";
import type { PayoutBatchRow, PayoutGaps } from "./store/payout-rows.ts";

/** What the operator asks about money that comes in and goes out; see control.ts. Fields that a kind does not use are empty. */
export const PAYOUT_KINDS = [
  "credit",
  "payout-prepare",
  "payout-confirm",
  "payout-cancel",
  "payout-show",
  "payout-list",
] as const;

export interface PayoutRequest {
  readonly kind: (typeof PAYOUT_KINDS)[number];
  readonly account?: PeerId;
  /** To credit; of `payout-prepare` the minimum. */
  readonly amount?: MicroCredits;
  readonly reference?: string;
  /** CID of a batch, or its number. */
  readonly batch?: string;
}

/** A credit as it is in the log. */
export interface Credited {
  readonly asset: string;
  readonly isTest: boolean;
  readonly entryIndex: number;
}

/** A batch as the operator sees it. */
export interface BatchView {
  readonly batch: Cid;
  readonly number: number;
  readonly state: PayoutBatchRow["state"];
  readonly asset: string;
  readonly count: number;
  readonly total: MicroCredits;
  /** Log times, milliseconds since 1970. */
  readonly prepared: number;
  readonly ended?: number;
  readonly reference?: string;
}

/** A batch with its lines, in order of accounts. */
export interface BatchLines extends BatchView {
  readonly lines: readonly PayoutLine[];
}

export interface PreparedView {
  /** Absent when nobody is to be paid. */
  readonly batch?: BatchLines;
  /** False when it was prepared before. */
  readonly isNew: boolean;
  readonly gaps: PayoutGaps;
}

export const creditedJson: JsonShape<Credited> = jsonRecord<Credited>({
  asset: jsonText(160),
  isTest: jsonBool,
  entryIndex: jsonUint(),
});

const batchFields = {
  batch: jsonCid,
  number: jsonUint(),
  state: jsonOneOf(["prepared", "paid", "cancelled"]),
  asset: jsonText(160),
  count: jsonUint(),
  total: jsonAmount,
  prepared: jsonUint(),
  ended: optionalJson(jsonUint()),
  reference: optionalJson(jsonText(256)),
};

export const batchJson: JsonShape<BatchView> = jsonRecord<BatchView>(batchFields);
export const batchesJson: JsonShape<readonly BatchView[]> = jsonList(batchJson, MAX_LISTED_PAYOUTS);

export const batchLinesJson: JsonShape<BatchLines> = jsonRecord<BatchLines>({
  ...batchFields,
  lines: jsonList(
    jsonRecord<PayoutLine>({
      account: jsonPeer,
      amount: jsonAmount,
      address: jsonText(MAX_PAYOUT_ADDRESS_BYTES),
    }),
    MAX_PAYOUT_LINES,
  ),
});

export const preparedJson: JsonShape<PreparedView> = jsonRecord<PreparedView>({
  batch: optionalJson(batchLinesJson),
  isNew: jsonBool,
  gaps: jsonRecord<PayoutGaps>({
    tooLittle: jsonUint(),
    withoutAddress: jsonUint(),
    addressWaits: jsonUint(),
    denied: jsonUint(),
  }),
});

function given<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new RangeError(`${what} is missing`);
  return value;
}

/** @throws RangeError for what is neither the CID nor the number of a batch. */
function batchOf({ payouts }: Books, which: string): Cid {
  if (isCid(which)) return which;
  const found = payouts.batches(MAX_LISTED_PAYOUTS).find(({ number }) => String(number) === which);
  if (found === undefined) throw new RangeError(`no batch ${which.slice(0, 80)}`);
  return found.id;
}

function batchView({ asset }: Books, row: PayoutBatchRow): unknown {
  return batchJson.write(viewOf(asset, row));
}

function viewOf(asset: string, { id, total, ...row }: PayoutBatchRow): BatchView {
  const { number, state, count, prepared, ended, reference } = row;
  return {
    batch: id,
    number,
    state,
    asset,
    count,
    total: jsonAmount.read(total.toString()),
    prepared,
    ...(ended === undefined ? {} : { ended }),
    ...(reference === undefined ? {} : { reference }),
  };
}

function withLines({ asset, payouts }: Books, row: PayoutBatchRow): BatchLines {
  return { ...viewOf(asset, row), lines: payouts.lines(row.id) };
}

async function prepare(books: Books, minimum: MicroCredits): Promise<unknown> {
  const { batch, isNew, gaps } = await books.payouts.prepare(minimum);
  return preparedJson.write({
    ...(batch === undefined ? {} : { batch: withLines(books, batch) }),
    isNew,
    gaps,
  });
}

function show(books: Books, which: string): unknown {
  const id = batchOf(books, which);
  const row = books.payouts.batches(MAX_LISTED_PAYOUTS).find((each) => each.id === id);
  return batchLinesJson.write(withLines(books, given(row, "the batch")));
}

/** Does what the operator asks, in the process that holds the books. @returns what JSON can carry */
export async function obeyPayout(books: Books, asked: PayoutRequest): Promise<unknown> {
  const { payouts, asset } = books;
  switch (asked.kind) {
    case "credit": {
      const account = given(asked.account, "the account");
      const amount = given(asked.amount, "the amount");
      const { index } = await payouts.credit(account, amount, given(asked.reference, "the reference"));
      return creditedJson.write({ asset, isTest: isTestAsset(asset), entryIndex: index });
    }
    case "payout-prepare":
      return prepare(books, given(asked.amount, "the minimum"));
    case "payout-confirm": {
      const id = batchOf(books, given(asked.batch, "the batch"));
      return batchView(books, await payouts.confirm(id, asked.reference ?? ""));
    }
    case "payout-cancel":
      return batchView(books, await payouts.cancel(batchOf(books, given(asked.batch, "the batch"))));
    case "payout-show":
      return show(books, given(asked.batch, "the batch"));
    case "payout-list":
      return batchesJson.write(payouts.batches(MAX_LISTED_PAYOUTS).map((row) => viewOf(asset, row)));
    default:
      return asked.kind satisfies never;
  }
}

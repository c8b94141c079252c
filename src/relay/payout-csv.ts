import type { Cid } from "../protocol/cid.ts";
import type { PayoutLine } from "../protocol/messages/payout.ts";

/** First line of every list of payouts. */
export const PAYOUT_CSV_HEAD = "batch,account,address,asset,amount";

const MICROS_PER_UNIT = 1_000_000n;

/** In whole units of the asset with all six decimals, as in "12.500000". */
export function unitsText(micros: bigint): string {
  return `${micros / MICROS_PER_UNIT}.${(micros % MICROS_PER_UNIT).toString().padStart(6, "0")}`;
}

/**
 * A list for whoever carries payments out, as RFC 4180 has it. Nothing in it needs quotes: addresses and assets have no comma,
 * quote or line end, and begin with a letter or digit, so that no spreadsheet takes one for a formula.
 */
export function payoutCsv(batch: Cid, asset: string, lines: readonly PayoutLine[]): string {
  const rows = lines.map(({ account, address, amount }) =>
    [batch, account, address, asset, unitsText(amount)].join(","),
  );
  return [PAYOUT_CSV_HEAD, ...rows, ""].join("\r\n");
}

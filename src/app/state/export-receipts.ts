import { MAX_HISTORY_PAGE, type ReceiptFilter } from "../../protocol/earnings-json.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { ReceiptView } from "../../protocol/relay-api.ts";
import { creditText } from "../words/credits.ts";
import { payStateOf } from "../words/pay-states.ts";
import type { AskHistory } from "./receipt-rows.ts";

export type ExportKind = "csv" | "json";

const COLUMNS = [
  "entry",
  "time",
  "state",
  "credits",
  "micro_credits",
  "held_micro_credits",
  "forfeited_micro_credits",
  "tasks",
  "tasks_paid",
  "fuel",
  "function",
  "requester",
  "job",
  "lease",
] as const;

function valuesOf(view: ReceiptView): Readonly<Record<(typeof COLUMNS)[number], string | number>> {
  return {
    entry: view.entryIndex,
    time: new Date(view.time).toISOString(),
    state: payStateOf(view),
    credits: creditText(view.amount).replaceAll(",", ""),
    micro_credits: view.amount.toString(),
    held_micro_credits: (view.held ?? 0n).toString(),
    forfeited_micro_credits: (view.forfeited ?? 0n).toString(),
    tasks: view.count,
    tasks_paid: view.payable,
    fuel: view.fuel.toString(),
    function: view.workCid,
    requester: view.requester,
    job: view.job,
    lease: view.lease,
  };
}

/** RFC 4180 with a line of names. Every value is a number, a time or an id, so none needs quotes, and none is a formula. */
export function csvLines(receipts: readonly ReceiptView[]): string {
  return receipts.map((view) => `${Object.values(valuesOf(view)).join(",")}\r\n`).join("");
}

const CSV_HEAD = `${COLUMNS.join(",")}\r\n`;

function jsonLines(receipts: readonly ReceiptView[], isFirst: boolean): string {
  return receipts
    .map((view, at) => `${isFirst && at === 0 ? "" : ","}\n  ${JSON.stringify(valuesOf(view))}`)
    .join("");
}

export interface ExportOptions {
  readonly kind: ExportKind;
  readonly filter: ReceiptFilter;
  readonly signal: AbortSignal;
  /** Receipts so far. */
  readonly onProgress: (count: number) => void;
}

/**
 * All receipts that a filter lets through, newest first, as pieces of a file. A receipt whose lease got a newer one while
 * this ran is in it once, or not at all where it moved above the place where the reading began.
 */
export async function exportReceipts(
  ask: AskHistory,
  peer: PeerId,
  { kind, filter, signal, onProgress }: ExportOptions,
): Promise<readonly string[]> {
  const pieces: string[] = [kind === "csv" ? CSV_HEAD : "["];
  let before: number | undefined;
  let count = 0;
  do {
    const query = { ...filter, limit: MAX_HISTORY_PAGE, ...(before === undefined ? {} : { before }) };
    // oxlint-disable-next-line no-await-in-loop -- one page after the other
    const { receipts, next } = await ask(peer, query, signal);
    pieces.push(kind === "csv" ? csvLines(receipts) : jsonLines(receipts, count === 0));
    count += receipts.length;
    before = next;
    onProgress(count);
  } while (before !== undefined);
  if (kind === "json") pieces.push("\n]\n");
  return pieces;
}

import { openEnvelope } from "../../protocol/envelope.ts";
import { disputeMessage, verdictMessage } from "../../protocol/messages/audit.ts";
import { decodeEntry, entryBodies, type EntryType } from "../../protocol/messages/entry.ts";
import type { PayoutBody } from "../../protocol/messages/payout-entries.ts";
import { receiptMessage, reportMessage } from "../../protocol/messages/receipt.ts";
import { decode } from "../../protocol/schema.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { Happening } from "./happening.ts";

/** Types of entries that tell somebody something. */
export const TELLING_ENTRIES: ReadonlySet<EntryType> = new Set<EntryType>([
  "verdict",
  "bar",
  "payout",
  "payout-cancel",
]);

/** Bytes of an entry of the same log. */
export type ReadEntry = (index: number) => Uint8Array | undefined;

const MICRO_PER_CREDIT = 1_000_000n;

export function creditsText(amount: bigint): string {
  const rest = (amount % MICRO_PER_CREDIT).toString().padStart(6, "0");
  return `${amount / MICRO_PER_CREDIT}.${rest}`;
}

/** Whose receipt the entry at an index is. */
function providerOf(entry: Uint8Array): PeerId | undefined {
  const { type, body } = decodeEntry(entry);
  if (body === undefined || (type !== "receipt" && type !== "dispute")) return undefined;
  const { envelope } = decode(entryBodies[type], body);
  const { receipt } =
    type === "receipt"
      ? openEnvelope(reportMessage, envelope).body
      : openEnvelope(disputeMessage, envelope).body;
  return openEnvelope(receiptMessage, receipt).body.provider;
}

/** What an entry tells, and whom. Nothing for most. */
export function happeningOf(index: number, entry: Uint8Array, read: ReadEntry): Happening | undefined {
  const { type, body } = decodeEntry(entry);
  if (body === undefined) return undefined;
  if (type === "verdict") return ofVerdict(index, decode(entryBodies.verdict, body).envelope, read);
  if (type === "bar") return ofBar(index, decode(entryBodies.bar, body));
  if (type === "payout") return ofPayout(index, decode(entryBodies.payout, body));
  if (type !== "payout-cancel") return undefined;
  const { account, amount } = decode(entryBodies["payout-cancel"], body);
  const words = `A payout of ${creditsText(amount)} credits was not made. The money is available again.`;
  return { ...moved(index, account, words), facts: { entry: index, amount: `${amount}`, cancelled: 1 } };
}

function ofPayout(index: number, { account, amount, address, reference }: PayoutBody): Happening {
  const words = `${creditsText(amount)} credits were paid out to ${address}.`;
  const facts = { entry: index, amount: `${amount}`, address, reference };
  return { ...moved(index, account, words), facts };
}

function moved(index: number, account: PeerId, words: string): Omit<Happening, "facts"> {
  return { event: "payout", account, name: `payout.${index}`, words };
}

/** One for each lease: a lease of a thousand drawn outcomes is one misfortune. */
function ofVerdict(index: number, envelope: Uint8Array, read: ReadEntry): Happening | undefined {
  const { result, lease, entryIndex } = openEnvelope(verdictMessage, envelope).body;
  if (result !== "mismatch" && result !== "missing") return undefined;
  const receipt = read(entryIndex);
  const account = receipt && providerOf(receipt);
  if (account === undefined) return undefined;
  const words =
    result === "mismatch"
      ? "A result of this key was recomputed and is wrong. Its bond and the pay kept back are lost, and it gets no more work here."
      : "A result of this key was drawn for a check and not shown in time. Its bond and the pay kept back are lost. Keep the tab open until checks are over.";
  const facts = { entry: index, lease, result };
  return { event: "audit-failed", account, name: `audit-failed.${lease}`, words, facts };
}

function ofBar(
  index: number,
  { identity, reason }: { readonly identity: PeerId; readonly reason: string },
): Happening {
  const words = `This key gets no more work here: ${reason}`;
  const facts = { entry: index, reason };
  return { event: "audit-failed", account: identity, name: `barred.${index}`, words, facts };
}

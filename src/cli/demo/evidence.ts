import { webcrypto } from "node:crypto";
import { verifierOf } from "../../protocol/ed25519.ts";
import { openEnvelope, verified } from "../../protocol/envelope.ts";
import { type Receipt, receiptMessage } from "../../protocol/messages/receipt.ts";
import { advanceMessage } from "../../protocol/messages/task.ts";
import type { JobSummary, LeaseSummary } from "../../sdk/index.ts";
import { PlainError } from "../plain-error.ts";
import { creditsText, creditUnit, fuelText } from "../quantities.ts";

/** What the demonstration shows, and insists on. */

/** Leases under which something was done. */
export function usedLeases({ leases }: JobSummary): readonly LeaseSummary[] {
  return leases.filter(({ tasks }) => tasks > 0);
}

/** The receipt, after both signatures were verified again here. @throws FailureError, PlainError when it does not hold. */
export async function provenReceipt({ receipt, advance, lease }: LeaseSummary): Promise<Receipt> {
  if (receipt === undefined || advance === undefined)
    throw new PlainError({ what: `Lease ${lease} ended without a receipt that both sides signed.` });
  const verify = verifierOf(webcrypto.subtle);
  const signed = await verified(openEnvelope(receiptMessage, receipt), verify);
  const countersigned = await verified(openEnvelope(advanceMessage, advance), verify);
  if (countersigned.body.receiptCid !== signed.id)
    throw new PlainError({ what: `The requester countersigned another receipt of lease ${lease}.` });
  return signed.body;
}

function candidate(
  found: { readonly type: string; readonly address?: string; readonly port?: number } | undefined,
): string {
  if (found === undefined) return "?";
  const where =
    found.address === undefined ? "" : ` ${found.address}${found.port === undefined ? "" : `:${found.port}`}`;
  return `${found.type}${where}`;
}

/** What carried the tasks of a lease. @throws PlainError unless it was a direct WebRTC connection with a chosen path. */
export function requireWebrtc({ lease, transport }: LeaseSummary): string {
  if (transport?.kind !== "webrtc" || transport.limited)
    throw new PlainError({
      what: "The tasks did not travel over a direct WebRTC connection.",
      why: `Lease ${lease} was carried by ${transport?.kind ?? "nothing known"}.`,
      advice: "Allow UDP between the browser and this process.",
    });
  const { localCandidate, remoteCandidate, protocol = "udp" } = transport;
  if (localCandidate === undefined || remoteCandidate === undefined)
    throw new PlainError({
      what: `The connection of lease ${lease} does not name its selected candidate pair.`,
    });
  return `webrtc over ${protocol}, ${candidate(localCandidate)} to ${candidate(remoteCandidate)}`;
}

/** A receipt as a person reads it. */
export function receiptText(receipt: Receipt, testMoney: boolean): readonly string[] {
  const { job, lease, provider, requester, count, payable, fuel, bytes, amount, final, root } = receipt;
  const rows = [
    ["job", job],
    ["lease", lease],
    ["provider", provider],
    ["requester", requester],
    ["tasks", `${count}${payable < count ? `, ${payable} paid` : ""}`],
    ["work", `${fuelText(fuel)}, ${(Number(bytes) / 1024).toFixed(0)} KiB of input and output`],
    ["outcomes", `Merkle root ${Buffer.from(root).toString("hex")}`],
    ["amount", `${creditsText(amount)} ${creditUnit(testMoney)}${final ? ", final" : ""}`],
  ] as const;
  return rows.map(([label, value]) => `${label.padEnd(10)} ${value}`);
}

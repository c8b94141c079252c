import { openEnvelope, seal } from "../protocol/envelope.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import type { Ground } from "../protocol/greeting.ts";
import { header } from "../protocol/header.ts";
import { receiptMessage, reportMessage, type ReportAnswer } from "../protocol/messages/receipt.ts";
import type { Signer } from "../protocol/signature.ts";
import type { RelayClient } from "./relay-client.ts";

/** A countersigned receipt on its way to the relay. */
export interface Reportable {
  /** Envelopes. */
  readonly receipt: Uint8Array;
  readonly advance: Uint8Array;
  readonly lost: readonly number[];
  /** Outcomes that the relay has logged of this lease, as far as this side knows; 0 for none. */
  readonly logged: number;
  /** Proof that the receipt's outcomes begin with the first `count` of them; nothing where this side cannot tell. */
  readonly prove: (count: number) => readonly Uint8Array[] | undefined;
}

/** The other side may log a newer receipt while this one asks; more than that is no coincidence. */
const TRIES = 4;

/** Outcomes that the relay has logged of the receipt's lease. */
async function loggedCount(client: Pick<RelayClient, "job">, receipt: Uint8Array): Promise<number> {
  const { job, lease } = openEnvelope(receiptMessage, receipt).body;
  const { leases } = await client.job(job);
  return leases.find((each) => each.lease === lease)?.count ?? 0;
}

/**
 * Reports a receipt over HTTP. Both sides of a lease report, so what the relay has logged before may be a receipt that the
 * other side brought: then it is asked where the proof has to begin.
 * @returns the relay's answer, or nothing when it knows a newer receipt.
 * @throws FailureError as the relay's, or the network's; `inconsistent-receipt` also when nothing proves what is asked.
 */
export async function sendReport(
  client: Pick<RelayClient, "report" | "job">,
  ground: Ground,
  signer: Signer,
  item: Reportable,
): Promise<ReportAnswer | undefined> {
  const { receipt, advance, lost } = item;
  let base = item.logged;
  for (let left = TRIES - 1; ; left -= 1) {
    const consistency = base === 0 ? [] : item.prove(base);
    if (consistency === undefined)
      throw new FailureError("inconsistent-receipt", `nothing is kept about the first ${base} outcomes`);
    const head = header(ground.origin, ground.asset);
    const report = {
      ...head,
      receipt,
      advance,
      prevCount: base,
      consistency,
      // Of what is logged nothing can be declared lost any more.
      lost: lost.filter((leaf) => leaf >= base),
    };
    try {
      // oxlint-disable-next-line no-await-in-loop -- one after the other until one fits
      return await client.report(await seal(reportMessage, report, [signer]));
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      if (error.code === failureCode("stale-receipt")) return undefined;
      if (error.code !== failureCode("inconsistent-receipt") || left === 0) throw error;
      // oxlint-disable-next-line no-await-in-loop
      const logged = await loggedCount(client, receipt);
      if (logged === base) throw error;
      base = logged;
    }
  }
}

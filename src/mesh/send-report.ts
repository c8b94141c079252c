import { seal } from "../protocol/envelope.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import type { Ground } from "../protocol/greeting.ts";
import { header } from "../protocol/header.ts";
import { reportMessage, type ReportAnswer } from "../protocol/messages/receipt.ts";
import type { Signer } from "../protocol/signature.ts";
import type { RelayClient } from "./relay-client.ts";

/** A countersigned receipt on its way to the relay. */
export interface Reportable {
  /** Envelopes. */
  readonly receipt: Uint8Array;
  readonly advance: Uint8Array;
  /** Earlier counts the relay may have logged, each with the proof that the receipt extends it. */
  readonly bases: readonly { readonly count: number; readonly proof: readonly Uint8Array[] }[];
  readonly lost: readonly number[];
}

/**
 * Reports a receipt over HTTP. Both sides of a lease report, so which receipt the relay knows already is tried out:
 * none first, then the newest earlier counts.
 * @returns the relay's answer, or nothing when it knows a newer receipt.
 * @throws FailureError as the relay's, or the network's.
 */
export async function sendReport(
  client: Pick<RelayClient, "report">,
  ground: Ground,
  signer: Signer,
  item: Reportable,
): Promise<ReportAnswer | undefined> {
  const tries = [{ count: 0, proof: [] }, ...item.bases];
  let refused: unknown;
  for (const { count, proof } of tries) {
    const report = {
      ...header(ground.origin, ground.asset),
      receipt: item.receipt,
      advance: item.advance,
      prevCount: count,
      consistency: proof,
      lost: item.lost,
    };
    try {
      // oxlint-disable-next-line no-await-in-loop -- one after the other until one fits
      return await client.report(await seal(reportMessage, report, [signer]));
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      if (error.code === failureCode("stale-receipt")) return undefined;
      // Another earlier count than the one shown is logged.
      if (error.code !== failureCode("inconsistent-receipt")) throw error;
      refused = error;
    }
  }
  throw refused;
}

import { createRelayViews, type RelayViews } from "../../provider/relay-views.ts";
import type { Relay } from "../../relay/start-relay.ts";
import type { JobSummary } from "../../sdk/index.ts";
import { PlainError } from "../plain-error.ts";
import { creditsText, creditUnit } from "../quantities.ts";
import { provenReceipt, receiptText, requireWebrtc, usedLeases } from "./evidence.ts";
import type { Narrator } from "./narrator.ts";
import type { ProviderTab } from "./provider-tab.ts";

/** The last receipt settles within a second. */
const EARNINGS_TIMEOUT_MS = 10_000;
const EARNINGS_POLL_MS = 200;

/** What a demonstration runs on. */
export interface Ground {
  readonly relay: Relay;
  readonly tab: ProviderTab;
  readonly testMoney: boolean;
}

/** Shows receipts, proofs and earnings, each checked. @returns micro-credits that the tab has earned. */
export async function showEvidence(summary: JobSummary, ground: Ground, narrator: Narrator): Promise<bigint> {
  const { relay, tab, testMoney } = ground;
  const unit = creditUnit(testMoney);
  const leases = usedLeases(summary);
  let owed = 0n;
  for (const lease of leases) {
    const how = requireWebrtc(lease);
    // oxlint-disable-next-line no-await-in-loop -- shown one after the other
    const receipt = await provenReceipt(lease);
    if (!lease.receiptVerified || !lease.inclusionVerified || lease.entryIndex === undefined)
      throw new PlainError({
        what: "The relay did not prove that it logged the receipt.",
        why: lease.failure?.detail ?? `lease ${lease.lease}`,
      });
    owed += receipt.amount;
    narrator.heading("Receipt");
    narrator.lines([...receiptText(receipt, testMoney), `carried by ${how}`]);
    narrator.lines([
      "✓ both signatures hold, and the receipt follows from the outcomes",
      `✓ entry ${lease.entryIndex} of the log ${relay.origin}: inclusion proof verified against the signed checkpoint`,
    ]);
  }
  const provider = leases[0]?.provider;
  if (provider === undefined) throw new PlainError({ what: "The job ended without a lease that was used." });
  const earned = await earnedAt(createRelayViews(relay.url), provider, owed);
  narrator.heading("Earnings of the tab");
  narrator.lines([`relay  ${creditsText(earned)} ${unit} (account of ${provider})`]);
  narrator.lines([`page   ${await tab.shownEarnings(earned, testMoney)} (its Earnings page)`]);
  const entryIndex = leases.at(-1)?.entryIndex ?? 0;
  narrator.lines([`page   entry ${entryIndex}: ${await tab.verifyReceipt(entryIndex)}`]);
  return earned;
}

/** What the relay's account of the tab says, once it is all there. */
async function earnedAt(
  views: RelayViews,
  provider: Parameters<RelayViews["account"]>[0],
  owed: bigint,
): Promise<bigint> {
  const untilMs = performance.now() + EARNINGS_TIMEOUT_MS;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- asked again until it is so
    const { earned, pending } = await views.account(provider);
    if (earned + pending === owed) return owed;
    if (performance.now() > untilMs)
      throw new PlainError({
        what: "The relay's account of the tab does not match its receipts.",
        why: `It shows ${earned} settled and ${pending} pending micro-credits; the receipts say ${owed}.`,
      });
    // oxlint-disable-next-line no-await-in-loop
    await new Promise((resolve) => setTimeout(resolve, EARNINGS_POLL_MS));
  }
}

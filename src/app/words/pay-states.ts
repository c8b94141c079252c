import type { PayState } from "../../protocol/earnings-json.ts";
import type { ReceiptView } from "../../protocol/relay-api.ts";

/** How the pay of a receipt stands; what was taken back counts before all else. */
export function payStateOf({
  settled,
  held = 0n,
  forfeited = 0n,
}: Pick<ReceiptView, "settled"> & {
  readonly held?: bigint;
  readonly forfeited?: bigint;
}): PayState {
  if (forfeited > 0n) return "lost";
  if (!settled) return "pending";
  return held > 0n ? "held" : "free";
}

export interface PayStateWords {
  readonly name: string;
  /** One sentence: what it means for the person. */
  readonly means: string;
}

export const PAY_STATE_WORDS: Readonly<Record<PayState, PayStateWords>> = {
  pending: {
    name: "Pending",
    means: "Logged, but the lease is still open: the last receipt of it decides.",
  },
  held: {
    name: "In escrow",
    means: "Settled. Yours once the audits are over, a day from then at the earliest.",
  },
  free: { name: "Settled", means: "Yours: free, or part of your bond." },
  lost: { name: "Slashed", means: "An audit found a result false or not shown, so the pay was taken back." },
};

import type { AccountView } from "../../protocol/relay-api.ts";
import type { MicroCredits } from "../../protocol/units.ts";

/** One of the states money is in, on its way from a receipt to a wallet. */
export interface BalanceState {
  readonly kind: "pending" | "escrow" | "bond" | "available" | "slashed" | "paid" | "spending" | "leaving";
  readonly name: string;
  /** What it means for the person, in one sentence. */
  readonly means: string;
  readonly pick: (view: AccountView) => MicroCredits;
  /** Shown only where there is any. */
  readonly isRare: boolean;
}

/** In the order in which money passes through them. */
export const BALANCE_STATES: readonly BalanceState[] = [
  {
    kind: "pending",
    name: "Pending",
    means: "Earned under leases that are still open. It settles when they end, within minutes.",
    pick: ({ pending }) => pending,
    isRare: false,
  },
  {
    kind: "escrow",
    name: "In escrow",
    means: "Settled, and kept until the audits of that work are over: a day at least.",
    pick: ({ held }) => held,
    isRare: false,
  },
  {
    kind: "bond",
    name: "Bond",
    means: "Your first earnings. They vouch for you while you work, and come back when you stop for good.",
    pick: ({ bond }) => bond,
    isRare: false,
  },
  {
    kind: "available",
    name: "Available",
    means: "Yours: to spend on work of your own, or to be paid out.",
    pick: ({ available }) => available,
    isRare: false,
  },
  {
    kind: "spending",
    name: "Set aside for your jobs",
    means: "What your own open jobs may cost. What they do not use comes back.",
    pick: ({ escrowed }) => escrowed,
    isRare: true,
  },
  {
    kind: "leaving",
    name: "Being paid out",
    means: "In a payout that was prepared and is not confirmed yet.",
    pick: ({ payingOut }) => payingOut,
    isRare: true,
  },
  {
    kind: "paid",
    name: "Paid out",
    means: "Has left the relay for your own address, all told.",
    pick: ({ paid }) => paid,
    isRare: false,
  },
  {
    kind: "slashed",
    name: "Slashed",
    means: "Taken back because an audit failed: pay goes back to who paid, bond is destroyed.",
    pick: ({ slashed }) => slashed,
    isRare: false,
  },
];

import type { AlertEvent, AlertView } from "../../sdk/index.ts";
import { creditText, creditUnit } from "./credits.ts";
import { logTimeText } from "./log-time.ts";
import { countText } from "./quantities.ts";

/** What each event is, for who decides about it. */
export const EVENT_WORDS: Readonly<
  Record<AlertEvent, { readonly name: string; readonly means: string; readonly short: string }>
> = {
  "provider-stopped": {
    name: "Your provider stopped",
    means: "No tab and no machine of yours has worked for a minute.",
    short: "provider stopped",
  },
  "audit-failed": {
    name: "An audit failed",
    means: "A result was found wrong, or was not shown in time.",
    short: "audit failed",
  },
  payout: {
    name: "Payout",
    means: "Money was paid out to you, or a payout was called off.",
    short: "payout",
  },
  "low-balance": {
    name: "Low balance",
    means: "Less is available than the amount you name. For those who pay for jobs.",
    short: "low balance",
  },
};

/** In the order in which they are asked about. */
export const ASKED_EVENTS: readonly AlertEvent[] = [
  "provider-stopped",
  "audit-failed",
  "payout",
  "low-balance",
];

/** "provider stopped, payout, balance below 0.500000 credits" */
export function aboutText(
  { events, below }: Pick<AlertView, "events" | "below">,
  testMoney: boolean,
): string {
  return events
    .map((event) =>
      event === "low-balance" && below !== undefined
        ? `balance below ${creditText(below)} ${creditUnit(testMoney)}`
        : EVENT_WORDS[event].short,
    )
    .join(", ");
}

/** How the calls of an alert went so far. */
export function callsText(alert: AlertView, nowMs: number): string {
  const { delivered, waiting, lastDelivery, lastFailure } = alert;
  const parts = [
    delivered === 0
      ? "Nothing to tell so far."
      : `Told ${countText(delivered)} times, last ${logTimeText(lastDelivery ?? 0, nowMs)}.`,
    ...(waiting === 0 ? [] : [`${countText(waiting)} waiting.`]),
    ...(lastFailure === undefined
      ? []
      : [`The last call failed at ${logTimeText(lastFailure.time, nowMs)}: ${lastFailure.words}.`]),
  ];
  return parts.join(" ").replace("Told 1 times", "Told once");
}

/** Micro-credits of what a person writes, as in "0.5"; nothing for what is no amount. */
export function parseAmount(text: string): bigint | undefined {
  const [, whole, rest = ""] = /^(?<whole>\d{1,9})(?:[.,](?<rest>\d{1,6}))?$/u.exec(text.trim()) ?? [];
  return whole === undefined ? undefined : BigInt(whole) * 1_000_000n + BigInt(rest.padEnd(6, "0"));
}

/** Why an address cannot be called; empty where it can, as far as can be told here. */
export function addressProblem(text: string): string {
  const url = URL.parse(text.trim());
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:"))
    return "Write a whole web address, such as https://example.org/hook.";
  return "";
}

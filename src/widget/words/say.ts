import { PPM } from "../../protocol/audit-policy.ts";
import type { MicroCredits } from "../../protocol/units.ts";
import { fill } from "./fill.ts";
import type { Tongue } from "./load-words.ts";

const MICROS = 1_000_000;
const SECOND_MS = 1_000;
const MINUTE_MS: number = 60 * SECOND_MS;
const HOUR_MS: number = 60 * MINUTE_MS;

/** An amount with its unit; as many digits as it needs, for little is little. */
export function amountText({ language, words }: Tongue, amount: MicroCredits, testMoney: boolean): string {
  const credits = Number(amount) / MICROS;
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: credits >= 1 ? 2 : 6 });
  return fill(testMoney ? words.testCredits : words.credits, { amount: number.format(credits) });
}

/** @param ppm millionths */
export function shareText({ language }: Tongue, ppm: number): string {
  const number = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 2 });
  return number.format(ppm / PPM);
}

/** Who gets what. @param share what the visitor keeps, in millionths */
export function splitText(tongue: Tongue, site: string, share: number): string {
  const { words } = tongue;
  if (share === 0) return fill(words.splitAllSite, { site });
  if (share === PPM) return words.splitAllVisitor;
  const [owner, visitor] = [shareText(tongue, PPM - share), shareText(tongue, share)];
  return fill(words.splitBoth, { site, owner, visitor });
}

/** How long something has lasted, in its largest unit. */
export function durationText({ language }: Tongue, durationMs: number): string {
  const [unit, unitMs] =
    durationMs < MINUTE_MS
      ? ["second", SECOND_MS]
      : durationMs < HOUR_MS
        ? ["minute", MINUTE_MS]
        : ["hour", HOUR_MS];
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "short" }).format(
    Math.floor(durationMs / unitMs),
  );
}

/** A time of today or tomorrow. @param at milliseconds since 1970 */
export function timeText({ language }: Tongue, at: number): string {
  return new Intl.DateTimeFormat(language, { weekday: "long", hour: "numeric", minute: "2-digit" }).format(
    at,
  );
}

/** The host of an origin: "https://news.example" is shown as "news.example". */
export function siteText(page: string): string {
  return URL.parse(page)?.host ?? page;
}

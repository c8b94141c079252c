import type { MicroCredits } from "../../protocol/units.ts";

const MICROS_PER_CREDIT = 1_000_000n;
const GROUP = /\B(?=(?:\d{3})+$)/gu;

/** An amount taken apart for print: "1,234" "50" "0000". The last four digits exist, but seldom matter. */
export interface CreditParts {
  readonly whole: string;
  readonly cents: string;
  readonly rest: string;
}

export function creditParts(amount: MicroCredits): CreditParts {
  const whole = (amount / MICROS_PER_CREDIT).toString().replace(GROUP, ",");
  const micros = (amount % MICROS_PER_CREDIT).toString().padStart(6, "0");
  return { whole, cents: micros.slice(0, 2), rest: micros.slice(2) };
}

/** Exact, as in "1,234.500000". */
export function creditText(amount: MicroCredits): string {
  const { whole, cents, rest } = creditParts(amount);
  return `${whole}.${cents}${rest}`;
}

/** What the unit is called. Money without worth outside its relay never goes by the plain name. */
export function creditUnit(testMoney: boolean): string {
  return testMoney ? "test credits" : "credits";
}

/** Micro-credits as credits for an axis, where a rounded number does. */
export function creditNumber(amount: MicroCredits): number {
  return Number(amount) / Number(MICROS_PER_CREDIT);
}

/** A short label for an axis: "0", "0.0004", "12", "1.5k". */
export function creditTick(credits: number): string {
  if (credits === 0) return "0";
  if (credits >= 1_000) return `${trim((credits / 1_000).toPrecision(3))}k`;
  return trim(credits < 0.001 ? credits.toFixed(6) : credits.toPrecision(3));
}

function trim(digits: string): string {
  return digits.includes(".") ? digits.replace(/\.?0+$/u, "") : digits;
}

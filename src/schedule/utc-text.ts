import { MAX_DATE_MS } from "./limits.ts";

const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;

function digits(value: number, width: number): string {
  return String(value).padStart(width, "0");
}

/** Year, month (1 to 12) and day of a day since 1970, in the Gregorian calendar: days of eras of 400 years that begin in March. */
function dateOf(day: number): readonly [year: number, month: number, day: number] {
  const z = day + 719_468;
  const era = Math.floor(z / 146_097);
  const dayOfEra = z - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const march = Math.floor((5 * dayOfYear + 2) / 153);
  const month = march < 10 ? march + 3 : march - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return [year, month, dayOfYear - Math.floor((153 * march + 2) / 5) + 1];
}

/**
 * A time as ISO 8601 in UTC, as in "2026-03-29T01:00:00.000Z", without the machine's own calendar.
 * @param ms milliseconds since 1970 @throws RangeError outside the years 1970 to 9999
 */
export function utcText(ms: number): string {
  if (!Number.isSafeInteger(ms) || ms < 0 || ms > MAX_DATE_MS) throw new RangeError(`${ms} is no time`);
  const [year, month, day] = dateOf(Math.floor(ms / DAY_MS));
  const seconds = Math.floor((ms % DAY_MS) / SECOND_MS);
  const time = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60]
    .map((part) => digits(part, 2))
    .join(":");
  const date = [digits(year, 4), digits(month, 2), digits(day, 2)].join("-");
  return `${date}T${time}.${digits(ms % SECOND_MS, 3)}Z`;
}

import lighthouse from "lighthouse";

/** What Lighthouse found about one page. */
export interface PageAudit {
  /** Out of 100, by category. */
  readonly performance: number;
  readonly accessibility: number;
  readonly bestPractices: number;
  /** Largest contentful paint as it was on this machine, without the slowdown that the scores assume. Milliseconds. */
  readonly paintHereMs: number;
  /** The same on the middling phone with slow 4G that the score for performance assumes. Milliseconds. */
  readonly paintPhoneMs: number;
  /** One line for each audit that costs points in accessibility or best practices. */
  readonly faults: readonly string[];
}

const CATEGORIES = ["performance", "accessibility", "best-practices"] as const;

type Report = NonNullable<Awaited<ReturnType<typeof lighthouse>>>["lhr"];

function scoreOf({ categories }: Report, name: (typeof CATEGORIES)[number]): number {
  const score = categories[name]?.score;
  if (typeof score !== "number") throw new Error(`Lighthouse gave no score for ${name}`);
  return Math.round(score * 100);
}

function msOf({ audits }: Report, name: string): number {
  const { numericValue } = audits[name] ?? {};
  if (numericValue === undefined) throw new Error(`Lighthouse did not measure ${name}`);
  return numericValue;
}

/** What was observed stands in the details of the audit "metrics" alone. */
function observedPaintMs({ audits }: Report): number {
  const { details } = audits["metrics"] ?? {};
  const [item] = details?.type === "debugdata" && Array.isArray(details["items"]) ? details["items"] : [];
  const observed: unknown = item?.observedLargestContentfulPaint;
  if (typeof observed !== "number") throw new Error("Lighthouse saw no largest contentful paint");
  return observed;
}

function faultsOf({ audits, categories }: Report): readonly string[] {
  return (["accessibility", "best-practices"] as const).flatMap((category) =>
    (categories[category]?.auditRefs ?? [])
      .filter(({ weight, id }) => weight > 0 && (audits[id]?.score ?? 1) < 1)
      .map(({ id }) => `${category}: ${audits[id]?.title ?? id}`),
  );
}

/** Loads the page as somebody who was never there before. @param port where the browser is told what to do */
export async function auditPage(url: string, port: number): Promise<PageAudit> {
  const result = await lighthouse(url, { port, onlyCategories: [...CATEGORIES], logLevel: "error" });
  if (result === undefined) throw new Error(`Lighthouse said nothing about ${url}`);
  const { lhr } = result;
  if (lhr.runtimeError !== undefined) throw new Error(`${url}: ${lhr.runtimeError.message}`);
  return {
    performance: scoreOf(lhr, "performance"),
    accessibility: scoreOf(lhr, "accessibility"),
    bestPractices: scoreOf(lhr, "best-practices"),
    paintHereMs: observedPaintMs(lhr),
    paintPhoneMs: msOf(lhr, "largest-contentful-paint"),
    faults: faultsOf(lhr),
  };
}

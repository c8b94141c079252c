/** What an offer has room for; names of hosts have 253 letters at most. */
const MAX_SITE_LENGTH = 256;

/** What a page says of where it is. */
export interface PagePlace {
  /** Whether another page holds it. */
  readonly isFramed: boolean;
  /** Origins of the pages around it, the nearest first, where the browser tells. */
  readonly ancestorOrigins?: ArrayLike<string> | undefined;
  readonly referrer: string;
}

/**
 * Origin of the site that embeds the page: of the outermost page, else of the one that it was opened from.
 * @returns undefined where the person has opened it by itself, or nobody tells
 */
export function embeddingSite({ isFramed, ancestorOrigins, referrer }: PagePlace): string | undefined {
  if (!isFramed) return undefined;
  const outermost = ancestorOrigins?.[ancestorOrigins.length - 1];
  const origin = URL.parse(outermost ?? referrer)?.origin;
  return origin === undefined || origin === "null" || origin.length > MAX_SITE_LENGTH ? undefined : origin;
}

/** Where this page is. */
export function placeOfPage(): PagePlace {
  const { location, document } = globalThis;
  const ancestorOrigins: ArrayLike<string> | undefined = location.ancestorOrigins;
  return { isFramed: globalThis.top !== globalThis.self, ancestorOrigins, referrer: document.referrer };
}

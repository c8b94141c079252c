import { isSiteOrigin } from "../../protocol/site.ts";

const PPM_PER_PERCENT = 10_000;
const ALL_PERCENT = 100;

/** Millionths as percent, as in "12.5 %". */
export function percentText(ppm: number): string {
  return `${ppm / PPM_PER_PERCENT} %`;
}

export function percentOf(ppm: number): number {
  return ppm / PPM_PER_PERCENT;
}

export function ppmOf(percent: number): number {
  return Math.round(percent * PPM_PER_PERCENT);
}

/** Who gets what, for the owner. @param share what visitors keep, in millionths. */
export function divisionText(share: number): string {
  const visitors = percentOf(share);
  if (visitors === ALL_PERCENT) return "Visitors keep everything they earn.";
  if (visitors === 0) return "All that visitors earn is yours.";
  return `Visitors keep ${percentText(share)} of what they earn, ${percentText(ppmOf(ALL_PERCENT) - share)} is yours.`;
}

/** The origin of a site's address as a person types it, or what is wrong with it. */
export function readPage(text: string): { readonly page: string } | { readonly problem: string } {
  const typed = text.trim();
  if (typed === "") return { problem: "Enter the address of your site." };
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//iu.test(typed) ? typed : `https://${typed}`);
  if (url === null) return { problem: "This is no address of a site. One looks like https://news.example." };
  if (isSiteOrigin(url.origin)) return { page: url.origin };
  return {
    problem:
      url.protocol === "http:"
        ? "Visitors need an encrypted site: the address has to begin with https://. Only pages on this machine, such as http://localhost:8080, may do without."
        : "This is no address of a site. One looks like https://news.example.",
  };
}

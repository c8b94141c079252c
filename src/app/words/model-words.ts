import type { ModelManifest } from "../../protocol/model-manifest.ts";
import { countText, scaledText } from "./quantities.ts";

/** "142 MB", "1.20 kB", "12 B". */
export function bytesText(bytes: number): string {
  const text = scaledText(Math.round(bytes));
  return bytes < 1_000 ? `${text} B` : `${text}B`;
}

/** A licence as a file tells it. */
export function licenceText(licence: string): string {
  return licence === "unknown" ? "licence unknown" : licence;
}

/** What a model is for. */
export function modelUse({ entry, context, dimensions }: ModelManifest): string {
  return entry === "generate"
    ? `writes text, ${countText(context)} positions`
    : `turns text into ${countText(dimensions)} numbers`;
}

/** "2 other tabs and the relay", of sources as a download names them; nothing before the first chunk. */
export function sourcesText(sources: readonly { readonly name: string }[]): string | undefined {
  const peers = sources.filter(({ name }) => name.startsWith("peer ")).length;
  const others = sources.map(({ name }) => name).filter((name) => !name.startsWith("peer "));
  const all = [...(peers === 0 ? [] : [peers === 1 ? "1 other tab" : `${peers} other tabs`]), ...others];
  return all.length === 0 ? undefined : all.join(" and ").replace(/ and (?=.* and )/gu, ", ");
}

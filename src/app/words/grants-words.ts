import type { EffectGrants } from "../../protocol/effect-grants.ts";

/** Origins as a person has written them, one a line; what is none is told apart. */
export interface ReadLines<T> {
  readonly read: T;
  /** The first line that cannot be used. */
  readonly odd?: string;
}

function linesOf(text: string): readonly string[] {
  return text
    .split(/\s*[\n,]\s*/u)
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

/** @returns an origin, also where a person has left the scheme out or named a page of it */
function originOf(line: string): string | undefined {
  const url = URL.parse(/^https?:\/\//u.test(line) ? line : `https://${line}`);
  return url === null || url.hostname === "" || /[\s*]/u.test(line) ? undefined : url.origin;
}

export function readOrigins(text: string): ReadLines<readonly string[]> {
  const lines = linesOf(text);
  const odd = lines.find((line) => originOf(line) === undefined);
  const read = [...new Set(lines.flatMap((line) => originOf(line) ?? []))];
  return odd === undefined ? { read } : { read, odd };
}

/** Chains with their nodes, as in "eip155:1 https://node.example". */
export function readChains(text: string): ReadLines<EffectGrants["chains"]> {
  const lines = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const pairs = lines.map(
    (line) => /^(?<chain>eip155:[1-9]\d*)\s+(?<node>https?:\/\/\S+)$/u.exec(line)?.groups,
  );
  const odd = lines.find((_, index) => pairs[index] === undefined);
  const read = Object.fromEntries(
    pairs.flatMap((pair) => (pair === undefined ? [] : [[pair["chain"], pair["node"]]])),
  );
  return odd === undefined ? { read } : { read, odd };
}

export function chainLines(chains: EffectGrants["chains"]): string {
  return Object.entries(chains)
    .map(([chain, node]) => `${chain} ${node}`)
    .join("\n");
}

/** One sentence: what others may have this tab do. */
export function grantsSummary({ timeAndRandom, fetch: fetched, chains }: EffectGrants): string {
  const parts: string[] = [];
  if (fetched === "public") parts.push("fetch from any public web server");
  else if (fetched !== "none" && fetched.length > 0)
    parts.push(`fetch from ${fetched.length === 1 ? fetched[0] : `${fetched.length} web servers`}`);
  const count = Object.keys(chains).length;
  if (count > 0) parts.push(`read ${count === 1 ? "one chain" : `${count} chains`}`);
  if (timeAndRandom) parts.push("tell the time");
  return parts.length === 0
    ? "This tab computes, and does nothing else for others."
    : `Besides computing, this tab may ${parts.join(", and ")}.`;
}

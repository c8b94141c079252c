import { webcrypto } from "node:crypto";
import { verifierOf } from "../../protocol/ed25519.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { type Evidence, judgeEvidence, type Judgement } from "../../sdk/index.ts";
import { printable } from "../chat/printable.ts";
import type { HomeFolder } from "../home/folder.ts";
import { knownKey } from "./log-key.ts";
import type { Verdict } from "./verdict.ts";

/** Whether the accused relay is one that is known here. */
async function acquaintance(
  { kind, key, origin }: Judgement,
  home: HomeFolder,
  given: PeerId | undefined,
): Promise<string | undefined> {
  if (kind !== "checkpoints" || key === undefined) return undefined;
  const known = await knownKey(home, origin, given);
  if (known === undefined)
    return `Nothing says here that this is the key of ${origin}: compare it with what others see.`;
  const whose =
    known.from === "given" ? "the key given" : `the key that ${origin} showed here at first contact`;
  return known.key === key ? `It is ${whose}.` : `It is NOT ${whose}: that is ${known.key}.`;
}

function verdictLine({ verdict, accused, key, detail }: Judgement): string {
  switch (verdict) {
    case "convicts":
      return `CONVICTED: the ${accused} with the key ${key ?? "?"} contradicts itself: ${detail}.`;
    case "open":
      return `Open: ${detail}. Whoever has the whole of it can tell; this file alone does not.`;
    case "nothing":
      return `Proves nothing: ${detail}.`;
    default:
      return verdict satisfies never;
  }
}

export async function verifyEvidence(
  evidence: Evidence,
  home: HomeFolder,
  given: PeerId | undefined,
): Promise<Verdict> {
  const judged = await judgeEvidence(evidence, verifierOf(webcrypto.subtle));
  const { kind, origin, key, identity } = judged;
  const known = await acquaintance(judged, home, given);
  const lines = [
    `Two ${kind}, about the relay ${origin}`,
    ...(key === undefined ? [] : [`  signed by   ${key}`]),
    ...(identity === undefined || identity === key ? [] : [`  as          ${identity}`]),
    ...(known === undefined ? [] : [known]),
    verdictLine(judged),
  ];
  return {
    ok: judged.verdict === "convicts",
    lines: lines.map(printable),
    json: { ...judged, kind: "evidence", statements: kind },
  };
}

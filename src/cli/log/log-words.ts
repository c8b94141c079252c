import { noteVerifierKey } from "../../protocol/checkpoint.ts";
import { keyFromPeerId } from "../../protocol/peer-id.ts";
import type { CheckedLog, SourceProgress } from "../../relay/fsck/check-source.ts";
import type { KnownKey } from "../verify/log-key.ts";
import { printableWords } from "../chat/printable.ts";
import { bar } from "../progress/progress-line.ts";
import { countText, creditsText } from "../quantities.ts";

const BAR_WIDTH = 24;

function entriesText(count: number): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? "entry" : "entries"}`;
}

/** Reading a log, in one line. */
export function readingText({ entries, size, signatures }: SourceProgress): string {
  const share = size === 0 ? 1 : entries / size;
  const verified = signatures === undefined ? "" : `, ${countText(signatures, "signature")}`;
  return `${bar(share, BAR_WIDTH)} ${entries.toLocaleString("en-US")} of ${entriesText(size)}${verified}`;
}

/** What was read and what of it is wrong, for a person. */
export function checkedText(checked: CheckedLog, known: KnownKey | undefined): string {
  const { place, origin = "?", size, root, jobs, leases, issued, signatures, problems, keys } = checked;
  const counted = [...checked.counts].map(([type, count]) => `${count} ${type}`).join(", ");
  const lines = [
    `${printableWords(origin)}, ${entriesText(size)}, at ${place}`,
    `  root        ${Buffer.from(root).toString("base64")}`,
    ...(keys === undefined
      ? []
      : [
          `  log key     ${printableWords(noteVerifierKey(origin, keyFromPeerId(keys.log)))}`,
          `              ${known === undefined ? "unknown here: compare it with what others see" : `${known.from} and held to`}`,
        ]),
    `  entries     ${counted === "" ? "none" : counted}`,
    `  accounts    ${creditsText(issued)} credits in all; ${countText(jobs, "job")}, ${countText(leases, "lease")}`,
    `  signatures  ${signatures === undefined ? "not verified (--signatures does)" : `${signatures} verified`}`,
  ];
  const verdict =
    problems.length === 0
      ? "Sound: the entries make the root, the money adds up."
      : `NOT SOUND: ${countText(problems.length, "problem")}.`;
  return `${[...lines, ...problems.map((problem) => `  ! ${printableWords(problem)}`), verdict].join("\n")}\n`;
}

export function checkedJson(
  checked: CheckedLog,
  known: KnownKey | undefined,
): Readonly<Record<string, unknown>> {
  const { place, origin, asset, keys, size, root, counts, jobs, leases, issued, signatures, problems } =
    checked;
  return {
    ok: problems.length === 0,
    place,
    origin,
    asset,
    keys,
    logKey: known?.from ?? "unknown",
    size,
    root: Buffer.from(root).toString("base64"),
    entries: Object.fromEntries(counts),
    jobs,
    leases,
    issuedMicroCredits: issued.toString(),
    signatures: signatures ?? null,
    problems,
  };
}

import type { Command } from "commander";
import { retire, standing, type StandingView } from "../../sdk/index.ts";
import { atRelay } from "../at-relay.ts";
import { addRelayFlags, type RelayFlags } from "../job-flags.ts";
import { EXIT, type Exit, PlainError } from "../plain-error.ts";
import { creditsFixed } from "../quantities.ts";
import { writeAll } from "../write-all.ts";

const PPM = 1_000_000;

function shareText(ppm: number | undefined): string {
  if (ppm === undefined) return "nothing is audited here";
  if (ppm >= PPM) return "every result";
  return `about 1 in ${Math.max(2, Math.round(PPM / Math.max(ppm, 1)))} results`;
}

function standingText(view: StandingView): string {
  const { peer, pending, held, bond, bondWanted, matched, missing, mismatched, barred, reasons } = view;
  const rows = [
    ["earned, not settled", creditsFixed(pending)],
    ["kept back for audits", creditsFixed(held)],
    ["bond", `${creditsFixed(bond)} of ${creditsFixed(bondWanted)}`],
    ["audits", `${matched} right, ${missing} not shown in time, ${mismatched} false`],
    ["recomputed next", shareText(view.nextAuditPpm)],
  ] as const;
  const lines = rows.map(([label, value]) => `  ${label.padEnd(22)} ${value}`);
  const why = reasons.map(
    ({ rule, value, means, advice }) => `  ${rule}: ${value}\n      ${means} ${advice}`,
  );
  return [
    peer,
    ...(barred === undefined ? [] : [`  BARRED: ${barred}`]),
    ...lines,
    ...(why.length === 0 ? [] : ["Why work may not come:", ...why]),
  ].join("\n");
}

/** Amounts are decimal text in JSON: they have 64 bits. */
function jsonOf(view: StandingView): unknown {
  return JSON.parse(
    JSON.stringify(view, (_key, value: unknown) => (typeof value === "bigint" ? value.toString() : value)),
  );
}

async function show(flags: RelayFlags): Promise<Exit> {
  const view = await atRelay(flags.relay, (owner) => standing(owner));
  await writeAll(
    process.stdout,
    `${flags.json === true ? JSON.stringify({ ok: true, standing: jsonOf(view) }) : standingText(view)}\n`,
  );
  return EXIT.ok;
}

async function stop(flags: RelayFlags & { readonly yes?: boolean }): Promise<Exit> {
  if (flags.yes !== true)
    throw new PlainError({
      what: "Retiring ends this identity's record: it gets no work until its bond is paid, and begins anew then.",
      advice: "Say so with --yes.",
    });
  const entryIndex = await atRelay(flags.relay, (owner) => retire(owner));
  const text = `Asked, in entry ${entryIndex} of the relay's log. What is kept back comes when all audits are over.`;
  await writeAll(
    process.stdout,
    `${flags.json === true ? JSON.stringify({ ok: true, entryIndex }) : text}\n`,
  );
  return EXIT.ok;
}

/** How this identity stands as a provider, and how it gets its bond back. @param account the command they belong to */
export function addStandingCommands(account: Command, end: (exit: Exit) => void): void {
  addRelayFlags(account.command("standing"))
    .description(
      "show what the relay keeps back of this identity's earnings, its audits, and why work may not come",
    )
    .addHelpText("after", "\nExample:\n  npx tabmesh account standing")
    .action(async (flags: RelayFlags) => end(await show(flags)));
  addRelayFlags(account.command("retire"))
    .description("stop providing, and ask for what is kept back and the bond")
    .option("--yes", "the record of this identity begins anew")
    .addHelpText("after", "\nExample:\n  npx tabmesh account retire --yes")
    .action(async (flags: RelayFlags & { readonly yes?: boolean }) => end(await stop(flags)));
}

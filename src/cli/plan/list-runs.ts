import type { RunListing } from "../../sdk/index.ts";
import { listRuns } from "../../sdk/index.ts";
import { atRelay } from "../at-relay.ts";
import { printable } from "../chat/printable.ts";
import type { RelayFlags } from "../job-flags.ts";
import { EXIT, type Exit } from "../plain-error.ts";
import { creditsText } from "../quantities.ts";
import { writeAll } from "../write-all.ts";
import { keptRuns } from "./kept-runs.ts";

export interface ListFlags extends RelayFlags {
  readonly limit: number;
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace("T", " ");
}

function line({ run, name, state, spent, budget, issuedAt }: RunListing): string {
  const money = `${creditsText(spent)} of ${creditsText(budget)}`;
  return `${day(issuedAt)}  ${state.padEnd(11)}  ${(name === "" ? "?" : name).padEnd(20)}  ${money.padStart(20)}  ${run}`;
}

/** Runs of this account at the relay, and those whose records are kept here alone. */
export async function listPlanRuns({ relay, json, limit }: ListFlags): Promise<Exit> {
  const runs = await atRelay(relay, (owner) => listRuns(owner, { limit }));
  const kept = await keptRuns();
  if (json === true) {
    const told = runs.map(({ spent, budget, ...rest }) => ({
      ...rest,
      spentMicroCredits: spent.toString(),
      budgetMicroCredits: budget.toString(),
      isKept: kept.some(({ run }) => run === rest.run),
    }));
    await writeAll(process.stdout, `${JSON.stringify({ ok: true, runs: told })}\n`);
    return EXIT.ok;
  }
  const text =
    runs.length === 0
      ? "This account has started no runs at this relay. `npx tabmesh plan run PLAN` starts one.\n"
      : `${runs.map(line).join("\n")}\n`;
  await writeAll(process.stdout, printable(text));
  return EXIT.ok;
}

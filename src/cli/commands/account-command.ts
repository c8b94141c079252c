import type { Command } from "commander";
import { failureCode } from "../../protocol/failure-code.ts";
import { FailureError } from "../../protocol/failure.ts";
import type { AccountView } from "../../protocol/relay-api.ts";
import { createRelayViews } from "../../provider/relay-views.ts";
import { homeFolder } from "../home/folder.ts";
import { loadIdentity } from "../home/identity.ts";
import { forgetRelay } from "../home/pins.ts";
import { addRelayFlags, type RelayFlags } from "../job-flags.ts";
import { addApiKeyCommands } from "./api-key-command.ts";
import { addPayoutsCommands } from "./payouts-command.ts";
import { addStandingCommands } from "./standing-command.ts";
import { EXIT, type Exit, PlainError } from "../plain-error.ts";
import { creditsText, creditUnit } from "../quantities.ts";
import { relayTrouble } from "../requester.ts";
import { writeAll } from "../write-all.ts";

export async function accountAt(
  relay: string,
): Promise<{ readonly view: AccountView | undefined; readonly testMoney: boolean }> {
  const identity = await loadIdentity(homeFolder(process.env));
  if (identity === undefined)
    throw new PlainError({
      what: "There is no identity here yet.",
      advice: "The first job makes one; `npx tabmesh identity import FILE` brings one from elsewhere.",
    });
  const views = createRelayViews(relay);
  try {
    const { testMoney } = await views.info();
    const view = await views.account(identity.peer).catch((error: unknown) => {
      if (error instanceof FailureError && error.code === failureCode("not-found")) return undefined;
      throw error;
    });
    return { view, testMoney };
  } catch (error) {
    throw relayTrouble(error, relay);
  }
}

export function accountText(view: AccountView, testMoney: boolean): string {
  const rows = [
    ["available", view.available],
    ["set aside for jobs", view.escrowed],
    ["earned, not settled", view.pending],
    ["kept back for audits", view.held],
    ["bond", view.bond],
    ["earned in all", view.earned],
  ] as const;
  const lines = rows.map(([label, amount]) => `  ${label.padEnd(20)} ${creditsText(amount).padStart(14)}`);
  return `${view.peer}, in ${creditUnit(testMoney)}\n${lines.join("\n")}\n`;
}

export const NO_ACCOUNT = "The relay knows no account of this identity yet: the first job opens it.\n";

/** Amounts are decimal strings of micro-credits. */
export function accountJson(
  view: AccountView | undefined,
  testMoney: boolean,
): Readonly<Record<string, unknown>> {
  const told = Object.entries(view ?? {}).map(([key, value]: [string, unknown]) => [
    key,
    typeof value === "bigint" ? value.toString() : value,
  ]);
  return { ok: true, testMoney, account: view === undefined ? null : Object.fromEntries(told) };
}

async function showAccount({ relay, json }: RelayFlags): Promise<Exit> {
  const { view, testMoney } = await accountAt(relay);
  const told =
    json === true
      ? `${JSON.stringify(accountJson(view, testMoney))}\n`
      : view === undefined
        ? NO_ACCOUNT
        : accountText(view, testMoney);
  await writeAll(process.stdout, told);
  return EXIT.ok;
}

export function addAccountCommand(program: Command, end: (exit: Exit) => void): void {
  const account = addRelayFlags(program.command("account"));
  account
    .description("show what this identity has at the relay; nothing of it is proven")
    .addHelpText("after", "\nExample:\n  npx tabmesh account --relay https://relay.example")
    .action(async (flags: RelayFlags) => end(await showAccount(flags)));
  addApiKeyCommands(account, end);
  addPayoutsCommands(account, end);
  addStandingCommands(account, end);
  addRelayFlags(program.command("forget"))
    .description("forget the keys that a relay showed at first contact, and believe it anew")
    .addHelpText(
      "after",
      "\nExample, after a local relay was started with an empty folder:\n  npx tabmesh forget",
    )
    .action(async ({ relay, json }: RelayFlags) => {
      const origin = await forgetRelay(homeFolder(process.env), relay);
      const text = origin === undefined ? `Nothing was known of ${relay}.` : `Forgot ${origin} at ${relay}.`;
      await writeAll(
        process.stdout,
        `${json === true ? JSON.stringify({ ok: true, origin: origin ?? null }) : text}\n`,
      );
      end(EXIT.ok);
    });
}

import { type Command, InvalidArgumentError } from "commander";
import { isPayoutAddress } from "../../protocol/messages/payout.ts";
import {
  listPayouts,
  payoutAddress,
  type PayoutAddressView,
  type PayoutView,
  setPayoutAddress,
} from "../../sdk/index.ts";
import { atRelay } from "../at-relay.ts";
import { addRelayFlags, type RelayFlags } from "../job-flags.ts";
import { EXIT, type Exit } from "../plain-error.ts";
import { creditsFixed } from "../quantities.ts";
import { writeAll } from "../write-all.ts";

/** Payouts that are listed: the newest. */
const LISTED = 50;

/** @throws InvalidArgumentError. */
function parseAddress(text: string): string {
  if (!isPayoutAddress(text))
    throw new InvalidArgumentError(
      "It is an account at a chain or bank: at most 128 letters, digits and . _ : @ / + -, a letter or digit first.",
    );
  return text;
}

async function say({ json }: RelayFlags, told: object, text: string): Promise<void> {
  await writeAll(process.stdout, `${json === true ? JSON.stringify({ ok: true, ...told }) : text}\n`);
}

function addressText(view: PayoutAddressView | undefined, nowMs: number): string {
  if (view === undefined)
    return "There is no payout address yet. Set one with `npx tabmesh account payout-address ADDRESS`.";
  const { address: to, usableFrom, entryIndex } = view;
  const when =
    usableFrom <= nowMs
      ? "Payouts go there."
      : `It was changed: payouts go there from ${new Date(usableFrom).toISOString()} on, and nowhere before.`;
  return `${to}\n${when} It is entry ${entryIndex} of the relay's log.`;
}

async function address(wanted: string | undefined, flags: RelayFlags): Promise<Exit> {
  const view = await atRelay(flags.relay, (owner) =>
    wanted === undefined ? payoutAddress(owner) : setPayoutAddress(owner, wanted),
  );
  await say(flags, { payoutAddress: view ?? null }, addressText(view, Date.now()));
  return EXIT.ok;
}

function payoutText({ state, amount, address: to, time, reference = "", entryIndex }: PayoutView): string {
  const why = reference === "" ? "" : `  ${reference}`;
  return `${new Date(time).toISOString()}  ${state}  ${creditsFixed(amount)} to ${to}${why}  entry ${entryIndex}`;
}

async function payouts(flags: RelayFlags): Promise<Exit> {
  const all = await atRelay(flags.relay, (owner) => listPayouts(owner, { limit: LISTED }));
  const told = all.map(({ amount, ...payout }) => ({ ...payout, amount: `${amount}` }));
  const hint = "\nA file that proves one to anybody: npx tabmesh prove --entry NUMBER -o payout.tlog-proof";
  const text = all.length === 0 ? "There are no payouts." : `${all.map(payoutText).join("\n")}${hint}`;
  await say(flags, { payouts: told }, text);
  return EXIT.ok;
}

/** Where this account's money goes, and what it got. @param account the command they belong to */
export function addPayoutsCommands(account: Command, end: (exit: Exit) => void): void {
  addRelayFlags(account.command("payout-address"))
    .description("say where this account wants its money, or show that; a change waits 72 hours")
    .argument("[address]", "an account at a chain or bank, as the relay's operator asks for it", parseAddress)
    .addHelpText("after", "\nExample:\n  npx tabmesh account payout-address eip155:8453:0x5290…9EE7")
    .action(async (wanted: string | undefined, flags: RelayFlags) => end(await address(wanted, flags)));
  addRelayFlags(account.command("payouts"))
    .description("show what this account was paid, with the log entry that proves it")
    .addHelpText("after", "\nExample:\n  npx tabmesh account payouts")
    .action(async (flags: RelayFlags) => end(await payouts(flags)));
}

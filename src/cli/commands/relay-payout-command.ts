import { writeFile } from "node:fs/promises";
import { type Command, InvalidArgumentError, Option } from "commander";
import { isPeerId, type PeerId } from "../../protocol/peer-id.ts";
import { microCredits, type MicroCredits } from "../../protocol/units.ts";
import type { BatchLines, BatchView, PreparedView } from "../../relay/control-payouts.ts";
import { requireConsent } from "../confirm.ts";
import { requireWritable } from "../precious.ts";
import { countText, creditsFixed, creditUnit, parseCredits } from "../quantities.ts";
import { addDataFlags, type DataFlags, say } from "./relay-data.ts";

/** Money that comes in and goes out of a relay. The relay's code is loaded by the commands that need it. */

interface CreditFlags extends DataFlags {
  readonly reference: string;
  readonly yes?: boolean;
}

interface PrepareFlags extends DataFlags {
  readonly minimum: bigint;
  readonly out?: string;
}

interface EndFlags extends DataFlags {
  readonly reference?: string;
  readonly yes?: boolean;
}

/** One credit: moving less rarely pays for the transfer. */
const DEFAULT_MINIMUM = 1_000_000n;

function parsePeer(text: string): PeerId {
  if (!isPeerId(text)) throw new InvalidArgumentError("It is a peer id, 12D3KooW…");
  return text;
}

/** @throws InvalidArgumentError. */
function parseAmount(text: string): MicroCredits {
  const amount = parseCredits(text);
  if (amount === 0n) throw new InvalidArgumentError("It is more than nothing.");
  return microCredits(amount);
}

async function ask(question: string, yes: boolean | undefined): Promise<void> {
  await requireConsent(question, yes, { input: process.stdin, output: process.stderr });
}

async function credit(account: PeerId, amount: MicroCredits, flags: CreditFlags): Promise<void> {
  const { dataDir, reference, yes } = flags;
  await ask(`Credit ${creditsFixed(amount)} to ${account} for the payment ${reference}?`, yes);
  const { creditAt } = await import("../../relay/operate-payouts.ts");
  const { asset, isTest, entryIndex } = await creditAt(dataDir, account, amount, reference);
  await say(
    flags,
    { ok: true, account, amount: `${amount}`, asset, reference, entryIndex },
    `${account} has ${creditsFixed(amount)} ${creditUnit(isTest)} for ${reference}: entry ${entryIndex} of the log.`,
  );
}

/** Rows for programs: amounts as decimal text. */
function plainBatch({ total, ...batch }: BatchView): object {
  return { ...batch, total: `${total}` };
}

function plainLines({ lines, total, ...batch }: BatchLines): object {
  return {
    ...batch,
    total: `${total}`,
    lines: lines.map(({ account, address, amount }) => ({ account, address, amount: `${amount}` })),
  };
}

async function writeList(file: string, { batch, asset, lines }: BatchLines): Promise<void> {
  const { PAYOUT_CSV_HEAD, payoutCsv } = await import("../../relay/payout-csv.ts");
  const isOwn = (bytes: Buffer): boolean => bytes.toString("utf8").startsWith(PAYOUT_CSV_HEAD);
  await requireWritable(file, isOwn, "a list of payouts");
  await writeFile(file, payoutCsv(batch, asset, lines), { mode: 0o600 });
}

function batchText({ number, state, count, total, asset, batch, reference = "", ended }: BatchView): string {
  const when = ended === undefined ? "" : ` ${new Date(ended).toISOString()}`;
  const why = reference === "" ? "" : `, ${reference}`;
  return `${number}  ${state}${when}${why}  ${creditsFixed(total)} to ${countText(count, "account")} in ${asset}\n   ${batch}`;
}

function gapsText({ gaps }: PreparedView): string {
  const reasons = [
    [gaps.tooLittle, "with less than the minimum"],
    [gaps.withoutAddress, "without a payout address"],
    [gaps.addressWaits, "whose address was changed less than 72 hours ago"],
    [gaps.denied, "that you deny"],
  ] as const;
  const told = reasons.filter(([count]) => count > 0).map(([count, who]) => `  ${count} ${who}`);
  return told.length === 0 ? "" : `\nLeft out, of accounts with money:\n${told.join("\n")}`;
}

function preparedText(prepared: PreparedView, out: string | undefined): string {
  const { batch, isNew } = prepared;
  if (batch === undefined) return `Nobody is to be paid.${gapsText(prepared)}`;
  const head = isNew
    ? `Prepared batch ${batch.number}: its money is set aside.`
    : `Batch ${batch.number} is prepared already; another one can follow when it is confirmed or cancelled.`;
  const where =
    out === undefined
      ? `Write its list with  npx tabmesh relay payout show ${batch.number} --out payout-${batch.number}.csv`
      : `Its list is ${out}.`;
  return `${head}\n${batchText(batch)}\n${where}\nOnce it is paid:       npx tabmesh relay payout confirm ${batch.number} --reference TEXT${gapsText(prepared)}`;
}

async function prepare(flags: PrepareFlags): Promise<void> {
  const { dataDir, minimum, out } = flags;
  const { preparePayoutAt } = await import("../../relay/operate-payouts.ts");
  const prepared = await preparePayoutAt(dataDir, microCredits(minimum));
  const { batch, isNew, gaps } = prepared;
  if (batch !== undefined && out !== undefined) await writeList(out, batch);
  const told = batch === undefined ? null : plainLines(batch);
  await say(flags, { ok: true, batch: told, isNew, gaps }, preparedText(prepared, out));
}

async function show(which: string, flags: DataFlags & { readonly out?: string }): Promise<void> {
  const { showPayoutAt } = await import("../../relay/operate-payouts.ts");
  const batch = await showPayoutAt(flags.dataDir, which);
  if (flags.out !== undefined) await writeList(flags.out, batch);
  const { payoutCsv } = await import("../../relay/payout-csv.ts");
  const text =
    flags.out === undefined
      ? payoutCsv(batch.batch, batch.asset, batch.lines).trimEnd()
      : `${batchText(batch)}\nIts list is ${flags.out}.`;
  await say(flags, { ok: true, ...plainLines(batch) }, text);
}

async function confirm(which: string, flags: EndFlags): Promise<void> {
  const { dataDir, reference = "", yes } = flags;
  await ask(`Has batch ${which} been paid? Its money leaves the relay for good.`, yes);
  const { confirmPayoutAt } = await import("../../relay/operate-payouts.ts");
  const batch = await confirmPayoutAt(dataDir, which, reference);
  await say(flags, { ok: true, ...plainBatch(batch) }, batchText(batch));
}

async function cancel(which: string, flags: EndFlags): Promise<void> {
  await ask(`Has nothing of batch ${which} been paid? Its money goes back to the accounts.`, flags.yes);
  const { cancelPayoutAt } = await import("../../relay/operate-payouts.ts");
  const batch = await cancelPayoutAt(flags.dataDir, which);
  await say(flags, { ok: true, ...plainBatch(batch) }, batchText(batch));
}

async function list(flags: DataFlags): Promise<void> {
  const { listPayoutsAt } = await import("../../relay/operate-payouts.ts");
  const batches = await listPayoutsAt(flags.dataDir);
  const text = batches.length === 0 ? "There are no payouts." : batches.map(batchText).join("\n");
  await say(flags, { ok: true, batches: batches.map(plainBatch) }, text);
}

function addPayoutCommands(payout: Command): void {
  addDataFlags(payout.command("prepare"))
    .description(
      "set money aside for all who have enough and a payout address; the same batch until it has ended",
    )
    .addOption(
      new Option("--minimum <credits>", "the least that is worth a payment")
        .argParser(parseAmount)
        .default(DEFAULT_MINIMUM, "1"),
    )
    .option("--out <file>", "write who gets what, as CSV")
    .addHelpText("after", "\nExample:\n  npx tabmesh relay payout prepare --minimum 5 --out payout.csv")
    .action(prepare);
  addDataFlags(payout.command("show"))
    .description("print who gets what of a batch, as CSV")
    .argument("<batch>", "its number or CID")
    .option("--out <file>", "write it to a file")
    .addHelpText("after", "\nExample:\n  npx tabmesh relay payout show 3 --out payout-3.csv")
    .action(show);
  addDataFlags(payout.command("confirm"))
    .description("log that a batch was paid: its money leaves; to say so again changes nothing")
    .argument("<batch>", "its number or CID")
    .option("--reference <text>", "what the payment is called where it was made; public")
    .option("--yes", "do not ask")
    .addHelpText("after", "\nExample:\n  npx tabmesh relay payout confirm 3 --reference 'transfers of 4 May'")
    .action(confirm);
  addDataFlags(payout.command("cancel"))
    .description("give the money of a batch back that will not be paid")
    .argument("<batch>", "its number or CID")
    .option("--yes", "do not ask")
    .addHelpText("after", "\nExample:\n  npx tabmesh relay payout cancel 3")
    .action(cancel);
  addDataFlags(payout.command("list"))
    .description("list batches, newest first")
    .addHelpText("after", "\nExample:\n  npx tabmesh relay payout list")
    .action(list);
}

/** Credits and payouts, also while the relay runs. @param relay the command they belong to */
export function addMoneyCommands(relay: Command): void {
  const account = relay
    .command("account")
    .description("accounts of this relay")
    .addHelpText(
      "after",
      "\nExample:\n  npx tabmesh relay account credit 12D3KooW… 25 --reference 'invoice 7'",
    );
  addDataFlags(account.command("credit"))
    .description("log money that came in for an account; the same reference counts once")
    .argument("<peer>", "the account", parsePeer)
    .argument("<credits>", "with up to six decimals", parseAmount)
    .requiredOption("--reference <text>", "what the payment is called where it was made; public")
    .option("--yes", "do not ask")
    .addHelpText(
      "after",
      "\nExample:\n  npx tabmesh relay account credit 12D3KooW… 25 --reference 'invoice 7'",
    )
    .action(credit);
  const payout = relay
    .command("payout")
    .description("pay accounts what they have: prepare a batch, pay it, confirm it")
    .addHelpText("after", "\nExample:\n  npx tabmesh relay payout prepare --out payout.csv");
  addPayoutCommands(payout);
}

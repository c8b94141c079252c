import { type Command, InvalidArgumentError, Option } from "commander";
import { CAP_PERIODS, type CapPeriod } from "../../protocol/cap-period.ts";
import type { ApiKeyView } from "../../protocol/relay-api.ts";
import { type Cid, isCid } from "../../protocol/cid.ts";
import { createApiKey, listApiKeys, type MadeApiKey, revokeApiKey } from "../../sdk/index.ts";
import { atRelay } from "../at-relay.ts";
import { addRelayFlags, type RelayFlags } from "../job-flags.ts";
import { EXIT, type Exit, PlainError } from "../plain-error.ts";
import { creditsText, parseCredits } from "../quantities.ts";
import { writeAll } from "../write-all.ts";

interface CreateFlags extends RelayFlags {
  readonly label: string;
  readonly cap: bigint;
  readonly per: CapPeriod;
  /** Milliseconds from now. */
  readonly expires?: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const MAX_LABEL_BYTES = 64;
/** One credit: at the usual tariff a thousand Gfuel, some thousand tokens of a model of 135 million weights. */
const DEFAULT_CAP = 1_000_000n;

/** @throws InvalidArgumentError. */
function parseLifetimeMs(text: string): number {
  const [, digits, unit] = /^(\d{1,5})(h|d)$/u.exec(text.trim()) ?? [];
  if (digits === undefined || Number(digits) === 0)
    throw new InvalidArgumentError("It takes hours or days, such as 12h or 30d.");
  return Number(digits) * (unit === "h" ? HOUR_MS : DAY_MS);
}

/** @throws InvalidArgumentError. */
function parseLabel(text: string): string {
  if (Buffer.byteLength(text) > MAX_LABEL_BYTES)
    throw new InvalidArgumentError(`It takes at most ${MAX_LABEL_BYTES} bytes.`);
  return text;
}

function periodText(per: CapPeriod): string {
  return per === "day" ? "a day" : "in all";
}

function createdText({ key, apiKey, entryIndex }: MadeApiKey, { relay, cap, per }: CreateFlags): string {
  return (
    `${key}\n\nThis is shown once. Whoever has it can spend ${creditsText(cap)} credits ${periodText(per)}.\n` +
    `It is entry ${entryIndex} of the relay's log; revoke it with\n  npx tabmesh account key revoke ${apiKey}\n` +
    `Clients of OpenAI's interface take it with the address ${relay}/v1\n`
  );
}

async function create(flags: CreateFlags): Promise<Exit> {
  const { relay, label, cap, per, expires, json } = flags;
  const until = expires === undefined ? {} : { expires: Date.now() + expires };
  const made = await atRelay(relay, (owner) => createApiKey(owner, { label, cap, per, ...until }));
  await writeAll(
    process.stdout,
    json === true ? `${JSON.stringify({ ok: true, ...made })}\n` : createdText(made, flags),
  );
  return EXIT.ok;
}

function stateText({ revoked, expires }: ApiKeyView, nowMs: number): string {
  if (revoked !== undefined) return `revoked ${new Date(revoked).toISOString()}`;
  if (expires === undefined) return "";
  const at = new Date(expires).toISOString();
  return expires <= nowMs ? `expired ${at}` : `until ${at}`;
}

function lineOf(key: ApiKeyView, nowMs: number): string {
  const spent = `${creditsText(key.used)} of ${creditsText(key.cap)} ${periodText(key.per)}`;
  const words = [key.label === "" ? "(no label)" : key.label, spent, stateText(key, nowMs)];
  return `${key.apiKey}\n  ${words.filter((word) => word !== "").join("  ")}`;
}

async function list({ relay, json }: RelayFlags): Promise<Exit> {
  const keys = await atRelay(relay, listApiKeys);
  const told = keys.map((key) => Object.assign({}, key, { cap: `${key.cap}`, used: `${key.used}` }));
  const lines = keys.map((key) => lineOf(key, Date.now()));
  const text = lines.length === 0 ? "There are no API keys." : lines.join("\n");
  await writeAll(process.stdout, `${json === true ? JSON.stringify({ ok: true, keys: told }) : text}\n`);
  return EXIT.ok;
}

/** @throws PlainError when the label names no key, or several */
function labelled(keys: readonly ApiKeyView[], label: string): Cid {
  const [found, ...more] = keys.filter((key) => key.label === label && key.revoked === undefined);
  if (found !== undefined && more.length === 0) return found.apiKey;
  throw new PlainError({
    what: found === undefined ? `No key is called ${label}.` : `${more.length + 1} keys are called ${label}.`,
    advice: "Name it by its CID: `npx tabmesh account key list` shows it.",
  });
}

async function revoke(which: string, { relay, json }: RelayFlags): Promise<Exit> {
  const apiKey = await atRelay(relay, async (owner) => {
    const found = isCid(which) ? which : labelled(await listApiKeys(owner), which);
    await revokeApiKey(owner, found);
    return found;
  });
  const text = `Revoked ${apiKey}: it counts no more, and what was under way with it has ended.`;
  await writeAll(process.stdout, `${json === true ? JSON.stringify({ ok: true, apiKey }) : text}\n`);
  return EXIT.ok;
}

/** Keys for clients of OpenAI's interface. @param account the command they belong to */
export function addApiKeyCommands(account: Command, end: (exit: Exit) => void): void {
  const key = account
    .command("key")
    .description("keys that let programs spend this account's credits through the relay's gateway")
    .addHelpText("after", "\nExample:\n  npx tabmesh account key create --label notebook --cap 0.5");
  addRelayFlags(key.command("create"))
    .description("make a key and print it, once")
    .option("--label <text>", "to tell keys apart; everybody can read it", parseLabel, "")
    .addOption(
      new Option("--cap <credits>", "the most it may spend")
        .argParser(parseCredits)
        .default(DEFAULT_CAP, "1"),
    )
    .addOption(new Option("--per <period>", "over what the cap counts").choices(CAP_PERIODS).default("day"))
    .option("--expires <time>", "from now, such as 12h or 30d", parseLifetimeMs)
    .addHelpText(
      "after",
      "\nExample:\n  npx tabmesh account key create --label notebook --cap 0.5 --expires 30d",
    )
    .action(async (flags: CreateFlags) => end(await create(flags)));
  addRelayFlags(key.command("list"))
    .description("show this account's keys and what they have spent")
    .addHelpText("after", "\nExample:\n  npx tabmesh account key list")
    .action(async (flags: RelayFlags) => end(await list(flags)));
  addRelayFlags(key.command("revoke"))
    .description("take a key back, at once and for good")
    .argument("<key>", "its CID, or its label where no other key has it")
    .addHelpText("after", "\nExample:\n  npx tabmesh account key revoke notebook")
    .action(async (which: string, flags: RelayFlags) => end(await revoke(which, flags)));
}

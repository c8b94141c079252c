import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import { type Cid, isCid } from "../../protocol/cid.ts";
import {
  addWebhook,
  ALERT_EVENTS,
  type AlertEvent,
  type AlertView,
  listAlerts,
  type MadeWebhook,
  removeAlert,
  testAlert,
} from "../../sdk/index.ts";
import { atRelay } from "../at-relay.ts";
import { addRelayFlags, type RelayFlags } from "../job-flags.ts";
import { EXIT, type Exit, PlainError, usageError } from "../plain-error.ts";
import { creditsText, parseCredits } from "../quantities.ts";
import { writeAll } from "../write-all.ts";

interface AddFlags extends RelayFlags {
  readonly on?: readonly AlertEvent[];
  readonly below?: bigint;
}

const EVENT_WORDS: Readonly<Record<AlertEvent, string>> = {
  "low-balance": "low balance",
  "audit-failed": "audit failure",
  payout: "payout",
  "provider-stopped": "provider stopped",
};

/** Everything but a low balance, which needs to know how low. */
const USUAL_EVENTS: readonly AlertEvent[] = ALERT_EVENTS.filter((event) => event !== "low-balance");

/** @throws InvalidArgumentError. */
function parseEvents(text: string): readonly AlertEvent[] {
  return text.split(",").map((word) => {
    const event = ALERT_EVENTS.find((known) => known === word.trim());
    if (event === undefined)
      throw new InvalidArgumentError(`It takes some of ${ALERT_EVENTS.join(", ")}, with commas.`);
    return event;
  });
}

/** @throws InvalidArgumentError. */
function parseUrl(text: string): string {
  const url = URL.parse(text);
  if (url?.protocol !== "https:" && url?.protocol !== "http:")
    throw new InvalidArgumentError("It takes a web address, such as https://example.org/hook.");
  return url.href;
}

/** What standard libraries for webhooks take: https://www.standardwebhooks.com */
function secretText(secret: Uint8Array): string {
  return `whsec_${Buffer.from(secret).toString("base64")}`;
}

async function print({ json }: RelayFlags, told: object, text: string): Promise<void> {
  const line = json === true ? JSON.stringify({ ok: true, ...told }, bigintAsText) : text;
  await writeAll(process.stdout, `${line}\n`);
}

function bigintAsText(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? value.toString() : value;
}

/** A threshold asks for a low balance, and a low balance for a threshold. @throws PlainError */
function eventsOf({ on, below }: AddFlags): readonly AlertEvent[] {
  const events = on ?? USUAL_EVENTS;
  if (below !== undefined) return [...new Set<AlertEvent>([...events, "low-balance"])];
  if (events.includes("low-balance"))
    throw usageError("How low is low-balance?", "Say so with --below CREDITS.");
  return events;
}

function madeText({ alert, secret }: MadeWebhook, relay: string): string {
  return (
    `${secretText(secret)}\n\nThis is shown once: by it your server knows the relay's calls (https://www.standardwebhooks.com).\n` +
    `${alert.target} is called about: ${alert.events.map((event) => EVENT_WORDS[event]).join(", ")}.\n` +
    `Try it out with\n  npx tabmesh alerts test ${alert.alert} --relay ${relay}`
  );
}

async function add(url: string, flags: AddFlags): Promise<Exit> {
  const { relay, below } = flags;
  const events = eventsOf(flags);
  const terms = { events, ...(below === undefined ? {} : { below }) };
  const made = await atRelay(relay, (owner) => addWebhook(owner, url, terms));
  await print(flags, { ...made, secret: secretText(made.secret) }, madeText(made, relay));
  return EXIT.ok;
}

function alertText({ alert, kind, target, events, below, ...stands }: AlertView): string {
  const about = events.map((event) =>
    event === "low-balance" && below !== undefined
      ? `balance below ${creditsText(below)}`
      : EVENT_WORDS[event],
  );
  const { delivered, waiting, lastFailure } = stands;
  const failure =
    lastFailure === undefined
      ? ""
      : `\n  failed ${new Date(lastFailure.time).toISOString()}: ${lastFailure.words}`;
  const to = kind === "push" ? `a browser, through ${target}` : target;
  return `${alert}\n  ${to}  ${about.join(", ")}  ${delivered} delivered, ${waiting} waiting${failure}`;
}

async function list(flags: RelayFlags): Promise<Exit> {
  const alerts = await atRelay(flags.relay, listAlerts);
  const text = alerts.length === 0 ? "There are no alerts." : alerts.map(alertText).join("\n");
  await print(flags, { alerts }, text);
  return EXIT.ok;
}

/** @throws PlainError for no name of an alert */
function alertIn(text: string): Cid {
  if (isCid(text)) return text;
  throw usageError(`${text} names no alert.`, "`npx tabmesh alerts list` shows their names.");
}

async function test(which: string, flags: RelayFlags): Promise<Exit> {
  const alert = alertIn(which);
  const trial = await atRelay(flags.relay, (owner) => testAlert(owner, alert));
  const { ok, words, elapsedMs } = trial;
  if (!ok)
    throw new PlainError({
      what: "The call was not taken.",
      why: `After ${elapsedMs} ms: ${words}.`,
      advice: "What happens until it is repaired is told later: calls are repeated for a day and more.",
    });
  await print(flags, { ...trial }, `The call was taken after ${elapsedMs} ms: ${words}.`);
  return EXIT.ok;
}

async function remove(which: string, flags: RelayFlags): Promise<Exit> {
  const alert = alertIn(which);
  await atRelay(flags.relay, (owner) => removeAlert(owner, alert));
  await print(flags, { alert }, `Removed ${alert}: it tells nothing more, and what waited is dropped.`);
  return EXIT.ok;
}

/** Being told by the relay while nothing of one's own runs. */
export function addAlertsCommand(program: Command, end: (exit: Exit) => void): void {
  const alerts = program
    .command("alerts")
    .description("have the relay call a web address when something happens to this account")
    .addHelpText(
      "after",
      "\nExample:\n  npx tabmesh alerts add https://example.org/hook --below 0.5\n\n" +
        "Browsers are told through Web Push: that is switched on in the app, on the page Earnings.",
    );
  addRelayFlags(alerts.command("add"))
    .description("have an address called, and print the secret of its calls, once")
    .argument("<url>", "where the relay sends a POST", parseUrl)
    .option("--on <events>", `some of ${ALERT_EVENTS.join(", ")} (all, the first with --below)`, parseEvents)
    .option("--below <credits>", "tell when less than this is available", parseCredits)
    .addHelpText(
      "after",
      "\nExample:\n  npx tabmesh alerts add https://example.org/hook --on payout,audit-failed",
    )
    .action(async (url: string, flags: AddFlags) => end(await add(url, flags)));
  addRelayFlags(alerts.command("list"))
    .description("show this account's alerts and how their calls went")
    .addHelpText("after", "\nExample:\n  npx tabmesh alerts list")
    .action(async (flags: RelayFlags) => end(await list(flags)));
  addRelayFlags(alerts.command("test"))
    .description("have the relay make a call now")
    .argument("<alert>", "its name, as list shows it")
    .addHelpText("after", "\nExample:\n  npx tabmesh alerts test bafy…")
    .action(async (which: string, flags: RelayFlags) => end(await test(which, flags)));
  addRelayFlags(alerts.command("remove"))
    .description("end an alert, with what it had still to tell")
    .argument("<alert>", "its name, as list shows it")
    .addHelpText("after", "\nExample:\n  npx tabmesh alerts remove bafy…")
    .action(async (which: string, flags: RelayFlags) => end(await remove(which, flags)));
}

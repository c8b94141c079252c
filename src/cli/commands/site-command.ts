import { type Command, InvalidArgumentError } from "commander";
import { MAX_SITE_DAYS } from "../../protocol/limits.ts";
import { siteContributionsJson, siteViewJson } from "../../protocol/site-json.ts";
import { isSiteOrigin, type SiteId, widgetSnippet } from "../../protocol/site.ts";
import {
  listSites,
  registerSite,
  type SiteContributions,
  type SiteDay,
  type SiteTerms,
  type SiteView,
} from "../../sdk/index.ts";
import { atRelay } from "../at-relay.ts";
import { addRelayFlags, type RelayFlags } from "../job-flags.ts";
import { EXIT, type Exit, PlainError } from "../plain-error.ts";
import { creditsText } from "../quantities.ts";
import { writeAll } from "../write-all.ts";

interface AddFlags extends RelayFlags {
  /** Millionths. */
  readonly share?: number;
}

interface ShowFlags extends RelayFlags {
  readonly days: number;
}

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 30;
const PPM_PER_PERCENT = 10_000;
const MAX_PERCENT = 100;

/** Millionths, from percent with up to four decimals. @throws InvalidArgumentError. */
function parseShare(text: string): number {
  const [, percent] = /^(\d{1,3}(?:\.\d{1,4})?)\s*%?$/u.exec(text.trim()) ?? [];
  if (percent === undefined || Number(percent) > MAX_PERCENT)
    throw new InvalidArgumentError("It takes percent from 0 to 100, such as 25 or 12.5.");
  return Math.round(Number(percent) * PPM_PER_PERCENT);
}

/** The origin of an address of the site. @throws InvalidArgumentError. */
function parsePage(text: string): string {
  const origin = URL.parse(text.includes("://") ? text : `https://${text}`)?.origin ?? "";
  if (!isSiteOrigin(origin))
    throw new InvalidArgumentError(
      "It takes the address of a site, such as https://news.example; without encryption only on this machine, such as http://localhost:8080.",
    );
  return origin;
}

/** @throws InvalidArgumentError. */
function parseDays(text: string): number {
  const days = Number(text);
  if (!/^\d+$/u.test(text) || days < 1 || days > MAX_SITE_DAYS)
    throw new InvalidArgumentError(`It takes a number of days from 1 to ${MAX_SITE_DAYS}.`);
  return days;
}

function percentText(ppm: number): string {
  return `${ppm / PPM_PER_PERCENT} %`;
}

async function say({ json }: RelayFlags, told: object, text: string): Promise<void> {
  await writeAll(process.stdout, `${json === true ? JSON.stringify({ ok: true, ...told }) : text}\n`);
}

function shareText({ share, state }: SiteView): string {
  const closed = state === "closed" ? "closed: it takes no visitors; " : "";
  return `${closed}visitors keep ${percentText(share)}, ${percentText(MAX_PERCENT * PPM_PER_PERCENT - share)} is yours`;
}

function snippetFor(relay: string, site: SiteId): string {
  return widgetSnippet(new URL(relay).origin, site);
}

function addedText(site: SiteView, relay: string): string {
  return (
    `${site.site}\n${site.page}: ${shareText(site)}.\n\n` +
    `Put this where the widget is to be:\n\n${snippetFor(relay, site.site)}\n\n` +
    "Nothing is loaded from the relay but the button itself until a visitor clicks it."
  );
}

async function add(page: string, flags: AddFlags): Promise<Exit> {
  const terms: SiteTerms = { page, ...(flags.share === undefined ? {} : { share: flags.share }) };
  const site = await atRelay(flags.relay, (owner) => registerSite(owner, terms));
  const snippet = snippetFor(flags.relay, site.site);
  await say(flags, { site: siteViewJson.write(site), snippet }, addedText(site, flags.relay));
  return EXIT.ok;
}

function sum(days: readonly SiteDay[], of: (day: SiteDay) => bigint): bigint {
  return days.reduce((total, day) => total + of(day), 0n);
}

function lineOf({ site, days }: SiteContributions): string {
  const tasks = days.reduce((total, day) => total + day.tasks, 0);
  const yours = creditsText(sum(days, ({ toOwner }) => toOwner));
  return `${site.site}  ${site.page}\n  ${shareText(site)}; in 30 days ${tasks} tasks, ${yours} credits yours`;
}

async function list(flags: RelayFlags): Promise<Exit> {
  const all = await atRelay(flags.relay, (owner) => listSites(owner, Date.now() - DEFAULT_DAYS * DAY_MS));
  const text =
    all.length === 0
      ? "There are no sites yet. Register one with `npx tabmesh site add https://news.example`."
      : all.map(lineOf).join("\n");
  await say(flags, { sites: siteContributionsJson.write(all) }, text);
  return EXIT.ok;
}

/** @throws PlainError where this account has no such site */
function named(all: readonly SiteContributions[], which: string): SiteContributions {
  const page = URL.parse(which.includes("://") ? which : `https://${which}`)?.origin;
  const found = all.find(({ site }) => site.site === which || site.page === page);
  if (found !== undefined) return found;
  throw new PlainError({
    what: `This account has no site ${which}.`,
    advice: "`npx tabmesh site list` shows those that it has.",
  });
}

function dayLine({ start, tabs, tasks, earned, toOwner, toVisitors }: SiteDay): string {
  const date = new Date(start).toISOString().slice(0, 10);
  return `${date}  ${tabs} tabs  ${tasks} tasks  ${creditsText(earned)} earned  ${creditsText(toOwner)} to you  ${creditsText(toVisitors)} to visitors`;
}

async function show(which: string, flags: ShowFlags): Promise<Exit> {
  const from = Date.now() - (flags.days - 1) * DAY_MS;
  const found = named(await atRelay(flags.relay, (owner) => listSites(owner, from)), which);
  const { site, days } = found;
  const lines = days.length === 0 ? "Nothing was contributed in this time." : days.map(dayLine).join("\n");
  const snippet = snippetFor(flags.relay, site.site);
  const note =
    "Earned is what visitors' tabs reported that day; it is paid when its audits and holding time are over.";
  const text = `${site.site}\n${site.page}: ${shareText(site)}.\n\n${snippet}\n\n${lines}\n${note}`;
  await say(
    flags,
    { site: siteViewJson.write(site), days: siteContributionsJson.write([found]), snippet },
    text,
  );
  return EXIT.ok;
}

async function remove(which: string, flags: RelayFlags): Promise<Exit> {
  const closed = await atRelay(flags.relay, async (owner) => {
    const { site } = named(await listSites(owner, Date.now()), which);
    return registerSite(owner, { page: site.page, state: "closed" });
  });
  const text =
    `Closed ${closed.page}: its widget takes no visitors any more. What they have earned for you still comes.\n` +
    `Open it again with\n  npx tabmesh site add ${closed.page}`;
  await say(flags, { site: siteViewJson.write(closed) }, text);
  return EXIT.ok;
}

/** Sites that embed the widget for this account. */
export function addSiteCommand(program: Command, end: (exit: Exit) => void): void {
  const site = program
    .command("site")
    .description("sites whose visitors contribute through the widget, for this account")
    .addHelpText("after", "\nExample:\n  npx tabmesh site add https://news.example --share 50");
  addRelayFlags(site.command("add"))
    .description("register a site, or change its share, and print what goes into its pages")
    .argument("<address>", "of the site, such as https://news.example", parsePage)
    .option("--share <percent>", "what visitors keep; at first 100, later as it was", parseShare)
    .addHelpText("after", "\nExample:\n  npx tabmesh site add https://news.example --share 50")
    .action(async (page: string, flags: AddFlags) => end(await add(page, flags)));
  addRelayFlags(site.command("list"))
    .description("show this account's sites")
    .addHelpText("after", "\nExample:\n  npx tabmesh site list")
    .action(async (flags: RelayFlags) => end(await list(flags)));
  addRelayFlags(site.command("show"))
    .description("show one site, what goes into its pages, and what was contributed by day")
    .argument("<site>", "its address or its id")
    .option("--days <count>", "days to show", parseDays, DEFAULT_DAYS)
    .addHelpText("after", "\nExample:\n  npx tabmesh site show https://news.example --days 7")
    .action(async (which: string, flags: ShowFlags) => end(await show(which, flags)));
  addRelayFlags(site.command("remove"))
    .description("close a site: its widget takes no visitors any more")
    .argument("<site>", "its address or its id")
    .addHelpText("after", "\nExample:\n  npx tabmesh site remove https://news.example")
    .action(async (which: string, flags: RelayFlags) => end(await remove(which, flags)));
}

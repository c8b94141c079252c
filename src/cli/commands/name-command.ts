import { type Command, InvalidArgumentError } from "commander";
import { type Cid, isCid } from "../../protocol/cid.ts";
import { MAX_NAME_PEERS } from "../../protocol/limits.ts";
import { NAME_PATTERN } from "../../protocol/messages/name.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { nameViewJson, nameViewsJson } from "../../protocol/run-json.ts";
import type { NameView } from "../../protocol/run-views.ts";
import { findName, listNames, registerName } from "../../sdk/index.ts";
import { atRelay } from "../at-relay.ts";
import { addRelayFlags, type RelayFlags } from "../job-flags.ts";
import { EXIT, type Exit, usageError } from "../plain-error.ts";
import { each, parsePeer } from "../plan/plan-flags.ts";
import { parseDurationMs } from "../quantities.ts";
import { writeAll } from "../write-all.ts";

interface SetFlags extends RelayFlags {
  readonly peer?: readonly PeerId[];
  readonly plan?: Cid;
  readonly for?: number;
}

/** @throws InvalidArgumentError */
function parseName(text: string): string {
  if (NAME_PATTERN.test(text)) return text;
  throw new InvalidArgumentError('It takes up to 63 small letters, digits and "-".');
}

/** @throws InvalidArgumentError */
function parsePlanCid(text: string): Cid {
  if (isCid(text)) return text;
  throw new InvalidArgumentError("It takes a plan's CID; `npx tabmesh plan check PLAN` prints it.");
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

function standsFor({ plan, peers = [] }: NameView): string {
  if (plan !== undefined) return `the plan ${plan}`;
  return peers.map(({ peer, online }) => `${peer} (${online ? "here" : "away"})`).join(", ");
}

function line(view: NameView): string {
  return `${view.name} stands for ${standsFor(view)}, until ${day(view.expires)}`;
}

async function say({ json }: RelayFlags, told: object, text: string): Promise<void> {
  await writeAll(process.stdout, `${json === true ? JSON.stringify({ ok: true, ...told }) : text}\n`);
}

async function set(name: string, flags: SetFlags): Promise<Exit> {
  const { peer: peers, plan, for: lifetimeMs } = flags;
  if ((peers === undefined) === (plan === undefined))
    throw usageError("A name stands for peers or for a plan.", "Give --peer, once or more, or --plan.");
  if ((peers?.length ?? 0) > MAX_NAME_PEERS)
    throw usageError(`A name stands for ${MAX_NAME_PEERS} peers at most.`);
  const what = plan === undefined ? { peers: peers ?? [] } : { plan };
  const lifetime = lifetimeMs === undefined ? {} : { lifetimeMs };
  const view = await atRelay(flags.relay, (owner) => registerName(owner, { name, ...what, ...lifetime }));
  await say(flags, { name: nameViewJson.write(view) }, `${line(view)}. Set it again in time to keep it.`);
  return EXIT.ok;
}

async function show(name: string, flags: RelayFlags): Promise<Exit> {
  const view = await atRelay(flags.relay, (owner) => findName(owner, name));
  const text = `${line(view)}. It is ${view.owner}'s, version ${view.version}.`;
  await say(flags, { name: nameViewJson.write(view) }, text);
  return EXIT.ok;
}

async function list(flags: RelayFlags): Promise<Exit> {
  const all = await atRelay(flags.relay, listNames);
  const none = "This account has no names. Take one with `npx tabmesh name set NAME --peer IDENTITY`.";
  await say(flags, { names: nameViewsJson.write(all) }, all.length === 0 ? none : all.map(line).join("\n"));
  return EXIT.ok;
}

/** Names that stand for peers or for a plan. */
export function addNameCommand(program: Command, end: (exit: Exit) => void): void {
  const name = program
    .command("name")
    .description("names that stand for peers or a plan: a plan's steps may go to whoever answers for one")
    .addHelpText("after", "\nExample:\n  npx tabmesh name set resizer --peer 12D3KooW…");
  addRelayFlags(name.command("set"))
    .description("take a name, or say anew what it stands for")
    .argument("<name>", "small letters, digits and -", parseName)
    .option("--peer <identity>", "a provider that answers for it, first come first", each(parsePeer))
    .option("--plan <cid>", "the plan that it stands for", parsePlanCid)
    .option("--for <time>", "how long it counts, such as 24h; 90 days if absent", parseDurationMs)
    .addHelpText(
      "after",
      "\nExamples:\n  npx tabmesh name set resizer --peer 12D3KooW… --peer 12D3KooX…\n" +
        "  npx tabmesh name set report --plan bafyrei…\n\n" +
        "A name stays this account's for as long as it is set again in time. A plan's step goes to a name's peers with\n" +
        "`place: {at: name, name: resizer}`; `tabmesh deploy --on cid:report` runs a plan when a name leads elsewhere.",
    )
    .action(async (which: string, flags: SetFlags) => end(await set(which, flags)));
  addRelayFlags(name.command("show"))
    .description("show what a name stands for, whose it is, and who of its peers is here")
    .argument("<name>", "small letters, digits and -", parseName)
    .addHelpText("after", "\nExample:\n  npx tabmesh name show resizer")
    .action(async (which: string, flags: RelayFlags) => end(await show(which, flags)));
  addRelayFlags(name.command("list"))
    .description("show this account's names")
    .addHelpText("after", "\nExample:\n  npx tabmesh name list")
    .action(async (flags: RelayFlags) => end(await list(flags)));
}

import { type Command, InvalidArgumentError } from "commander";
import { isModelName } from "../../protocol/messages/model.ts";
import {
  type AccountOwner,
  listModels,
  type PublishedModel,
  publishModel,
  type PublishProgress,
  unpublishModel,
} from "../../sdk/index.ts";
import { printableWords } from "../chat/printable.ts";
import { homeFolder } from "../home/folder.ts";
import { ensureIdentity } from "../home/identity.ts";
import { filePins } from "../home/pins.ts";
import { listenForInterrupts } from "../interrupts.ts";
import { addRelayFlags, type RelayFlags } from "../job-flags.ts";
import { EXIT, type Exit, usageError } from "../plain-error.ts";
import { LiveBlock } from "../progress/live-block.ts";
import { bar } from "../progress/progress-line.ts";
import { bytesText } from "../quantities.ts";
import { relayTrouble } from "../requester.ts";
import { writeAll } from "../write-all.ts";

const BAR_WIDTH = 24;

async function ownerAt(relay: string): Promise<AccountOwner> {
  const home = homeFolder(process.env);
  const { seed } = await ensureIdentity(home, Date.now());
  return { relay, seed, pins: filePins(home) };
}

/** @throws InvalidArgumentError */
function parseName(text: string): string {
  if (isModelName(text)) return text;
  throw new InvalidArgumentError(
    "It takes a to z, 0 to 9 and behind the first character . _ - : 63 at most.",
  );
}

/** A model's own name as a name that relays take. */
export function nameFrom(text: string): string {
  const name = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/gu, "-")
    .replace(/^[^a-z0-9]+/u, "")
    .slice(0, 63);
  if (!isModelName(name)) throw usageError("The model has no name to go by.", "Give it one with --name.");
  return name;
}

/** The upload in one line, as in "▕███ ▏ 12 of 30 MB, 5 MB were there". */
function progressText({ bytes, totalBytes, bytesBefore }: PublishProgress): string {
  const before = bytesBefore === 0 ? "" : `, ${bytesText(bytesBefore)} were there`;
  return `${bar(bytes / totalBytes, BAR_WIDTH)} ${bytesText(bytes)} of ${bytesText(totalBytes)}${before}`;
}

interface PublishFlags extends RelayFlags {
  readonly name?: string;
  readonly quiet?: boolean;
}

async function publish(file: string, flags: PublishFlags): Promise<Exit> {
  const { openFileChunks } = await import("../../relay/models/publish/file-chunks.ts");
  const source = await openFileChunks(file);
  const name = flags.name ?? nameFrom(source.manifest.name);
  const isShown = process.stderr.isTTY && flags.quiet !== true && flags.json !== true;
  const block = new LiveBlock(process.stderr);
  const interrupts = listenForInterrupts(() => undefined);
  let newest: PublishProgress | undefined;
  try {
    const published = await publishModel(await ownerAt(flags.relay), source, {
      name,
      signal: interrupts.signal,
      onProgress(progress) {
        newest = progress;
        if (isShown) block.draw([progressText(progress)]);
      },
    });
    if (isShown) block.end();
    const bytesSent = (newest?.bytes ?? 0) - (newest?.bytesBefore ?? 0);
    const text = `${published.name}: ${bytesText(published.size)}, ${bytesText(bytesSent)} of them sent.\n${published.cid}`;
    const told = JSON.stringify({ ok: true, bytesSent, ...published });
    await writeAll(process.stdout, `${flags.json === true ? told : text}\n`);
    return EXIT.ok;
  } catch (error) {
    if (isShown) block.end();
    if (!interrupts.signal.aborted) throw relayTrouble(error, flags.relay);
    await writeAll(process.stderr, "Broken off. The same command sends the rest.\n");
    return EXIT.interrupted;
  } finally {
    interrupts.release();
    await source.close();
  }
}

function listText(models: readonly PublishedModel[]): string {
  if (models.length === 0) return "This relay publishes no models.\n";
  const width = Math.max(...models.map(({ name }) => name.length));
  const lines = models.map(({ name, entry, size, memory, context, dimensions, licence, cid }) => {
    const does =
      entry === "generate" ? `continues text, ${context} positions` : `${dimensions} values a text`;
    const needs = `${bytesText(size)}, runs in ${bytesText(memory)}`;
    return `${name.padEnd(width)}  ${does}; ${needs}; ${printableWords(licence)}\n${" ".repeat(width)}  ${cid}`;
  });
  return `${lines.join("\n")}\n`;
}

async function list({ relay, json }: RelayFlags): Promise<Exit> {
  const models = await listModels(relay).catch((error: unknown) => {
    throw relayTrouble(error, relay);
  });
  await writeAll(
    process.stdout,
    json === true ? `${JSON.stringify({ ok: true, models })}\n` : listText(models),
  );
  return EXIT.ok;
}

async function unpublish(name: string, { relay, json }: RelayFlags): Promise<Exit> {
  try {
    await unpublishModel(await ownerAt(relay), name);
  } catch (error) {
    throw relayTrouble(error, relay);
  }
  const text = `${name} is published no more.`;
  await writeAll(process.stdout, `${json === true ? JSON.stringify({ ok: true, name }) : text}\n`);
  return EXIT.ok;
}

/** What a relay keeps for everybody, below `model`. */
export function addPublishCommands(group: Command, end: (exit: Exit) => void): void {
  addRelayFlags(group.command("publish"))
    .description("give a relay a model file to keep for everybody, under a name; sends only what it lacks")
    .argument("<file>", "model file")
    .option("--name <name>", "what others call it; from the model's own name if absent", parseName)
    .option("-q, --quiet", "no progress")
    .addHelpText(
      "after",
      "\nExample:\n  npx tabmesh model publish smollm2.tmm --name smollm2-135m\n\nBroken off, the same command goes on where it was.",
    )
    .action(async (file: string, flags: PublishFlags) => end(await publish(file, flags)));
  addRelayFlags(group.command("list"))
    .description("list the models that a relay publishes")
    .addHelpText("after", "\nExample:\n  npx tabmesh model list --json")
    .action(async (flags: RelayFlags) => end(await list(flags)));
  addRelayFlags(group.command("unpublish"))
    .description("take a name back from a relay; jobs under way end as they would")
    .argument("<name>", "as `model list` shows it")
    .addHelpText("after", "\nExample:\n  npx tabmesh model unpublish smollm2-135m")
    .action(async (name: string, flags: RelayFlags) => end(await unpublish(name, flags)));
}

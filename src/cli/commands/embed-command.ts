import { text as textOf } from "node:stream/consumers";
import type { Command } from "commander";
import { type Embeddings, type ModelJobOptions, rank, type Ranked } from "../../sdk/index.ts";
import { listenForInterrupts } from "../interrupts.ts";
import { addRelayFlags, type RelayFlags } from "../job-flags.ts";
import { pickModel } from "../pick-model.ts";
import { EXIT, type Exit, usageError } from "../plain-error.ts";
import { JobDisplay } from "../progress/job-display.ts";
import {
  countText,
  creditsText,
  creditUnit,
  parseCount,
  parseCredits,
  parseDurationMs,
} from "../quantities.ts";
import { connectAs } from "../requester.ts";
import { summaryJson } from "../summary.ts";
import { writeAll } from "../write-all.ts";

/** Length 1 in Q15. */
const ONE = 32_768;

interface EmbedFlags extends RelayFlags {
  readonly model?: string;
  readonly query?: string;
  readonly parallel?: number;
  readonly cap?: bigint;
  readonly wait?: number;
  readonly quiet?: boolean;
  readonly yes?: boolean;
}

/** The texts of the command line, or the lines of standard input. */
async function textsOf(given: readonly string[]): Promise<readonly string[]> {
  const read =
    given.length > 0 || process.stdin.isTTY ? given : (await textOf(process.stdin)).split(/\r?\n/u);
  const texts = read.map((text) => text.trim()).filter((text) => text !== "");
  if (texts.length === 0)
    throw usageError("There is no text.", "Name some, or write one per line on standard input.");
  return texts;
}

async function embed(given: readonly string[], flags: EmbedFlags): Promise<Exit> {
  const texts = await textsOf(given);
  const { query, quiet, parallel, cap, wait } = flags;
  const tabmesh = await connectAs(flags);
  const { testMoney } = tabmesh.relay;
  const display = new JobDisplay({
    screen: process.stderr,
    testMoney,
    quiet: quiet === true,
    nowMs: () => performance.now(),
  });
  const interrupts = listenForInterrupts(() =>
    display.note("Cancelling at the providers. Press Ctrl-C again to quit at once."),
  );
  try {
    const model = await pickModel(tabmesh, "embed", flags);
    const options: ModelJobOptions = {
      ...(parallel === undefined ? {} : { parallel }),
      ...(cap === undefined ? {} : { cap }),
      ...(wait === undefined ? {} : { noProviderTimeoutMs: wait }),
      signal: interrupts.signal,
      onProgress: (progress) => display.update(progress),
    };
    const all = query === undefined ? texts : [query, ...texts];
    const made = await tabmesh.embed(model, all, options);
    display.end();
    await writeAll(
      process.stdout,
      flags.json === true ? jsonOf(texts, made, flags) : plainOf(texts, made, query),
    );
    if (flags.json !== true && quiet !== true)
      await writeAll(process.stderr, `${madeLine(made, testMoney)}\n`);
    return EXIT.ok;
  } catch (error) {
    display.end();
    if (!interrupts.signal.aborted) throw error;
    return EXIT.interrupted;
  } finally {
    interrupts.release();
    await tabmesh.close();
  }
}

/** Texts by their likeness to the query, whose vector is the first. */
function ranked({ vectors: [query, ...vectors] }: Embeddings): readonly Ranked[] {
  return query === undefined ? [] : rank(query, vectors);
}

function plainOf(texts: readonly string[], made: Embeddings, query: string | undefined): string {
  const lines =
    query === undefined
      ? made.vectors.map(
          (vector) => `[${Array.from(vector, (value) => (value / ONE).toFixed(5)).join(", ")}]`,
        )
      : ranked(made).map(({ index, score }) => `${score.toFixed(4).padStart(7)}  ${texts[index] ?? ""}`);
  return `${lines.join("\n")}\n`;
}

function jsonOf(texts: readonly string[], made: Embeddings, { query }: EmbedFlags): string {
  const { vectors, tokens, dimensions, providers, summary } = made;
  const told = {
    ok: true,
    dimensions,
    one: ONE,
    ...(query === undefined
      ? {}
      : { query, ranked: ranked(made).map(({ index, score }) => ({ text: texts[index], index, score })) }),
    vectors: vectors.map((vector) => Array.from(vector)),
    tokens,
    providers,
    ...summaryJson(summary),
  };
  return `${JSON.stringify(told)}\n`;
}

function madeLine({ vectors, tokens, providers, summary }: Embeddings, testMoney: boolean): string {
  const all = tokens.reduce((sum, count) => sum + count, 0);
  const who = countText(new Set(providers).size, "provider");
  return `${countText(vectors.length, "text")}, ${countText(all, "token")}, ${who}: ${creditsText(summary.spent)} ${creditUnit(testMoney)} spent.`;
}

export function addEmbedCommand(program: Command, end: (exit: Exit) => void): void {
  const command = program
    .command("embed")
    .description("turn texts into vectors in browser tabs, or rank them by their likeness to a query")
    .argument("[texts...]", "texts; lines of standard input if there are none")
    .option("-m, --model <name>", "name or CID; the only one that makes vectors if absent")
    .option("--query <text>", "print the texts by their likeness to this one, most alike first");
  addRelayFlags(command)
    .option("--parallel <n>", "providers at a time", parseCount)
    .option("--cap <credits>", "the most it may cost", parseCredits)
    .option("--wait <time>", "how long to wait when there is no provider", parseDurationMs)
    .option("-q, --quiet", "print the result only")
    .option("--yes", "you know that providers can read inputs")
    .addHelpText(
      "after",
      '\nExamples:\n  npx tabmesh embed "A dog barks." "It rains." --query "What animal is that?"\n' +
        "  npx tabmesh embed --json < lines.txt > vectors.json\n\n" +
        "Vectors have the length 1; with --json they are the exact whole numbers, of which 32768 is 1. Providers can read\n" +
        "the texts.",
    )
    .action(async (texts: readonly string[], flags: EmbedFlags) => end(await embed(texts, flags)));
}

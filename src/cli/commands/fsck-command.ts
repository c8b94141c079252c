import type { Command } from "commander";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { CheckedLog } from "../../relay/fsck/check-source.ts";
import { homeFolder } from "../home/folder.ts";
import { type KnownKey, knownKey } from "../verify/log-key.ts";
import { listenForInterrupts } from "../interrupts.ts";
import { checkedJson, checkedText, readingText } from "../log/log-words.ts";
import { openLog } from "../log/open-log.ts";
import { parseRelay } from "../job-flags.ts";
import { EXIT, type Exit, usageError } from "../plain-error.ts";
import { LiveBlock } from "../progress/live-block.ts";
import { writeAll } from "../write-all.ts";

interface FsckFlags {
  readonly dataDir?: string;
  readonly relay?: string;
  readonly signatures?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

function placeOf(file: string | undefined, { dataDir, relay }: FsckFlags): string {
  const named = [file, dataDir, relay].filter((place) => place !== undefined);
  if (named.length > 1)
    throw usageError("Only one log can be checked at a time.", "Give a file, --data-dir or --relay.");
  return named[0] ?? process.env["TABMESH_DATA_DIR"] ?? ".tabmesh/relay";
}

/** The log under a key that is not one of its own is not the log that was meant. */
function heldTo(checked: CheckedLog, known: KnownKey | undefined): CheckedLog {
  if (known === undefined || checked.logKeys.includes(known.key)) return checked;
  const problem = `its log key was never the one ${known.from === "given" ? "given" : "met here first"}, ${known.key}`;
  return { ...checked, problems: [...checked.problems, problem] };
}

/** Checks a whole log and says what came of it. */
export async function runFsck(
  place: string,
  flags: Pick<FsckFlags, "signatures" | "json" | "quiet"> & { readonly key?: PeerId },
): Promise<Exit> {
  const { checkSource } = await import("../../relay/fsck/check-source.ts");
  const isShown = process.stderr.isTTY && flags.quiet !== true && flags.json !== true;
  const block = new LiveBlock(process.stderr);
  const interrupts = listenForInterrupts(() => undefined);
  try {
    const source = await openLog(place, interrupts.signal);
    try {
      const read = await checkSource(source, {
        signatures: flags.signatures === true,
        signal: interrupts.signal,
        onProgress: (progress) => isShown && block.draw([readingText(progress)]),
      });
      const known = await knownKey(homeFolder(process.env), read.origin ?? "", flags.key);
      const checked = heldTo(read, known);
      if (isShown) block.end();
      const told =
        flags.json === true
          ? `${JSON.stringify(checkedJson(checked, known))}\n`
          : checkedText(checked, known);
      await writeAll(process.stdout, told);
      return checked.problems.length === 0 ? EXIT.ok : EXIT.failed;
    } finally {
      source.close();
    }
  } catch (error) {
    if (isShown) block.end();
    if (!interrupts.signal.aborted) throw error;
    return EXIT.interrupted;
  } finally {
    interrupts.release();
  }
}

/** Checks a whole log. */
export function addFsckCommand(program: Command, end: (exit: Exit) => void): void {
  program
    .command("fsck")
    .description("read a relay's log from its beginning and recompute its root and every balance")
    .argument("[log]", "a relay's folder or books.sqlite, or a folder of C2SP tiles")
    .option("--data-dir <folder>", "a relay's folder; the relay must not run (default: .tabmesh/relay)")
    .option("--relay <url>", "a relay that runs, read over HTTP", parseRelay)
    .option("--signatures", "verify every signature too, on all cores")
    .option("-q, --quiet", "no progress")
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  npx tabmesh fsck --data-dir .tabmesh/relay\n  npx tabmesh fsck --relay https://relay.example --signatures\n\n" +
        "Ends with 0 when the log is sound, 1 when it is not or cannot be read, 2 when the command line is wrong.",
    )
    .action(async (file: string | undefined, flags: FsckFlags) =>
      end(await runFsck(placeOf(file, flags), flags)),
    );
}

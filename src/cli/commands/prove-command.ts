import { writeFile } from "node:fs/promises";
import { type Command, InvalidArgumentError } from "commander";
import { type Cid, isCid } from "../../protocol/cid.ts";
import { proveEntry, proveJob } from "../../sdk/index.ts";
import { homeFolder } from "../home/folder.ts";
import { filePins } from "../home/pins.ts";
import { addRelayFlags, type RelayFlags } from "../job-flags.ts";
import { EXIT, type Exit, usageError } from "../plain-error.ts";
import { requireWritable } from "../precious.ts";
import { relayTrouble } from "../requester.ts";
import { writeAll } from "../write-all.ts";

interface ProveFlags extends RelayFlags {
  readonly entry?: number;
  readonly job?: Cid;
  readonly output?: string;
  readonly force?: boolean;
}

function parseIndex(text: string): number {
  if (/^\d{1,15}$/u.test(text)) return Number(text);
  throw new InvalidArgumentError("It is the number of an entry, as receipts and the log count them.");
}

function parseJob(text: string): Cid {
  if (isCid(text)) return text;
  throw new InvalidArgumentError("It is a job's CID (bafy…).");
}

function proofOf({ entry, job, relay }: ProveFlags): Promise<string> {
  const at = { relay, pins: filePins(homeFolder(process.env)) };
  if (entry !== undefined && job === undefined) return proveEntry(at, entry);
  if (job !== undefined && entry === undefined) return proveJob(at, job);
  throw usageError("Say what to prove: --entry with a number, or --job with a CID.");
}

function isProof(bytes: Buffer): boolean {
  return bytes.subarray(0, 22).toString("latin1") === "c2sp.org/tlog-proof@v1";
}

async function prove(flags: ProveFlags): Promise<Exit> {
  const { output, json, relay } = flags;
  if (output !== undefined && flags.force !== true) await requireWritable(output, isProof, "a proof");
  const text = await proofOf(flags).catch((error: unknown) => {
    throw relayTrouble(error, relay);
  });
  if (output !== undefined) await writeFile(output, text);
  const told =
    output === undefined
      ? text
      : `Wrote ${output}. Anybody can judge it offline with: npx tabmesh verify ${output}\n`;
  await writeAll(
    process.stdout,
    json === true ? `${JSON.stringify({ ok: true, file: output ?? null, proof: text })}\n` : told,
  );
  return EXIT.ok;
}

/** Makes proofs that `verify` judges. */
export function addProveCommand(program: Command, end: (exit: Exit) => void): void {
  addRelayFlags(program.command("prove"))
    .description(
      "have a relay prove that its log holds an entry, or the receipts of a job, as a C2SP tlog-proof",
    )
    .option("--entry <number>", "entry of the log", parseIndex)
    .option("--job <cid>", "the newest receipt of each lease of a job", parseJob)
    .option("-o, --output <file>", "where to write it; to standard output if absent")
    .option("--force", "write over another file")
    .addHelpText(
      "after",
      "\nExamples:\n  npx tabmesh prove --entry 1234 -o payout.tlog-proof\n  npx tabmesh prove --job bafyrei… -o job.tlog-proof",
    )
    .action(async (flags: ProveFlags) => end(await prove(flags)));
}

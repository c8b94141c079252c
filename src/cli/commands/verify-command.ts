import type { Command } from "commander";
import type { PeerId } from "../../protocol/peer-id.ts";
import { homeFolder } from "../home/folder.ts";
import { EXIT, type Exit } from "../plain-error.ts";
import { parseLogKey } from "../verify/log-key.ts";
import type { Verdict } from "../verify/verdict.ts";
import { writeAll } from "../write-all.ts";
import { runFsck } from "./fsck-command.ts";

interface VerifyFlags {
  readonly key?: PeerId;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

async function say({ ok, lines, json }: Verdict, flags: VerifyFlags): Promise<Exit> {
  const told = flags.json === true ? JSON.stringify({ ok, ...json }) : lines.join("\n");
  await writeAll(process.stdout, `${told}\n`);
  return ok ? EXIT.ok : EXIT.failed;
}

async function verify(what: string, flags: VerifyFlags): Promise<Exit> {
  const { readSubject } = await import("../verify/read-subject.ts");
  const home = homeFolder(process.env);
  const subject = await readSubject(what);
  switch (subject.kind) {
    case "log":
      return runFsck(subject.place, { ...flags, signatures: true });
    case "proofs": {
      const { verifyProofs } = await import("../verify/verify-proofs.ts");
      return say(await verifyProofs(subject.proofs, home, flags.key), flags);
    }
    case "evidence": {
      const { verifyEvidence } = await import("../verify/verify-evidence.ts");
      return say(await verifyEvidence(subject.evidence, home, flags.key), flags);
    }
    case "receipt": {
      const { verifyReceipt } = await import("../verify/verify-receipt.ts");
      return say(await verifyReceipt(subject.receipt), flags);
    }
    default:
      return subject satisfies never;
  }
}

/** Judges offline whatever proves something. */
export function addVerifyCommand(program: Command, end: (exit: Exit) => void): void {
  program
    .command("verify")
    .description(
      "judge a proof, a job, a receipt, evidence or a whole log, by nothing but itself and the log's key",
    )
    .argument("<what>", "a file, a relay's folder, a folder of C2SP tiles, or a relay's URL")
    .option("--key <key>", "the log's key: a peer id or origin+id+base64", parseLogKey)
    .option("-q, --quiet", "no progress")
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  npx tabmesh verify payout.tlog-proof\n  npx tabmesh verify relay.tabmesh-evidence\n" +
        "  npx tabmesh verify https://relay.example\n\n" +
        "What it is, it tells by the content. Ends with 0 when it proves what it is for: a proof that the log holds an entry,\n" +
        "evidence that somebody contradicts itself, a log that it is sound; with 1 when it does not, is open or cannot be read;\n" +
        "with 2 when the command line is wrong. Without --key, keys of relays used from here before count.",
    )
    .action(async (what: string, flags: VerifyFlags) => end(await verify(what, flags)));
}

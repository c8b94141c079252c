import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { identityFile } from "../../sdk/index.ts";
import { homeFolder, writePrivate } from "../home/folder.ts";
import { ensureIdentity, readIdentity, replaceIdentity } from "../home/identity.ts";
import { EXIT, type Exit } from "../plain-error.ts";
import { writeAll } from "../write-all.ts";

interface IdentityFlags {
  readonly json?: boolean;
}

async function say(flags: IdentityFlags, json: unknown, text: string): Promise<void> {
  await writeAll(process.stdout, `${flags.json === true ? JSON.stringify(json) : text}\n`);
}

async function show(flags: IdentityFlags): Promise<void> {
  const home = homeFolder(process.env);
  const { peer, createdAt } = await ensureIdentity(home, Date.now());
  const made = new Date(createdAt).toISOString();
  await say(
    flags,
    { ok: true, peer, file: home.identity, createdAt },
    `${peer}\nin ${home.identity}, made ${made}`,
  );
}

async function exportTo(file: string | undefined, flags: IdentityFlags): Promise<void> {
  const identity = await ensureIdentity(homeFolder(process.env), Date.now());
  const text = identityFile(identity);
  if (file === undefined) {
    await writeAll(process.stdout, text);
    return;
  }
  await writePrivate(file, text);
  await say(
    flags,
    { ok: true, peer: identity.peer, file },
    `Wrote ${identity.peer} to ${file}. Whoever has this file can spend its credits.`,
  );
}

async function importFrom(file: string, flags: IdentityFlags): Promise<void> {
  const home = homeFolder(process.env);
  const identity = await readIdentity(await readFile(file, "utf8"), file);
  const kept = await replaceIdentity(home, identity);
  const before = kept === undefined ? "" : ` The one before is kept in ${kept}.`;
  await say(
    flags,
    { ok: true, peer: identity.peer, ...(kept === undefined ? {} : { kept }) },
    `This is ${identity.peer} now.${before}`,
  );
}

export function addIdentityCommand(program: Command, end: (exit: Exit) => void): void {
  const identity = program
    .command("identity")
    .description("the identity that pays, kept in TABMESH_HOME or ~/.tabmesh")
    .addHelpText("after", "\nExample:\n  npx tabmesh identity show");
  identity
    .command("show")
    .description("print its name; makes one if there is none")
    .option("--json", "print the result as JSON")
    .addHelpText("after", "\nExample:\n  npx tabmesh identity show --json")
    .action(async (flags: IdentityFlags) => {
      await show(flags);
      end(EXIT.ok);
    });
  identity
    .command("export")
    .description("write it to a file, for another machine or for safe keeping: the file is a secret")
    .argument("[file]", "standard output when left out")
    .option("--json", "print the result as JSON")
    .addHelpText("after", "\nExample:\n  npx tabmesh identity export my-identity.json")
    .action(async (file: string | undefined, flags: IdentityFlags) => {
      await exportTo(file, flags);
      end(EXIT.ok);
    });
  identity
    .command("import")
    .description("use the identity of a file, also of one that a browser saved")
    .argument("<file>")
    .option("--json", "print the result as JSON")
    .addHelpText("after", "\nExample:\n  npx tabmesh identity import tabmesh-identity.json")
    .action(async (file: string, flags: IdentityFlags) => {
      await importFrom(file, flags);
      end(EXIT.ok);
    });
}

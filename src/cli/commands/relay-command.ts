import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import type { RelayKeys } from "../../protocol/messages/entry.ts";
import { DIST_FOLDER } from "../built-app.ts";
import { listenForInterrupts } from "../interrupts.ts";
import { EXIT, type Exit } from "../plain-error.ts";
import { addDataFlags, type DataFlags, say } from "./relay-data.ts";
import { settingsHelp } from "./relay-help.ts";
import { addPolicyCommand } from "./relay-policy-command.ts";
import { addMoneyCommands } from "./relay-payout-command.ts";

/** The relay's code is loaded by the commands that need it. */

const PURPOSES: readonly (keyof RelayKeys)[] = ["log", "lease", "draw"];

function parsePurpose(text: string): keyof RelayKeys {
  const purpose = PURPOSES.find((known) => known === text);
  if (purpose === undefined) throw new InvalidArgumentError(`It is one of ${PURPOSES.join(", ")}.`);
  return purpose;
}

/** Runs a relay until it is told to stop. @param args flags as in RELAY_SETTINGS. */
async function serve(args: readonly string[]): Promise<Exit> {
  const [{ parseRelayConfig }, { startRelay }, { meshGateway }, { meshAuditor }, { meshPlans }] =
    await Promise.all([
      import("../../relay/settings.ts"),
      import("../../relay/start-relay.ts"),
      import("../gateway/mesh-gateway.ts"),
      import("../gateway/mesh-auditor.ts"),
      import("../deployments/mesh-plans.ts"),
    ]);
  const config = parseRelayConfig(args, process.env);
  const isBuilt = existsSync(join(DIST_FOLDER, "index.html"));
  const stopped = Promise.withResolvers<void>();
  const interrupts = listenForInterrupts(() => stopped.resolve());
  const relay = await startRelay(
    { ...(isBuilt ? { staticDir: DIST_FOLDER } : {}), ...config },
    { gateway: meshGateway, auditor: meshAuditor, plans: meshPlans },
  );
  await stopped.promise;
  await relay.stop();
  interrupts.release();
  return EXIT.ok;
}

function addCopyCommands(relay: Command): void {
  addDataFlags(relay.command("backup"))
    .description("copy accounts, log and keys into a new folder, also while the relay runs")
    .argument("<to>", "folder that does not exist yet")
    .addHelpText("after", "\nExample:\n  npx tabmesh relay backup /backups/relay-monday")
    .action(async (to: string, flags: DataFlags) => {
      const { backupTo } = await import("../../relay/operate.ts");
      await backupTo(flags.dataDir, to);
      await say(
        flags,
        { ok: true, to },
        `Copied ${flags.dataDir} to ${to}. The copy holds the relay's keys: keep it safe.`,
      );
    });
  addDataFlags(relay.command("restore"))
    .description("put a backup in place; the relay must not run")
    .argument("<from>", "folder that backup made")
    .addHelpText(
      "after",
      "\nExample:\n  npx tabmesh relay restore /backups/relay-monday --data-dir .tabmesh/relay",
    )
    .action(async (from: string, flags: DataFlags) => {
      const { restoreFrom } = await import("../../relay/operate.ts");
      const { origin, size } = await restoreFrom(from, flags.dataDir);
      await say(
        flags,
        { ok: true, origin, size },
        `Restored ${origin}, a log of ${size} entries, to ${flags.dataDir}.`,
      );
    });
  addDataFlags(relay.command("migrate"))
    .description("bring the database to this version's schema; starting the relay does that too")
    .addHelpText("after", "\nExample:\n  npx tabmesh relay migrate")
    .action(async (flags: DataFlags) => {
      const { migrateAt } = await import("../../relay/operate.ts");
      const { from, to } = migrateAt(flags.dataDir);
      const text =
        from === to ? `Nothing to do: schema ${to} is the newest.` : `Migrated from schema ${from} to ${to}.`;
      await say(flags, { ok: true, from, to }, text);
    });
}

function addDenyCommands(relay: Command): void {
  addDataFlags(relay.command("deny"))
    .description("serve a function, an input or an identity no longer")
    .argument("<what>", "CID or peer id")
    .option("--reason <text>", "for the operator alone", "")
    .addHelpText("after", "\nExample:\n  npx tabmesh relay deny bafkrei… --reason 'mines coins'")
    .action(async (what: string, flags: DataFlags & { readonly reason: string }) => {
      const { denyAt } = await import("../../relay/operate.ts");
      await denyAt(flags.dataDir, what, flags.reason);
      await say(flags, { ok: true, denied: what }, `${what} is denied from now on.`);
    });
  addDataFlags(relay.command("undeny"))
    .description("serve it again")
    .argument("<what>", "CID or peer id")
    .addHelpText("after", "\nExample:\n  npx tabmesh relay undeny bafkrei…")
    .action(async (what: string, flags: DataFlags) => {
      const { undenyAt } = await import("../../relay/operate.ts");
      const was = await undenyAt(flags.dataDir, what);
      await say(flags, { ok: true, was }, was ? `${what} is served again.` : `${what} was not denied.`);
    });
  addDataFlags(relay.command("denials"))
    .description("list what is denied")
    .addHelpText("after", "\nExample:\n  npx tabmesh relay denials")
    .action(async (flags: DataFlags) => {
      const { listDenied } = await import("../../relay/operate.ts");
      const denied = await listDenied(flags.dataDir);
      const lines = denied.map(({ value, reason }) => (reason === "" ? value : `${value}  ${reason}`));
      await say(flags, denied, lines.length === 0 ? "Nothing is denied." : lines.join("\n"));
    });
}

function addKeyCommand(relay: Command): void {
  addDataFlags(relay.command("rotate-key"))
    .description("replace a signing key; the log says so under the old one's signature")
    .argument("<purpose>", PURPOSES.join(", "), parsePurpose)
    .addHelpText("after", "\nExample:\n  npx tabmesh relay rotate-key lease")
    .action(async (purpose: keyof RelayKeys, flags: DataFlags) => {
      const { rotateKeyAt } = await import("../../relay/operate.ts");
      const key = await rotateKeyAt(flags.dataDir, purpose);
      await say(flags, { ok: true, purpose, key }, `The ${purpose} key is now ${key}.`);
    });
}

export function addRelayCommand(program: Command, end: (exit: Exit) => void): void {
  const relay = program
    .command("relay")
    .description("run a relay, or look after one")
    .argument("[settings...]", "settings as listed below")
    .allowUnknownOption()
    .addHelpText("after", () => settingsHelp())
    .action(async (_settings: readonly string[], _flags: unknown, command: Command) =>
      end(await serve(command.args)),
    );
  addCopyCommands(relay);
  addDenyCommands(relay);
  addKeyCommand(relay);
  addPolicyCommand(relay);
  addMoneyCommands(relay);
}

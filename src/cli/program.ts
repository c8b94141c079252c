import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { addAccountCommand } from "./commands/account-command.ts";
import { addAlertsCommand } from "./commands/alerts-command.ts";
import { addChatCommand } from "./commands/chat-command.ts";
import { addDeployCommands } from "./commands/deploy-command.ts";
import { addEmbedCommand } from "./commands/embed-command.ts";
import { addFsckCommand } from "./commands/fsck-command.ts";
import { addFunctionCommand } from "./commands/function-command.ts";
import { addIdentityCommand } from "./commands/identity-command.ts";
import { addLogsCommand } from "./commands/logs-command.ts";
import { addMapCommand } from "./commands/map-command.ts";
import { addMcpCommand } from "./commands/mcp-command.ts";
import { addModelCommand } from "./commands/model-command.ts";
import { addPlanCommand } from "./commands/plan-command.ts";
import { addProveCommand } from "./commands/prove-command.ts";
import { addRelayCommand } from "./commands/relay-command.ts";
import { addRenderCommand } from "./commands/render-command.ts";
import { addRunCommand } from "./commands/run-command.ts";
import { addNameCommand } from "./commands/name-command.ts";
import { addSiteCommand } from "./commands/site-command.ts";
import { addVerifyCommand } from "./commands/verify-command.ts";
import { explain, explanationJson, explanationText } from "./explain.ts";
import { EXIT, type Exit } from "./plain-error.ts";
import { writeAll } from "./write-all.ts";

function version(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const fields: unknown = JSON.parse(text);
  const found: unknown =
    typeof fields === "object" && fields !== null ? Reflect.get(fields, "version") : undefined;
  return typeof found === "string" ? found : "unknown";
}

/** @param end told how the command ended, when it ended by itself. */
export function createProgram(end: (exit: Exit) => void): Command {
  const program = new Command("tabmesh")
    .description("Run WASM functions and models in browser tabs that are paid for it, or a relay for them.")
    .version(version())
    .exitOverride()
    // Flags behind a subcommand are the subcommand's, also where the command has the same ones.
    .enablePositionalOptions()
    .showHelpAfterError("(see --help for an example)")
    .addHelpText(
      "after",
      "\nExample:\n  npx tabmesh render examples/raytrace/scenes/studio.json -o studio.png\n\n" +
        "Exit codes: 0 done, 1 the job failed, 2 the command line is wrong, 130 interrupted.\n" +
        "Providers can read inputs.",
    );
  addRunCommand(program, end);
  addPlanCommand(program, end);
  addMapCommand(program, end);
  addRenderCommand(program, end);
  addFunctionCommand(program, end);
  addChatCommand(program, end);
  addEmbedCommand(program, end);
  addModelCommand(program, end);
  addDeployCommands(program, end);
  addLogsCommand(program, end);
  addRelayCommand(program, end);
  addProveCommand(program, end);
  addVerifyCommand(program, end);
  addFsckCommand(program, end);
  addAccountCommand(program, end);
  addAlertsCommand(program, end);
  addIdentityCommand(program, end);
  addNameCommand(program, end);
  addSiteCommand(program, end);
  addMcpCommand(program, end);
  inherit(program);
  return program;
}

/** Subcommands do not inherit these from the program they were added to. */
function inherit(command: Command): void {
  for (const child of command.commands) {
    child.copyInheritedSettings(command);
    inherit(child);
  }
}

/** Runs one command line. @param args without node and script. Never throws. @returns the exit code. */
export async function runTabmesh(args: readonly string[]): Promise<Exit> {
  let exit: Exit = EXIT.ok;
  const program = createProgram((code) => {
    exit = code;
  });
  try {
    await program.parseAsync([...args], { from: "user" });
    return exit;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const explanation = explain(error);
    if (args.includes("--json"))
      await writeAll(process.stdout, `${JSON.stringify(explanationJson(explanation))}\n`);
    await writeAll(process.stderr, explanationText(explanation));
    return explanation.exit;
  }
}

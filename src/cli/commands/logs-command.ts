import { type Command, InvalidArgumentError } from "commander";
import type { LogsFlags } from "../deployments/show-logs.ts";
import { addRelayFlags } from "../job-flags.ts";
import type { Exit } from "../plain-error.ts";

/** @throws InvalidArgumentError */
function parseFrom(text: string): number {
  if (/^\d{1,9}$/u.test(text)) return Number(text);
  throw new InvalidArgumentError("It takes the number of a line, from 0 on.");
}

/** What happened to a deployment. */
export function addLogsCommand(program: Command, end: (exit: Exit) => void): void {
  addRelayFlags(program.command("logs"))
    .description("show what happened to a deployment: firings, runs, replicas, versions")
    .argument("<name>", "as `npx tabmesh deployments` shows it")
    .option("-f, --follow", "go on with what happens, until Ctrl-C")
    .option("--from <number>", "the first line to show", parseFrom, 0)
    .addHelpText("after", "\nExample:\n  npx tabmesh logs digest -f")
    .action(async (name: string, flags: LogsFlags) => {
      const { showLogs } = await import("../deployments/show-logs.ts");
      end(await showLogs(name, flags));
    });
}

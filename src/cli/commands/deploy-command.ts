import { type Command, InvalidArgumentError, Option } from "commander";
import { isDeploymentName, MISSED_POLICIES } from "../../protocol/messages/deploy.ts";
import { MAX_REPLICAS } from "../../protocol/limits.ts";
import { addRelayFlags, type RelayFlags } from "../job-flags.ts";
import type { Exit } from "../plain-error.ts";
import type { DeployFlags } from "../deployments/deploy-plan.ts";
import { parseEvery, parseOn, parseZone } from "../deployments/trigger-flags.ts";
import { parseCredits, parsePair } from "../quantities.ts";

function each<T>(
  read: (text: string) => T,
): (text: string, before: readonly T[] | undefined) => readonly T[] {
  return (text, before = []) => [...before, read(text)];
}

/** @throws InvalidArgumentError */
function parseName(text: string): string {
  if (isDeploymentName(text)) return text;
  throw new InvalidArgumentError("It takes small letters, digits and hyphens, 63 at most.");
}

/** @throws InvalidArgumentError */
function parseReplicas(text: string): number {
  const count = Number(text);
  if (/^\d+$/u.test(text) && count >= 1 && count <= MAX_REPLICAS) return count;
  throw new InvalidArgumentError(`It takes a number from 1 to ${MAX_REPLICAS}.`);
}

/** Plans that a relay keeps ready and runs by itself. */
export function addDeployCommands(program: Command, end: (exit: Exit) => void): void {
  addRelayFlags(program.command("deploy"))
    .description("have the relay keep a plan ready, and run it when something happens")
    .argument("<plan>", "TypeScript (.ts), JSON or YAML")
    .option("--name <name>", "what it is called: a part of its address (the plan's name)", parseName)
    .option("--replicas <count>", "owners of providers that are to stand ready", parseReplicas, 1)
    .option("--every <time>", 'a time such as 5m, or cron such as "*/5 * * * *"', each(parseEvery))
    .option("--on <event>", "webhook, cid:NAME, run:PLAN, log:CHAIN:ADDRESS or peer", each(parseOn))
    .option("--zone <zone>", "time zone of cron", parseZone, "UTC")
    .addOption(
      new Option("--missed <policy>", "times that passed while the relay was away")
        .choices(MISSED_POLICIES)
        .default("once"),
    )
    .option("--http", "anybody may call it over HTTP, at RELAY/f/NAME")
    .option("-p, --param <name=value>", "a parameter that is the same for every run", each(parsePair))
    .option("--check <name=value>", "a parameter of the run that shows that it works", each(parsePair))
    .option(
      "--with <file>",
      "a function (.wasm) that the plan calls; those beside it are found",
      each(String),
    )
    .option(
      "--cap <credits>",
      "the most that one run may cost (twice what the plan costs at its limits, half the balance at most)",
      parseCredits,
    )
    .option("--per-day <credits>", "the most that all runs of a day may cost (100 runs)", parseCredits)
    .addHelpText(
      "after",
      '\nExamples:\n  npx tabmesh deploy plan.ts --name digest --replicas 3 --every "30 6 * * 1-5" --zone Europe/Berlin\n' +
        "  npx tabmesh deploy page.yaml --http --check name=World\n\n" +
        "A run is given the parameters that --param fixes, and the others by what starts it: a call over HTTP gives any of them,\n" +
        "a webhook those in its JSON body, everything else `event` alone. Deploying a name again replaces all that was said before.",
    )
    .action(async (path: string, flags: DeployFlags) => {
      const { deployPlan } = await import("../deployments/deploy-plan.ts");
      end(await deployPlan(path, flags));
    });
  addRelayFlags(program.command("undeploy"))
    .description("end a deployment")
    .argument("<name>", "as `npx tabmesh deployments` shows it")
    .addHelpText("after", "\nExample:\n  npx tabmesh undeploy digest")
    .action(async (name: string, flags: RelayFlags) => {
      const { endDeployment } = await import("../deployments/deploy-plan.ts");
      end(await endDeployment(name, flags));
    });
  addRelayFlags(program.command("deployments"))
    .description("show what this account has deployed, and how it stands")
    .addHelpText("after", "\nExample:\n  npx tabmesh deployments")
    .action(async (flags: RelayFlags) => {
      const { showDeployments } = await import("../deployments/deploy-plan.ts");
      end(await showDeployments(flags));
    });
}

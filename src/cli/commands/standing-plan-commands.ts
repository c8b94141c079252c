import { type Command, Option } from "commander";
import { MISSED_POLICIES } from "../../protocol/messages/deploy.ts";
import { parseEvery, parseZone, type TriggerFlag } from "../deployments/trigger-flags.ts";
import { addRelayFlags } from "../job-flags.ts";
import type { Exit } from "../plain-error.ts";
import type { HoldFlags } from "../plan/hold-runs.ts";
import type { HostFlags } from "../plan/host-plan.ts";
import { each, parsePeer, parseSecret } from "../plan/plan-flags.ts";
import { parseCount, parseCredits, parseDurationMs, parsePair } from "../quantities.ts";

/** What stays there and waits: for runs that somebody has left, or for the next time of a schedule. */
export function addStandingPlanCommands(plan: Command, end: (exit: Exit) => void): void {
  const hold = plan
    .command("hold")
    .description(
      "look after runs of others: go on with those that name this identity when nobody coordinates them",
    )
    .option(
      "--for <identity>",
      "only runs that this identity has started; anybody's if absent",
      each(parsePeer),
    )
    .option("--most <n>", "how many runs to carry on at a time", parseCount, 8)
    .option("--wait <time>", "how long a step waits when there is no provider", parseDurationMs)
    .option("--yes", "you know that providers can read inputs")
    .addHelpText(
      "after",
      "\nExamples:\n  npx tabmesh plan hold\n  npx tabmesh plan hold --for 12D3KooW… --json\n\n" +
        "A run names its holders with `plan run --holder IDENTITY`. One whose starter leaves (Ctrl-C) goes on at once, one whose\n" +
        "starter vanishes after 20 s of silence. Its starter pays, never more than the run's budget.",
    )
    .action(async (flags: HoldFlags) => {
      const { holdPlanRuns } = await import("../plan/hold-runs.ts");
      end(await holdPlanRuns(flags));
    });
  addRelayFlags(hold);
  const every = plan
    .command("every")
    .description("run a plan again and again by this machine's clock, while this program is there")
    .argument("<time>", 'a time such as 5m, or cron such as "*/5 * * * *"', parseEvery)
    .argument("<plan>", "TypeScript (.ts), JSON or YAML")
    .requiredOption("--cap <credits>", "the most that each run may cost", parseCredits)
    .option("--name <name>", "tells schedules of one plan apart; the plan's name if absent")
    .option("-p, --param <name=value>", "a parameter; @FILE stands for what is in a file", each(parsePair))
    .option("--with <file>", "a function (.wasm) or model (.tmm) that the plan calls", each(String))
    .option("--secret <name[=value]>", "a secret that effects ask for", each(parseSecret))
    .option("--zone <zone>", "time zone of cron, such as Europe/Zurich", parseZone, "UTC")
    .addOption(
      new Option("--missed <policy>", "times that passed while this program was away")
        .choices(MISSED_POLICIES)
        .default("once"),
    )
    .option("--wait <time>", "how long a step waits when there is no provider", parseDurationMs)
    .option("--yes", "you know that providers can read inputs")
    .addHelpText(
      "after",
      "\nExample:\n  npx tabmesh plan every '0 7 * * 1-5' report.yaml --zone Europe/Zurich --cap 0.5\n\n" +
        "One line for each run; the runs are kept for `plan show` and `plan verify`. To have a relay do it, see `tabmesh deploy --every`.",
    )
    .action(async (time: TriggerFlag, path: string, flags: HostFlags) => {
      const { hostPlan } = await import("../plan/host-plan.ts");
      end(await hostPlan(time, path, flags));
    });
  addRelayFlags(every);
}

import type { Command } from "commander";
import { addRelayFlags } from "../job-flags.ts";
import type { Exit } from "../plain-error.ts";
import type { CheckFlags } from "../plan/check-plan.ts";
import type { GraphFlags } from "../plan/graph-plan.ts";
import type { ImportFlags } from "../plan/import-plan.ts";
import type { ListFlags } from "../plan/list-runs.ts";
import type { ShowFlags } from "../plan/show-run.ts";
import type { RunPlanFlags } from "../plan/run-plan.ts";
import { each, parseOrigin, parsePeer, parseSecret } from "../plan/plan-flags.ts";
import { parseCount, parseCredits, parseDurationMs, parsePair } from "../quantities.ts";
import { addStandingPlanCommands } from "./standing-plan-commands.ts";

/** Programs whose steps run on many peers. */
export function addPlanCommand(program: Command, end: (exit: Exit) => void): void {
  const plan = program
    .command("plan")
    .description("check, draw, run and verify plans: programs whose steps run on many peers")
    .addHelpText(
      "after",
      "\nExample:\n  npx tabmesh plan check examples/pipeline/plan.ts\n\n" +
        "A plan is a TypeScript, JSON or YAML file; docs/plan.md says what it may hold.",
    );
  const run = plan
    .command("run")
    .description("run a plan: its result on standard output, its progress on standard error")
    .argument("<plan>", "TypeScript (.ts), JSON or YAML")
    .option("-p, --param <name=value>", "a parameter; @FILE stands for what is in a file", each(parsePair))
    .option(
      "--with <file>",
      "a function (.wasm) or model (.tmm) that the plan calls; those beside it are found",
      each(String),
    )
    .option("--cap <credits>", "the most that the whole run may cost", parseCredits)
    .option("--wait <time>", "how long a step waits when there is no provider", parseDurationMs)
    .option("--timeout <time>", "when to give the run up, such as 90s or 10m", parseDurationMs)
    .option(
      "--holder <identity>",
      "who may go on with the run when this program is gone; see `plan hold`",
      each(parsePeer),
    )
    .option("--local", "run everything in this process: without relay, identity or money")
    .option(
      "--allow-origin <origin>",
      "with --local, a private origin that effects may reach",
      each(parseOrigin),
    )
    .option(
      "--secret <name[=value]>",
      "a secret that effects ask for; without a value that of the environment variable",
      each(parseSecret),
    )
    .option("-o, --out <file>", "write the result to a file")
    .option("--record <file>", "write all receipts and values to a file, for `plan verify` elsewhere")
    .option("-q, --quiet", "show no progress")
    .option("--yes", "you know that providers can read inputs")
    .addHelpText(
      "after",
      "\nExamples:\n" +
        "  npx tabmesh plan run examples/pipeline/plan.ts -p question='How do I get my money back?' \\\n" +
        "    -p documents='[\"https://example.org/help.html\"]' --cap 2\n" +
        "  npx tabmesh plan run --local words.yaml -p text=@README.md > words.json\n\n" +
        "Text and bytes are taken as they are, every other parameter is JSON. Every step is signed by whoever carried it\n" +
        "out, also with --local; the receipts are checked when the run is over and kept, see `plan show` and `plan verify`.\n" +
        "Providers can read inputs; --local sends nothing but what effects ask for.",
    )
    .action(async (path: string, flags: RunPlanFlags) => {
      const { runPlan } = await import("../plan/run-plan.ts");
      end(await runPlan(path, flags));
    });
  addRelayFlags(run);
  plan
    .command("check")
    .description(
      "say what is wrong with a plan, or what it takes, gives, reaches and costs at most; nothing runs",
    )
    .argument("<plan>", "TypeScript (.ts), JSON or YAML")
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  npx tabmesh plan check examples/pipeline/plan.ts\n  npx tabmesh plan check --json plan.yaml\n\n" +
        "Ends with 0 when the plan can run, with 1 when it is refused.",
    )
    .action(async (path: string, flags: CheckFlags) => {
      const { checkPlanFile } = await import("../plan/check-plan.ts");
      end(await checkPlanFile(path, flags));
    });
  plan
    .command("graph")
    .description("draw a plan, or write it as JSON or YAML")
    .argument("<plan>", "TypeScript (.ts), JSON or YAML")
    .option(
      "-o, --out <file>",
      "what to write: .svg a picture, .json or .yaml the plan; standard output gets a picture",
    )
    .addHelpText(
      "after",
      "\nExamples:\n  npx tabmesh plan graph examples/pipeline/plan.ts -o pipeline.svg\n" +
        "  npx tabmesh plan graph examples/pipeline/plan.ts -o pipeline.yaml\n\n" +
        "The picture is light or dark as its reader prefers. JSON and YAML are the same plan, byte for byte each time.",
    )
    .action(async (path: string, flags: GraphFlags) => {
      const { graphPlan } = await import("../plan/graph-plan.ts");
      end(await graphPlan(path, flags));
    });
  const show = plan
    .command("show")
    .description("show a run that was started here: what each node came to, where, and what it cost")
    .argument("<run>", "name of the run, or its record")
    .option("--node <id>", "the receipts of one node: who signed for which iteration, and the values' CIDs")
    .addHelpText(
      "after",
      "\nExamples:\n  npx tabmesh plan show bafyrei…\n  npx tabmesh plan show run.tabmesh-run --node embedded",
    )
    .action(async (what: string, flags: ShowFlags) => {
      const { showRun } = await import("../plan/show-run.ts");
      end(await showRun(what, flags));
    });
  addRelayFlags(show);
  const runs = plan
    .command("runs")
    .description("list the runs of this account at the relay, newest first")
    .option("--limit <n>", "how many", parseCount, 20)
    .addHelpText("after", "\nExample:\n  npx tabmesh plan runs --limit 5")
    .action(async (flags: ListFlags) => {
      const { listPlanRuns } = await import("../plan/list-runs.ts");
      end(await listPlanRuns(flags));
    });
  addRelayFlags(runs);
  const goOn = plan
    .command("continue")
    .description("go on with a run whose coordinator left, or fetch what it has come to")
    .argument("<run>", "name of the run")
    .option("--wait <time>", "how long a step waits when there is no provider", parseDurationMs)
    .option("-o, --out <file>", "write the result to a file")
    .option("--record <file>", "write all receipts and values to a file")
    .option("-q, --quiet", "show no progress")
    .option("--yes", "you know that providers can read inputs")
    .addHelpText(
      "after",
      "\nExample:\n  npx tabmesh plan continue bafyrei…\n\n" +
        "Receipts of what was done wait at the relay and at the providers: nothing of it is done or paid again.",
    )
    .action(async (what: string, flags: RunPlanFlags) => {
      const { continuePlanRun } = await import("../plan/continue-run.ts");
      end(await continuePlanRun(what, flags));
    });
  addRelayFlags(goOn);
  addStandingPlanCommands(plan, end);
  plan
    .command("verify")
    .description("check a finished run from its receipts alone: nothing is asked of anybody")
    .argument(
      "<run>",
      "a record, as `plan run --record` writes it, or the name of a run that was started here",
    )
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  npx tabmesh plan verify run.tabmesh-run\n  npx tabmesh plan verify --json bafyrei…\n\n" +
        "Ends with 0 when the run is over and follows from its plan step by step, with 1 when it does not; then it says\n" +
        "which step is wrong and why. One changed byte is named.",
    )
    .action(async (what: string, flags: { readonly json?: boolean }) => {
      const { verifyPlanRun } = await import("../plan/verify-record.ts");
      end(await verifyPlanRun(what, flags));
    });
  plan
    .command("import")
    .description("make a plan of a program in AIR, or in Aqua where Fluence's compiler is installed")
    .argument("<program>", "AIR (.air) or Aqua (.aqua)")
    .option("--bind <file>", 'JSON: which function each service\'s function is, by "service.function"')
    .option("--function <name>", "of a program in Aqua, which of its functions")
    .option("--name <name>", "name of the plan; that of the program if absent")
    .option("-o, --out <file>", "write a .yaml or .json file; standard output gets YAML")
    .addHelpText(
      "after",
      "\nExample:\n  npx tabmesh plan import double.air --bind functions.json -o double.yaml\n\n" +
        'functions.json names each function by its file, or by its CID: {"math.double": {"function": "double.wasm"}}.\n' +
        "A function is given the list of its arguments as JSON and answers in JSON. docs/air.md says what of AIR is supported.",
    )
    .action(async (path: string, flags: ImportFlags) => {
      const { importPlan } = await import("../plan/import-plan.ts");
      end(await importPlan(path, flags));
    });
}

import type { Command } from "commander";
import type { Exit } from "../plain-error.ts";
import { type CheckFlags, checkPlanFile } from "../plan/check-plan.ts";
import { type GraphFlags, graphPlan } from "../plan/graph-plan.ts";

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
    .action(async (path: string, flags: CheckFlags) => end(await checkPlanFile(path, flags)));
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
    .action(async (path: string, flags: GraphFlags) => end(await graphPlan(path, flags)));
}

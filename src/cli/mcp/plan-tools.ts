import { extname } from "node:path";
import type { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import type { CallToolResult, ServerNotification, ServerRequest } from "@modelcontextprotocol/sdk/types.js";
import type { RequestHandlerExtra } from "@modelcontextprotocol/sdk/shared/protocol.js";
import { z } from "zod";
import { PlainError, usageError } from "../plain-error.ts";
import { aboutPlan } from "../plan/check-plan.ts";
import { findWork } from "../plan/find-work.ts";
import { paramsOf } from "../plan/plan-params.ts";
import { keepRun } from "../plan/kept-runs.ts";
import { type ReadPlan, readPlan, sound, tryPlanText } from "../plan/read-plan.ts";
import { carryPlan } from "../plan/run-plan.ts";
import { resultOutput, runFailureText, runJson, runSummaryText } from "../plan/run-report.ts";
import { verdictOn } from "../plan/verify-record.ts";
import type { McpGround } from "./mcp-server.ts";
import { answer, answered } from "./tool-answer.ts";

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

interface Asked {
  readonly plan: string;
  readonly params?: Readonly<Record<string, unknown>> | undefined;
  readonly with?: readonly string[] | undefined;
  readonly local?: boolean | undefined;
}

/** What a tool says of the plan that it takes. */
export const PLAN: z.ZodString = z
  .string()
  .describe("path of the plan, .json or .yaml; or the plan itself as JSON or YAML");

/** What a plan is called that has no path; functions beside it are those of the folder in which the server runs. */
const GIVEN = "the given plan";

/** check_plan and run_plan. */
export function addPlanTools(server: McpServer, ground: McpGround): void {
  server.registerTool(
    "check_plan",
    {
      title: "Check a plan",
      description:
        "Says what a plan takes, gives, reaches and costs at most, or everything that is wrong with it. Nothing runs.",
      inputSchema: { plan: PLAN },
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ plan }) =>
      answered(async () => {
        const about = aboutPlan(await readAllowed(plan, ground));
        // How it is run on a command line is of no use here.
        const lines = about.lines.filter((line) => !line.startsWith("  run it "));
        return answer(lines.join("\n"), { ok: true, ...about.json });
      }),
  );
  server.registerTool(
    "run_plan",
    {
      title: "Run a plan",
      description:
        "Runs a plan, a program whose steps run on many peers, and gives its result. Every step is signed by whoever carried it out; " +
        "the receipts are verified when it is over, and kept for the tool verify under the run's name. With local: true everything " +
        "runs on this machine, else at providers that are paid for it and can read inputs.",
      inputSchema: {
        plan: PLAN,
        params: z
          .record(z.string(), z.unknown())
          .optional()
          .describe("parameters by name, as check_plan lists them: texts as they are, others as JSON"),
        with: z
          .array(z.string())
          .optional()
          .describe("functions (.wasm) and models (.tmm) that are not beside the plan"),
        local: z
          .boolean()
          .optional()
          .describe("run it on this machine: free, and nothing is sent but what effects ask for"),
      },
      annotations: { readOnlyHint: false, destructiveHint: false, openWorldHint: true },
    },
    (asked, extra) => answered(() => runPlan(asked, ground, extra)),
  );
}

const PROGRAMS: ReadonlySet<string> = new Set([".ts", ".mts", ".js", ".mjs"]);
const DATA: ReadonlySet<string> = new Set([".json", ".yaml", ".yml"]);

/** Paths have one line and no braces. */
function isText(plan: string): boolean {
  return plan.includes("\n") || plan.trimStart().startsWith("{");
}

/** Reading a plan in TypeScript runs it, which nobody who has not allowed it wants of a model. */
export async function readAllowed(plan: string, { allowCode }: McpGround): Promise<ReadPlan> {
  if (isText(plan)) return sound(await tryPlanText(GIVEN, plan));
  const kind = extname(plan).toLowerCase();
  if (PROGRAMS.has(kind) && !allowCode)
    throw usageError(
      `${plan} is a program, and this server reads plans that are data.`,
      `Write it as data first: npx tabmesh plan graph ${plan} -o plan.yaml. Or start the server with --allow-code.`,
    );
  if (!PROGRAMS.has(kind) && !DATA.has(kind))
    throw usageError(
      `${plan} is neither the path of a plan nor a plan.`,
      "Give the path of a .json or .yaml file, or the plan itself as JSON or YAML.",
    );
  return readPlan(plan);
}

/** Parameters as the command line has them: text as it is, all others as JSON. */
function written(value: unknown): string {
  if (typeof value !== "string") return JSON.stringify(value);
  // A file is named on the command line alone.
  return value.startsWith("@") ? `@${value}` : value;
}

async function runPlan(asked: Asked, ground: McpGround, extra: Extra): Promise<CallToolResult> {
  const read = await readAllowed(asked.plan, ground);
  const given = Object.entries(asked.params ?? {}).map(([name, value]): [string, string] => [
    name,
    written(value),
  ]);
  const params = await paramsOf(read.plan, given);
  const work = await findWork(read.plan, read.path, asked.with ?? []);
  let ended = 0;
  const { finished, tally } = await carryPlan(read, {
    relay: ground.relay,
    yes: true,
    quiet: true,
    cap: ground.cap,
    local: asked.local === true,
    allowOrigin: ground.allowOrigin,
    params,
    work,
    signal: extra.signal,
    onEvent(event) {
      if (event.kind !== "ended") return;
      ended += 1;
      void tellProgress(extra, ended, event.node);
    },
  });
  const { run, record, failure } = finished;
  const verdict = await verdictOn(record);
  await keepRun(run, record);
  if (failure !== undefined)
    throw new PlainError({
      what: runFailureText(finished, failure)
        .replace(/^tabmesh: /u, "")
        .trim(),
    });
  if (!verdict.ok)
    throw new PlainError({ what: "The receipts do not prove the run.", why: verdict.problems.join("; ") });
  const output = resultOutput(finished, false);
  const text = typeof output === "string" ? output : `${output.length} bytes`;
  return answer(
    `${text.trimEnd()}\n\n${runSummaryText(finished, tally, verdict)}`,
    runJson(finished, tally, verdict),
  );
}

/** A client that asked to be told hears of every step. */
async function tellProgress(
  { _meta, sendNotification }: Extra,
  progress: number,
  message: string,
): Promise<void> {
  const progressToken = _meta?.progressToken;
  if (progressToken === undefined) return;
  await sendNotification({
    method: "notifications/progress",
    params: { progressToken, progress, message },
  }).catch(() => undefined);
}

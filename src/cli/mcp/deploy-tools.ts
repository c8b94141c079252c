import type { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import type { CallToolResult } from "@modelcontextprotocol/sdk/types.js";
import { z } from "zod";
import type { LogLine } from "../../protocol/deployment-view.ts";
import { deploymentLog, type TriggerTerms, undeploy } from "../../sdk/index.ts";
import { atRelay } from "../at-relay.ts";
import { deploySettled } from "../deployments/deploy-plan.ts";
import { curlLine, requireStarts } from "../deployments/deployment-starts.ts";
import { capGround, runCap } from "../deployments/run-cap.ts";
import { findWork } from "../plan/find-work.ts";
import type { McpGround } from "./mcp-server.ts";
import { PLAN, readAllowed } from "./plan-tools.ts";
import { answer, answered } from "./tool-answer.ts";

/** Lines of a log that one call gives. */
const MOST_LINES = 200;

interface Asked {
  readonly plan: string;
  readonly name: string;
  readonly replicas?: number | undefined;
  readonly every?: string | undefined;
  readonly zone?: string | undefined;
  readonly open?: boolean | undefined;
  readonly params?: Readonly<Record<string, unknown>> | undefined;
  readonly with?: readonly string[] | undefined;
}

/** deploy, undeploy and logs. */
export function addDeployTools(server: McpServer, ground: McpGround): void {
  const name = z.string().describe("name of the deployment: small letters, digits and -");
  server.registerTool(
    "deploy",
    {
      title: "Deploy a plan",
      description:
        "Has the relay keep a plan ready on peers of distinct owners, and run it by the clock or when it is called over HTTP under " +
        "/f/NAME, at this account's expense: at most the server's cap for each run. A new version that fails its check keeps the old one.",
      inputSchema: {
        plan: PLAN,
        name,
        replicas: z
          .number()
          .int()
          .min(1)
          .optional()
          .describe("distinct owners that stand ready; 1 if absent"),
        every: z
          .string()
          .optional()
          .describe('cron expression, such as "*/5 * * * *"; only called over HTTP if absent'),
        zone: z.string().optional().describe("time zone of every, such as Europe/Zurich; UTC if absent"),
        open: z.boolean().optional().describe("whether anybody may call it over HTTP"),
        params: z
          .record(z.string(), z.unknown())
          .optional()
          .describe("parameters that are the same for every run"),
        with: z.array(z.string()).optional().describe("functions (.wasm) that are not beside the plan"),
      },
      annotations: { readOnlyHint: false, destructiveHint: false, openWorldHint: true },
    },
    (asked) => answered(() => deployPlan(asked, ground)),
  );
  server.registerTool(
    "undeploy",
    {
      title: "End a deployment",
      description: "Ends a deployment; its log stays for a month.",
      inputSchema: { name },
      annotations: { readOnlyHint: false, destructiveHint: true, openWorldHint: true },
    },
    (asked) =>
      answered(async () => {
        await atRelay(ground.relay, (owner) => undeploy(owner, asked.name));
        return answer(`${asked.name} is no longer deployed.`, { ok: true, name: asked.name });
      }),
  );
  server.registerTool(
    "logs",
    {
      title: "Read the log of a deployment",
      description:
        "What happened to a deployment: runs, results, failures, peers that came and left. Each line names the one before it, and that is checked.",
      inputSchema: {
        name,
        from: z.number().int().min(0).optional().describe("first line; the newest ones if absent"),
      },
      annotations: { readOnlyHint: true, openWorldHint: true },
    },
    (asked) => answered(() => readLog(asked.name, asked.from, ground)),
  );
}

async function deployPlan(asked: Asked, ground: McpGround): Promise<CallToolResult> {
  const { plan, path } = await readAllowed(asked.plan, ground);
  const { modules } = await findWork(plan, path, asked.with ?? []);
  const { name, replicas = 1, open = false, params = {}, every, zone = "UTC" } = asked;
  const triggers: readonly TriggerTerms[] =
    every === undefined ? [] : [{ id: "every", kind: "cron", missed: "once", cron: every, zone }];
  requireStarts(plan, params, { triggers, open });
  const { view, ended } = await atRelay(ground.relay, async (owner) => {
    const budget = runCap(plan, ground.cap, await capGround(owner));
    const terms = { name, plan, params, replicas, open, budget, modules: [...modules.values()], triggers };
    return deploySettled(owner, terms);
  });
  const url = `${ground.relay}/f/${name}`;
  const call = open ? `. Call it: ${curlLine(url, plan, params)}` : "";
  const lines = [`${name} is deployed${call}`, ...ended];
  return answer(lines.join("\n"), { ok: true, ...(open ? { url } : {}), ended, deployment: plain(view) });
}

async function readLog(name: string, from: number | undefined, ground: McpGround): Promise<CallToolResult> {
  const lines = await atRelay(ground.relay, async (owner) => {
    const read: LogLine[] = [];
    for await (const line of deploymentLog(owner, name, { from: from ?? 0 })) {
      read.push(line);
      if (from !== undefined && read.length >= MOST_LINES) break;
      if (read.length > MOST_LINES) read.shift();
    }
    return read;
  });
  return answer(lines.map((line) => JSON.stringify(plain(line))).join("\n"), {
    ok: true,
    lines: lines.map(plain),
  });
}

/** As JSON has it: amounts as decimal strings. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, each: unknown) =>
      typeof each === "bigint"
        ? each.toString()
        : each instanceof Uint8Array
          ? Buffer.from(each).toString("base64")
          : each,
    ),
  );
}

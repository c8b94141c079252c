import type { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { z } from "zod";
import { judgeRun } from "../plan/verify-record.ts";
import { answer, answered } from "./tool-answer.ts";

/** verify: a finished run, by nothing but its receipts. */
export function addVerifyTool(server: McpServer): void {
  server.registerTool(
    "verify",
    {
      title: "Verify a run",
      description:
        "Checks a finished run of a plan from its receipts alone: signatures, who signed, what each step was given, and every decision " +
        "in between again. Nothing is asked of anybody. A run that does not hold is no error of the tool: ok is false then.",
      inputSchema: { run: z.string().describe("name of a run that was started here, or path of a record") },
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ run }) =>
      answered(async () => {
        const { lines, json } = await judgeRun(run);
        return answer(lines.join("\n"), json);
      }),
  );
}

import type { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { accountAt, accountJson, accountText, NO_ACCOUNT } from "../commands/account-command.ts";
import { creditsText, creditUnit } from "../quantities.ts";
import type { McpGround } from "./mcp-server.ts";
import { answer, answered } from "./tool-answer.ts";

/** account: what there is to spend. */
export function addAccountTool(server: McpServer, { relay, cap }: McpGround): void {
  server.registerTool(
    "account",
    {
      title: "Look at the account",
      description:
        "What this identity has at the relay, and the most that one call of a tool may spend: in credits as text, in micro-credits as data. " +
        "It asks the relay, and what the relay says of it is not proven.",
      inputSchema: {},
      annotations: { readOnlyHint: true, openWorldHint: true },
    },
    () =>
      answered(async () => {
        const { view, testMoney } = await accountAt(relay);
        const text = view === undefined ? NO_ACCOUNT : accountText(view, testMoney);
        const most = `One call of a tool may spend ${creditsText(cap)} ${creditUnit(testMoney)} at most.`;
        return answer(`${text.trimEnd()}\n${most}`, {
          ...accountJson(view, testMoney),
          capMicroCredits: cap.toString(),
        });
      }),
  );
}

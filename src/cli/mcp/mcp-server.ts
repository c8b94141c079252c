import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { addAccountTool } from "./account-tool.ts";
import { addDeployTools } from "./deploy-tools.ts";
import { addFunctionTool } from "./function-tool.ts";
import { addPlanTools } from "./plan-tools.ts";
import { addVerifyTool } from "./verify-tool.ts";

/** What every tool is told by whoever starts the server. */
export interface McpGround {
  /** Origin of the relay. */
  readonly relay: string;
  /** The most that one call may spend, micro-credits. */
  readonly cap: bigint;
  /** Whether plans may be programs: reading one in TypeScript runs it. */
  readonly allowCode: boolean;
  /** Private origins that effects of local runs may reach. */
  readonly allowOrigin: readonly string[];
}

const ABOUT = `Tabmesh runs WASM functions, models and plans in browser tabs of people who are paid for it, and proves what they did.
Work with local: true first: it costs nothing and sends nothing anywhere. Without it work goes to providers, who can read inputs, and costs credits, at most the cap that this server was started with.
A plan, JSON or YAML in a file or given as it is, is a program whose steps run on many peers; check_plan says what it takes before run_plan runs it.`;

/** A server of the Model Context Protocol whose tools are the commands. */
export function createMcpServer(ground: McpGround, version: string): McpServer {
  const server = new McpServer({ name: "tabmesh", title: "Tabmesh", version }, { instructions: ABOUT });
  addFunctionTool(server, ground);
  addPlanTools(server, ground);
  addDeployTools(server, ground);
  addVerifyTool(server);
  addAccountTool(server, ground);
  return server;
}

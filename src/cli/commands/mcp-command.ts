import { type Command, Option } from "commander";
import { type RelayFlags, relayOption } from "../job-flags.ts";
import { EXIT, type Exit } from "../plain-error.ts";
import { parseCredits } from "../quantities.ts";

interface McpFlags extends Pick<RelayFlags, "relay"> {
  readonly cap: bigint;
  readonly allowCode?: boolean;
  readonly allowOrigin?: readonly string[];
}

/** Serves until its client goes away. */
async function serve(flags: McpFlags, version: string): Promise<Exit> {
  const { StdioServerTransport } = await import("@modelcontextprotocol/sdk/server/stdio.js");
  const { createMcpServer } = await import("../mcp/mcp-server.ts");
  const server = createMcpServer(
    {
      relay: flags.relay,
      cap: flags.cap,
      allowCode: flags.allowCode === true,
      allowOrigin: flags.allowOrigin ?? [],
    },
    version,
  );
  const transport = new StdioServerTransport();
  const closed = new Promise<void>((resolve) => {
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- this is no event target
    server.server.onclose = resolve;
    process.stdin.once("end", resolve).once("close", resolve);
  });
  await server.connect(transport);
  await closed;
  await server.close();
  return EXIT.ok;
}

/** The commands as tools for models and their programs. */
export function addMcpCommand(program: Command, end: (exit: Exit) => void): void {
  program
    .command("mcp")
    .description(
      "offer functions, plans, deployments and verification as tools of the Model Context Protocol",
    )
    .addOption(relayOption())
    .addOption(
      new Option("--cap <credits>", "the most that one call of a tool may spend")
        .argParser(parseCredits)
        .default(1_000_000n, "1"),
    )
    .option("--allow-code", "read plans in TypeScript too: reading one runs it on this machine")
    .option(
      "--allow-origin <origin>",
      "a private origin that effects of local runs may reach",
      (text: string, before: readonly string[] | undefined) => [...(before ?? []), text],
    )
    .addHelpText(
      "after",
      "\nExamples:\n  npx tabmesh mcp --cap 0.5\n\n" +
        "It speaks on standard input and output. Name it in the settings of a program that knows the protocol:\n" +
        '  {"mcpServers": {"tabmesh": {"command": "npx", "args": ["tabmesh", "mcp", "--cap", "0.5"]}}}\n\n' +
        "Tools: run_function, check_plan, run_plan, deploy, undeploy, logs, verify, account. Each call spends at most --cap;\n" +
        "with local: true it spends nothing. Paths stand from the folder in which the server runs.",
    )
    .action(async (flags: McpFlags) => end(await serve(flags, program.version() ?? "unknown")));
}

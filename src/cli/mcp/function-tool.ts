import { readFile } from "node:fs/promises";
import type { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import type { CallToolResult } from "@modelcontextprotocol/sdk/types.js";
import { z } from "zod";
import { FailureError } from "../../protocol/failure.ts";
import { startSandboxThreads } from "../../relay/threads/sandbox-threads.ts";
import type { JobOptions } from "../../sdk/index.ts";
import { localFunction } from "../local/local-task.ts";
import { taskJson } from "../local/local-report.ts";
import { connectAs } from "../requester.ts";
import { creditsText } from "../quantities.ts";
import type { McpGround } from "./mcp-server.ts";
import { answer, answered, bytesJson } from "./tool-answer.ts";

interface Asked {
  readonly function: string;
  readonly input?: string | undefined;
  readonly inputFile?: string | undefined;
  readonly args?: readonly string[] | undefined;
  readonly entry?: string | undefined;
  readonly local?: boolean | undefined;
}

/** run_function: one function, one input. */
export function addFunctionTool(server: McpServer, ground: McpGround): void {
  server.registerTool(
    "run_function",
    {
      title: "Run a WASM function",
      description:
        "Runs a WASM function (a WASI command, a module of the bytes interface, or a component) once on an input, and gives its output. " +
        "With local: true in a sandbox on this machine, else at a provider that is paid for it and can read the input.",
      inputSchema: {
        function: z.string().describe("path of the .wasm file"),
        input: z.string().optional().describe("input as text; nothing if absent"),
        inputFile: z.string().optional().describe("path of a file that is the input, in place of input"),
        args: z.array(z.string()).optional().describe('program arguments; "{input}" stands for the input'),
        entry: z.string().optional().describe("exported function to call; the usual one if absent"),
        local: z.boolean().optional().describe("run it on this machine: free, and nothing is sent"),
      },
      annotations: { readOnlyHint: false, destructiveHint: false, openWorldHint: true },
    },
    (asked, { signal }) => answered(() => runFunction(asked, ground, signal)),
  );
}

async function runFunction(asked: Asked, ground: McpGround, signal: AbortSignal): Promise<CallToolResult> {
  const module = new Uint8Array(await readFile(asked.function));
  const input =
    asked.inputFile === undefined
      ? new TextEncoder().encode(asked.input ?? "")
      : new Uint8Array(await readFile(asked.inputFile));
  const options: JobOptions = {
    ...(asked.args === undefined ? {} : { args: asked.args }),
    ...(asked.entry === undefined ? {} : { entry: asked.entry }),
  };
  return asked.local === true
    ? runHere(module, input, options, signal)
    : runThere(module, input, { ...options, cap: ground.cap, signal }, ground);
}

async function runHere(
  module: Uint8Array,
  input: Uint8Array,
  options: JobOptions,
  signal: AbortSignal,
): Promise<CallToolResult> {
  const local = localFunction(module, options);
  const threads = startSandboxThreads({ threads: 1 });
  try {
    const end = await threads.run(local.taskOn(input, signal));
    const { result } = end;
    if (result.kind === "failed") throw new FailureError(result.code, result.detail);
    const output = bytesJson(result.output);
    return answer("text" in output ? output.text : `${result.output.length} bytes, in base64`, {
      ...taskJson(end, local),
      output,
      costMicroCredits: "0",
    });
  } finally {
    await threads.stop();
  }
}

async function runThere(
  module: Uint8Array,
  input: Uint8Array,
  options: JobOptions,
  ground: McpGround,
): Promise<CallToolResult> {
  const tabmesh = await connectAs({ relay: ground.relay, yes: true });
  try {
    const handle = await tabmesh.map(module, [input], { ...options, parallel: 1, maxTasks: 1 });
    for await (const result of handle) {
      if (result.kind === "failed") throw new FailureError(result.code, result.detail);
      const { spent } = await handle.summary;
      const output = bytesJson(result.output);
      return answer("text" in output ? output.text : `${result.output.length} bytes, in base64`, {
        ok: true,
        output,
        outputCid: result.outputCid,
        fuel: result.fuel.toString(),
        provider: result.provider,
        costMicroCredits: spent.toString(),
        cost: creditsText(spent),
      });
    }
    throw new FailureError("cancelled", "the job ended without a result");
  } finally {
    await tabmesh.close();
  }
}

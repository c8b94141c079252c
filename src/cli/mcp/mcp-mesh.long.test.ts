import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { printPlan } from "../../plan/plan-text.ts";
import { ADD, deploymentScene, ONCE } from "../deployments/deployment-scene.contract.ts";

/** The tools that spend money, with the protocol's own client at the other end and a real relay behind. */

const MAIN = join(import.meta.dirname, "..", "main.ts");
const scene = deploymentScene();

let folder = "";
let client: Client;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tabmesh-mcp-"));
  await writeFile(join(folder, "once.yaml"), await printPlan(ONCE, "yaml"));
  await writeFile(join(folder, "add.wasm"), ADD);
  client = new Client({ name: "test", version: "1" });
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [MAIN, "mcp", "--relay", scene.url, "--cap", "0.25"],
      cwd: folder,
      env: { PATH: process.env["PATH"] ?? "", TABMESH_HOME: join(folder, "home"), NODE_NO_WARNINGS: "1" },
      stderr: "pipe",
    }),
  );
}, 30_000);

afterEach(async () => {
  await client.close();
  await rm(folder, { recursive: true });
});

async function call(
  name: string,
  args: Record<string, unknown> = {},
): Promise<Readonly<Record<string, unknown>>> {
  const { isError = false, content, structuredContent } = await client.callTool({ name, arguments: args });
  const [first] = content as readonly { readonly text: string }[];
  expect(isError, first?.text).toBe(false);
  return structuredContent as Readonly<Record<string, unknown>>;
}

describe("the tools of the Model Context Protocol, over a mesh", { timeout: 60_000 }, () => {
  it("run a plan at a provider, and check the run again by its name", async () => {
    await scene.join();
    const ran = await call("run_plan", { plan: "once.yaml", params: { word: "abc" } });
    expect(ran).toMatchObject({ ok: true, result: "bcd" });
    expect(await call("verify", { run: ran["run"] })).toMatchObject({ ok: true });
    expect(await call("account")).toMatchObject({ ok: true });
  });

  it("deploy a plan that anybody calls over HTTP, show its log, and end it", async () => {
    await scene.join();
    const deployed = await call("deploy", { plan: "once.yaml", name: "by-agent", open: true });
    expect(deployed).toMatchObject({ ok: true, url: `${scene.url}/f/by-agent` });
    await expect
      .poll(async () => (await fetch(`${scene.url}/f/by-agent?word=abc`)).text(), { timeout: 20_000 })
      .toBe("bcd");
    const { lines } = (await call("logs", { name: "by-agent" })) as {
      readonly lines: readonly { readonly kind: string; readonly words: string }[];
    };
    expect(lines.some(({ kind, words }) => kind === "called" && words.startsWith("GET"))).toBe(true);
    expect(await call("undeploy", { name: "by-agent" })).toMatchObject({ ok: true });
    expect((await fetch(`${scene.url}/f/by-agent?word=abc`)).status).toBe(404);
  });
});

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cidOf, RAW } from "../../protocol/cid.ts";

/** The command with the protocol's own client at its other end. */

const MAIN = join(import.meta.dirname, "..", "main.ts");
const NOOP = join(import.meta.dirname, "..", "..", "..", "examples", "noop", "noop.wasm");
/** Nothing listens on the discard port. */
const NOBODY = "http://127.0.0.1:9";

let folder = "";
let client: Client;
let transport: StdioClientTransport;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tabmesh-mcp-"));
  transport = new StdioClientTransport({
    command: process.execPath,
    args: [MAIN, "mcp", "--relay", NOBODY, "--cap", "0.25"],
    env: { PATH: process.env["PATH"] ?? "", TABMESH_HOME: folder, NODE_NO_WARNINGS: "1" },
    stderr: "pipe",
  });
  client = new Client({ name: "test", version: "1" });
  await client.connect(transport);
  const cid = cidOf(RAW, new Uint8Array(await readFile(NOOP)));
  await writeFile(
    join(folder, "echo.yaml"),
    `v: 1
name: echo
params: {words: "list<text>"}
nodes:
  each:
    kind: map
    over: $words
    max: 8
    graph:
      params: {item: text}
      nodes:
        same: {kind: call, callee: {kind: function, cid: ${cid}, entry: tabmesh_run, abi: bytes-1}, input: $item, output: text}
      result: same
  count: {kind: expr, expression: "length(each)", with: {each: each}}
result: count
`,
  );
}, 30_000);

afterAll(async () => {
  await client.close();
  await rm(folder, { recursive: true });
});

interface Told {
  readonly isError: boolean;
  readonly text: string;
  readonly data: Readonly<Record<string, unknown>>;
}

async function call(name: string, args: Record<string, unknown> = {}): Promise<Told> {
  const { isError = false, content, structuredContent } = await client.callTool({ name, arguments: args });
  const [first] = content as readonly { readonly text: string }[];
  return { isError: isError === true, text: first?.text ?? "", data: structuredContent as Told["data"] };
}

describe("the tools of the Model Context Protocol", () => {
  it("are listed with what they take", async () => {
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name).toSorted()).toEqual(
      [
        "account",
        "check_plan",
        "deploy",
        "logs",
        "run_function",
        "run_plan",
        "undeploy",
        "verify",
      ].toSorted(),
    );
    for (const { description, inputSchema } of tools) {
      expect(description?.length).toBeGreaterThan(40);
      expect(inputSchema.type).toBe("object");
    }
    expect(tools.find(({ name }) => name === "run_plan")?.inputSchema.required).toEqual(["plan"]);
    expect(client.getInstructions()).toContain("local: true");
  });

  it("run a function here", async () => {
    const { isError, text, data } = await call("run_function", {
      function: NOOP,
      input: "déjà vu",
      local: true,
    });
    expect({ isError, text }).toEqual({ isError: false, text: "déjà vu" });
    expect(data).toMatchObject({
      ok: true,
      output: { text: "déjà vu" },
      costMicroCredits: "0",
      abi: "bytes-1",
    });
  });

  it("check a plan, run it with its steps told as they end, and verify the run by its name", async () => {
    const plan = join(folder, "echo.yaml");
    expect((await call("check_plan", { plan })).data).toMatchObject({
      ok: true,
      plan: "echo",
      params: { words: "list<text>" },
      result: "number",
    });
    const heard: string[] = [];
    const answer = await client.callTool(
      // The module is not beside the plan.
      { name: "run_plan", arguments: { plan, params: { words: ["a", "@b"] }, with: [NOOP], local: true } },
      undefined,
      { onprogress: ({ message }) => void heard.push(message ?? "") },
    );
    expect(answer.structuredContent).toMatchObject({
      ok: true,
      result: 2,
      runVerified: true,
      costMicroCredits: "0",
    });
    expect(heard.filter((node) => node === "same")).toHaveLength(2);
    const { run } = answer.structuredContent as { run: string };
    const { text, data } = await call("verify", { run });
    expect(data).toMatchObject({ ok: true, run, status: "done", steps: 2 });
    expect(text).toContain("Verified");
  });

  it("say what went wrong and what to do, and go on", async () => {
    const missing = await call("run_function", { function: join(folder, "gone.wasm"), local: true });
    expect(missing.isError).toBe(true);
    expect(missing.text).toContain("there is no such file or folder");
    const wrong = join(folder, "wrong.yaml");
    await writeFile(
      wrong,
      (await readFile(join(folder, "echo.yaml"), "utf8")).replace("each: each", "each: eac"),
    );
    const refused = await call("run_plan", { plan: wrong, params: {}, local: true });
    expect(refused.isError).toBe(true);
    expect(refused.text).toContain('node "count", with.each: there is no node "eac"');
    const odd = await call("run_plan", {
      plan: join(folder, "echo.yaml"),
      params: { words: [1] },
      local: true,
    });
    expect(odd.text).toContain("The parameter words takes list<text>");
    const away = await call("run_function", { function: NOOP, input: "" });
    expect(away.isError).toBe(true);
    expect(away.text).toContain(`No relay answers at ${NOBODY}.`);
    expect(away.data).toMatchObject({ ok: false, exit: 1 });
  });

  it("take a plan as text, and say of other words that they are none", async () => {
    const plan = (await readFile(join(folder, "echo.yaml"), "utf8")).trim();
    const checked = await call("check_plan", { plan });
    expect(checked.data).toMatchObject({ ok: true, plan: "echo" });
    expect(checked.text).not.toContain("npx tabmesh plan run");
    const run = await call("run_plan", { plan, params: { words: ["a"] }, with: [NOOP], local: true });
    expect(run.data).toMatchObject({ ok: true, result: 1, runVerified: true });
    expect((await call("check_plan", { plan: `{"name": "x", "nodes": 3}` })).text).toContain(
      "the given plan is refused",
    );
    const words = await call("check_plan", { plan: "count some words" });
    expect(words.isError).toBe(true);
    expect(words.text).toContain("Give the path of a .json or .yaml file, or the plan itself");
  });

  it("read no program as a plan unless they were allowed to", async () => {
    const program = join(folder, "plan.ts");
    await writeFile(program, "export const plan = process.exit(3);");
    const { isError, text } = await call("run_plan", { plan: program, local: true });
    expect(isError).toBe(true);
    expect(text).toContain("--allow-code");
    expect((await client.listTools()).tools).not.toEqual([]);
  });
});

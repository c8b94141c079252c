import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Command, CommanderError } from "commander";
import { onPath } from "./browser/find-chromium.ts";
import { createProgram } from "./program.ts";

const LAUNCHER = join(import.meta.dirname, "bin.js");
const MAIN = join(import.meta.dirname, "main.ts");
/** Nothing listens on the discard port. */
const NOBODY = "http://127.0.0.1:9";

let home = "";
const running: ChildProcess[] = [];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "tabmesh-cli-"));
});

afterEach(async () => {
  for (const child of running.splice(0)) child.kill("SIGKILL");
  await rm(home, { recursive: true });
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(program: string, args: readonly string[]): ChildProcess {
  const child = spawn(program, args, {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, TABMESH_HOME: home, NODE_NO_WARNINGS: "1" },
  });
  running.push(child);
  return child;
}

async function ended(child: ChildProcess, input: string = ""): Promise<Ended> {
  child.stdin?.end(input);
  const code = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout!), text(child.stderr!)]);
  return { code: await code, stdout, stderr };
}

async function tabmesh(...args: readonly string[]): Promise<Ended> {
  return ended(start(process.execPath, [MAIN, ...args]));
}

function allCommands(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(allCommands)];
}

describe("the command line", () => {
  test("more replicas than relays take are refused before anything is asked of anybody", async () => {
    const { code, stderr } = await tabmesh("map", "f.wasm", "in.txt", "--replicas", "6", "--relay", NOBODY);
    expect(code).not.toBe(0);
    expect(stderr).toContain("It takes a whole number from 1 to 5.");
  });

  test("every command has a help with an example", () => {
    const without = allCommands(createProgram(() => undefined)).filter((command) => {
      let help = "";
      command.configureOutput({ writeOut: (part) => void (help += part) }).outputHelp();
      return !/Examples?[^\n]*:\n {2}npx tabmesh /u.test(help);
    });
    expect(without.map((command) => command.name())).toEqual([]);
  });

  test("every command answers --help", () => {
    const silent = allCommands(createProgram(() => undefined)).filter((command) => {
      let told = "";
      command.exitOverride().configureOutput({
        writeOut: (part) => void (told += part),
        writeErr: (part) => void (told += part),
      });
      try {
        command.parse(["--help"], { from: "user" });
      } catch (error) {
        if (!(error instanceof CommanderError)) throw error;
      }
      return !told.startsWith("Usage: ");
    });
    expect(silent.map((command) => command.name())).toEqual([]);
  });

  test.each([
    ["an unknown command", ["fly"]],
    ["a missing argument", ["run"]],
    ["an unknown flag", ["run", "x.wasm", "--fast"]],
    ["a wrong quantity", ["run", "x.wasm", "--fuel", "lots"]],
    ["a relay that is no URL", ["run", "x.wasm", "--relay", "localhost"]],
    ["neither files nor lines", ["map", "x.wasm", "--out", "o"]],
    ["a quality that does not exist", ["render", "s.json", "-o", "o.png", "--quality", "best"]],
    ["a wrong setting of the relay", ["relay", "--port", "high"]],
    ["a purpose that no key has", ["relay", "rotate-key", "front-door"]],
  ])("%s ends with 2 and says what is wrong", async (_, args) => {
    const { code, stderr, stdout } = await tabmesh(...args);
    expect(code).toBe(2);
    expect(stderr).not.toBe("");
    expect(stderr).not.toContain("    at ");
    expect(stdout).toBe("");
  });

  test("a function that is not there ends with 1 and names it", async () => {
    const { code, stderr } = await tabmesh("run", "gone.wasm", "--yes");
    expect(code).toBe(1);
    expect(stderr).toBe("tabmesh: gone.wasm cannot be used: there is no such file or folder.\n");
  });

  test("a relay that does not answer ends with 1 and says how to start one", async () => {
    await writeFile(join(home, "f.wasm"), Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
    const { code, stderr, stdout } = await tabmesh(
      "run",
      join(home, "f.wasm"),
      "--relay",
      NOBODY,
      "--yes",
      "--json",
    );
    expect(code).toBe(1);
    expect(stderr).toContain(`tabmesh: No relay answers at ${NOBODY}.`);
    expect(stderr).toContain("npx tabmesh relay");
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, exit: 1 });
  });

  test("before the first send it says that providers can read inputs, once", async () => {
    await writeFile(join(home, "f.wasm"), Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
    const send = ["run", join(home, "f.wasm"), "--relay", NOBODY];
    expect((await tabmesh(...send)).stderr).toContain("Providers can read inputs.");
    expect((await tabmesh(...send)).stderr).not.toContain("can read inputs");
  });

  test("--yes leaves that out, and does not count as having read it", async () => {
    await writeFile(join(home, "f.wasm"), Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
    const send = ["run", join(home, "f.wasm"), "--relay", NOBODY];
    expect((await tabmesh(...send, "--yes")).stderr).not.toContain("can read inputs");
    expect((await tabmesh(...send)).stderr).toContain("Providers can read inputs.");
  });

  test("an identity goes from one home to another", async () => {
    const { stdout: shown } = await tabmesh("identity", "show", "--json");
    const { stdout: file } = await tabmesh("identity", "export");
    await rm(join(home, "identity.json"));
    await writeFile(join(home, "carried.json"), file);
    const { code } = await tabmesh("identity", "import", join(home, "carried.json"));
    expect(code).toBe(0);
    expect(JSON.parse((await tabmesh("identity", "show", "--json")).stdout)).toEqual(JSON.parse(shown));
    expect(JSON.parse(await readFile(join(home, "identity.json"), "utf8"))).toEqual(JSON.parse(file));
  });

  test("without an identity there is no account, and none is made by asking", async () => {
    const { code, stderr } = await tabmesh("account", "--relay", NOBODY);
    expect(code).toBe(1);
    expect(stderr).toContain("There is no identity here yet.");
  });
});

/** A Node older than the command needs, if this machine has one. */
function olderNode(): string | undefined {
  const folders = (process.env["PATH"] ?? "")
    .split(delimiter)
    .filter((folder) => !folder.includes("node_modules"));
  const path = onPath(["node"], { PATH: folders.join(delimiter) });
  if (path === undefined) return undefined;
  const major = Number.parseInt(execFileSync(path, ["-p", "process.versions.node"]).toString(), 10);
  return major < 24 ? path : undefined;
}

const older = olderNode();
const launchers = [
  ["the Node it needs", process.execPath],
  ...(older === undefined ? [] : [["an older Node", older] as const]),
] as const;

describe.each(launchers)("the launcher under %s", (_, node) => {
  test("passes arguments, output and exit code through", async () => {
    const { code, stdout } = await ended(start(node, [LAUNCHER, "--version"]));
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/u)]);
    expect((await ended(start(node, [LAUNCHER, "fly"]))).code).toBe(2);
  });

  test.each(["SIGINT", "SIGTERM"] as const)("passes %s on, and a relay stops in order", async (signal) => {
    const args = ["relay", "--port", "0", "--data-dir", ":memory:", "--no-stun"];
    const child = start(node, [LAUNCHER, ...args]);
    const up = Promise.withResolvers<void>();
    child.stdout!.on("data", (chunk: Buffer) => chunk.includes("relay runs") && up.resolve());
    child.once("close", () => up.reject(new Error("the relay ended before it ran")));
    await up.promise;
    const code = new Promise((resolve) => child.once("close", resolve));
    child.kill(signal);
    expect(await code).toBe(0);
  });
});

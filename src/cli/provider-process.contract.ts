import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { SandboxThread } from "../provider/sandbox-thread.ts";
import { sandboxHere } from "../sdk/lease-pair.contract.ts";
import { startFunctionProvider } from "./function-provider.contract.ts";

/** A provider of functions in a process of its own, so that it can be killed or stopped like any machine. For tests. */
export interface ProviderProcess {
  readonly peer: string;
  /** SIGKILL: no goodbye. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay, and nobody answers. */
  freeze(): void;
  /** SIGCONT. */
  thaw(): void;
}

export interface ProviderProcessOptions {
  /** What it runs, whatever the job asks for. */
  readonly module: Uint8Array;
  /** Waits that long before each task, milliseconds. */
  readonly pauseMs?: number;
}

const SCRIPT = fileURLToPath(import.meta.url);

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise((resolve) => child.once("exit", resolve));
}

/** Resolves when it is ready to lease. */
export async function startProviderProcess(
  url: string,
  { module, pauseMs = 0 }: ProviderProcessOptions,
): Promise<ProviderProcess> {
  const code = Buffer.from(module).toString("base64");
  const child = spawn(process.execPath, [SCRIPT, url, String(pauseMs), code], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  child.stdout.once("data", (told: Buffer) => resolve(told.toString().trim()));
  child.once("exit", () => reject(new Error("the provider ended before it was ready")));
  return {
    peer: await promise,
    async kill() {
      child.kill("SIGKILL");
      await ended(child);
    },
    freeze: () => void child.kill("SIGSTOP"),
    thaw: () => void child.kill("SIGCONT"),
  };
}

/** The sandbox in this thread, with time for the connection between two tasks. */
function patientSandbox(pauseMs: number): SandboxThread {
  const sandbox = sandboxHere();
  return {
    ...sandbox,
    async runAll(requests) {
      await pause(pauseMs);
      return sandbox.runAll(requests);
    },
  };
}

if (import.meta.main) {
  const [, , url = "", pauseMs = "0", code = ""] = process.argv;
  const { peer } = await startFunctionProvider(url, {
    module: new Uint8Array(Buffer.from(code, "base64")),
    startThread: () => patientSandbox(Number(pauseMs)),
  });
  process.stdout.write(`${peer}\n`);
}

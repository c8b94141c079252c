import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";

/** A relay in a process of its own, so that it can be killed like any process. */
export interface RelayProcess {
  readonly url: string;
  readonly dataDir: string;
  readonly port: number;
  /** SIGKILL: no goodbye. */
  kill(): Promise<void>;
  /** SIGTERM: in order. */
  stop(): Promise<void>;
}

const SCRIPT = fileURLToPath(new URL("./relay-main.ts", import.meta.url));

/** A port nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<number>();
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    resolve(typeof address === "object" && address !== null ? address.port : 0);
  });
  const port = await promise;
  await new Promise((done) => server.close(done));
  return port;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise((resolve) => child.once("exit", resolve));
}

/** Starts a relay on a given port and data folder; resolves when it answers. */
export async function startRelayProcess(options: {
  dataDir: string;
  port: number;
  host?: string;
  /** Beside the environment of this process. */
  env?: NodeJS.ProcessEnv;
}): Promise<RelayProcess> {
  const child = spawn(process.execPath, [SCRIPT], {
    env: {
      ...process.env,
      ...options.env,
      RELAY_DATA: options.dataDir,
      RELAY_PORT: String(options.port),
      RELAY_HOST: options.host ?? "127.0.0.1",
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ready = Promise.withResolvers<void>();
  child.stdout.on("data", (chunk: Buffer) => {
    if (chunk.toString().includes("ready")) ready.resolve();
  });
  child.once("exit", (code) => ready.reject(new Error(`the relay ended with ${code} before it was ready`)));
  await ready.promise;
  return {
    url: `http://127.0.0.1:${options.port}`,
    dataDir: options.dataDir,
    port: options.port,
    async kill() {
      child.kill("SIGKILL");
      await ended(child);
    },
    async stop() {
      child.kill("SIGTERM");
      await ended(child);
    },
  };
}

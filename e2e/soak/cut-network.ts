/** Network namespaces whose link can be taken away: the only cut that WebRTC notices. Needs root and iproute2. */
import { execFileSync, spawn } from "node:child_process";
import { chmod, writeFile } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface CutNetwork {
  /** A script that runs its arguments' browser inside. */
  readonly executablePath: string;
  /** Takes the link down, or puts it up again. */
  setUp(isUp: boolean): void;
  close(): Promise<void>;
}

const SCRIPT = fileURLToPath(import.meta.url);

function ip(...args: readonly string[]): void {
  execFileSync("ip", [...args], { stdio: ["ignore", "ignore", "pipe"] });
}

/** Whether this program may make namespaces. */
export function canCutNetworks(): boolean {
  try {
    ip("netns", "add", "tabmesh-try");
    ip("netns", "del", "tabmesh-try");
    return true;
  } catch {
    return false;
  }
}

/** Passes connections on, so that the relay is on this machine's own address in there as well: pages need a secure origin. */
async function passOn(port: number, host: string, target: string): Promise<Server> {
  const server = createServer((socket) => {
    const far = connect(port, target);
    socket.pipe(far).pipe(socket);
    for (const each of [socket, far]) each.on("error", () => [socket, far].forEach((end) => end.destroy()));
  });
  await new Promise<void>((resolve) => {
    server.listen(port, host, resolve);
  });
  return server;
}

/**
 * Opens a namespace of one's own, with a link to this machine over which the relay's port is reached.
 * @param number below 200; tells namespaces apart @param folder for its script
 */
export async function openCutNetwork(
  number: number,
  port: number,
  browser: string,
  folder: string,
): Promise<CutNetwork> {
  const name = `tabmesh-${process.pid}-${number}`;
  const [near, far] = [`tmn${number}`, `tmf${number}`];
  const [here, there] = [`10.213.${number}.1`, `10.213.${number}.2`];
  ip("netns", "add", name);
  ip("link", "add", near, "type", "veth", "peer", "name", far, "netns", name);
  ip("addr", "add", `${here}/24`, "dev", near);
  ip("link", "set", near, "up");
  ip("-n", name, "addr", "add", `${there}/24`, "dev", far);
  ip("-n", name, "link", "set", far, "up");
  ip("-n", name, "link", "set", "lo", "up");
  ip("-n", name, "route", "add", "default", "via", here);
  const server = await passOn(port, here, "127.0.0.1");
  const inside = spawn(
    "ip",
    ["netns", "exec", name, process.execPath, SCRIPT, String(port), "127.0.0.1", here],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  await new Promise((resolve) => {
    inside.stdout.once("data", resolve);
  });
  const executablePath = join(folder, `${name}.sh`);
  await writeFile(executablePath, `#!/bin/sh\nexec ip netns exec ${name} ${browser} "$@"\n`);
  await chmod(executablePath, 0o755);
  return {
    executablePath,
    setUp: (isUp) => ip("link", "set", near, isUp ? "up" : "down"),
    async close() {
      inside.kill("SIGKILL");
      server.close();
      ip("link", "del", near);
      ip("netns", "del", name);
    },
  };
}

if (import.meta.main) {
  const [, , port = "", host = "", target = ""] = process.argv;
  await passOn(Number(port), host, target);
  process.stdout.write("ready\n");
}

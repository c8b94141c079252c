import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));

/** How a command ended. */
export interface Ended {
  /** -1 where it was killed. */
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The `tabmesh` command in a process of its own, without a terminal. For tests. @param env beside that of this process */
export function runTabmesh(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const all = { ...process.env, NODE_NO_WARNINGS: "1", ...env };
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], { env: all }, (error, stdout, stderr) => {
      const failed = typeof error?.code === "number" ? error.code : -1;
      resolve({ exit: error === null ? 0 : failed, stdout, stderr });
    });
  });
}

import type { Ended } from "./command-line.contract.ts";
import { runTabmesh } from "./program.ts";

/**
 * The command in this process, which saves a start for each: what it writes is kept from the test's own output. One at a time.
 * For tests. @param home in place of the person's folder
 */
export async function runHere(home: string, args: readonly string[]): Promise<Ended> {
  process.env["TABMESH_HOME"] = home;
  const written = { stdout: "", stderr: "" };
  const streams = (["stdout", "stderr"] as const).map((name) => {
    const stream = process[name];
    const original = stream.write.bind(stream);
    stream.write = (data: string | Uint8Array, then?: unknown): boolean => {
      written[name] += typeof data === "string" ? data : new TextDecoder().decode(data);
      if (typeof then === "function") then();
      return true;
    };
    return () => void (stream.write = original);
  });
  try {
    const exit = await runTabmesh(args);
    return { exit, ...written };
  } finally {
    for (const restore of streams) restore();
  }
}

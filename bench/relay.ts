import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { HeldMemory } from "./relay-main.ts";

const SCRIPT = fileURLToPath(new URL("relay-main.ts", import.meta.url));

/** A relay in a process of its own. */
export interface BenchRelay {
  readonly url: string;
  held(): Promise<HeldMemory>;
  stop(): Promise<void>;
}

async function answerOf<T>(child: ChildProcess): Promise<T> {
  const ended = new AbortController();
  const exit = async (): Promise<never> => {
    await once(child, "exit", { signal: ended.signal });
    throw new Error("the relay ended");
  };
  try {
    const [answer] = await Promise.race([once(child, "message", { signal: ended.signal }), exit()]);
    return answer as T;
  } finally {
    ended.abort();
  }
}

/** @param options dataDir: nothing is kept when absent; staticDir: pages to serve. */
export async function startRelay(
  options: { readonly dataDir?: string; readonly staticDir?: string } = {},
): Promise<BenchRelay> {
  const child = fork(SCRIPT, {
    execArgv: ["--expose-gc"],
    env: {
      ...process.env,
      ...(options.dataDir === undefined ? {} : { RELAY_DATA: options.dataDir }),
      ...(options.staticDir === undefined ? {} : { RELAY_STATIC: options.staticDir }),
    },
  });
  const { url } = await answerOf<{ url: string }>(child);
  return {
    url,
    async held() {
      child.send("held");
      return answerOf<HeldMemory>(child);
    },
    async stop() {
      const exit = once(child, "exit");
      child.disconnect();
      await exit;
    },
  };
}

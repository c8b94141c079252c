import { deploymentLog, type LogLine } from "../../sdk/index.ts";
import { logLineJson } from "../../protocol/deployment-view.ts";
import { atRelay } from "../at-relay.ts";
import { listenForInterrupts } from "../interrupts.ts";
import type { RelayFlags } from "../job-flags.ts";
import { EXIT, type Exit } from "../plain-error.ts";
import { creditsText } from "../quantities.ts";
import { writeAll } from "../write-all.ts";

export interface LogsFlags extends RelayFlags {
  readonly follow?: boolean;
  readonly from: number;
}

function lineText({ time, kind, words, run, cost }: LogLine): string {
  const paid = cost === undefined ? "" : `  ${creditsText(cost)} credits`;
  const which = run === undefined ? "" : `  ${run}`;
  return `${new Date(time).toISOString()}  ${kind.padEnd(8)}${words}${paid}${which}`;
}

/** What happened to a deployment, each line checked against the one before it. */
export async function showLogs(name: string, flags: LogsFlags): Promise<Exit> {
  const interrupts = listenForInterrupts(() => undefined);
  const { from, follow = false } = flags;
  try {
    await atRelay(flags.relay, async (owner) => {
      for await (const line of deploymentLog(owner, name, { from, follow, signal: interrupts.signal })) {
        const text = flags.json === true ? JSON.stringify(logLineJson.write(line)) : lineText(line);
        await writeAll(process.stdout, `${text}\n`);
      }
    });
  } catch (error) {
    if (!interrupts.signal.aborted) throw error;
  } finally {
    interrupts.release();
  }
  return EXIT.ok;
}

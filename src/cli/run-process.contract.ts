import { type ChildProcess, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { decodePlan } from "../plan/plan-codec.ts";
import { type Cid, isCid } from "../protocol/cid.ts";
import { connect } from "../sdk/index.ts";

/** Whoever starts a run, in a process of its own, so that it can be killed like any machine. For tests. */
export interface RunProcess {
  readonly run: Cid;
  /** Resolves when so many receipts have come. */
  untilEnded(steps: number): Promise<void>;
  /** SIGKILL: no goodbye. */
  kill(): Promise<void>;
}

export interface RunProcessOptions {
  /** Of the identity that pays, hexadecimal. */
  readonly seed: string;
  /** Files of the encoded plan and of the module that it calls. */
  readonly planFile: string;
  readonly moduleFile: string;
  /** JSON of the parameters, budget and holders. */
  readonly params: Readonly<Record<string, unknown>>;
  /** Micro-credits, decimal. */
  readonly budget: string;
  readonly holders: readonly string[];
}

const SCRIPT = fileURLToPath(import.meta.url);

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise((resolve) => child.once("exit", resolve));
}

export async function startRunProcess(url: string, options: RunProcessOptions): Promise<RunProcess> {
  const text = JSON.stringify(options);
  const child = spawn(process.execPath, [SCRIPT, url, text], { stdio: ["ignore", "pipe", "inherit"] });
  const begun = Promise.withResolvers<Cid>();
  child.once("exit", () => begun.reject(new Error("the initiator ended before its run began")));
  let steps = 0;
  let waiting: { readonly steps: number; readonly resolve: () => void }[] = [];
  child.stdout.on("data", (told: Buffer) => {
    for (const line of told.toString().trim().split("\n")) {
      if (isCid(line)) begun.resolve(line);
      else steps += 1;
    }
    for (const each of waiting) if (steps >= each.steps) each.resolve();
    waiting = waiting.filter((each) => steps < each.steps);
  });
  return {
    run: await begun.promise,
    untilEnded: (wanted) =>
      steps >= wanted
        ? Promise.resolve()
        : new Promise((resolve) => waiting.push({ steps: wanted, resolve })),
    async kill() {
      child.kill("SIGKILL");
      await ended(child);
    },
  };
}

if (import.meta.main) {
  const [, , url = "", text = "{}"] = process.argv;
  const { seed, planFile, moduleFile, params, budget, holders } = JSON.parse(
    text,
  ) as never as RunProcessOptions;
  const client = await connect({ relay: url, seed: new Uint8Array(Buffer.from(seed, "hex")) });
  const run = await client.startRun(decodePlan(await readFile(planFile)), params, {
    modules: [await readFile(moduleFile)],
    budget: BigInt(budget),
    holders: holders as never,
  });
  process.stdout.write(`${run.id}\n`);
  for await (const event of run) if (event.kind === "ended") process.stdout.write(`${event.node}\n`);
}

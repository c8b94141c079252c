/** Providers die without a word, one after the other, in the middle of a job: how long until their tasks are with another. */
import { setTimeout as pause } from "node:timers/promises";
import { type ProviderProcess, startProviderProcess } from "../../src/cli/provider-process.contract.ts";
import { relayConfig } from "../../src/relay/config.ts";
import { startRelay } from "../../src/relay/start-relay.ts";
import { connect, type Tabmesh } from "../../src/sdk/index.ts";
import { ECHO } from "../support/functions.ts";
import { draw } from "./chance.ts";
import type { Soak, SoakContext } from "./soak.ts";

const ROUNDS = 16;
/** A task takes so long, so that a provider that dies always has some. */
const TASK_MS = 60;
const TASKS = 500;

interface State {
  /** Milliseconds from a provider's end to the first of its tasks at another, one for each round. */
  readonly movedMs: readonly number[];
  readonly lost: number;
}

/** One job, one death at a random moment: killed, or stopped so that its connections stay. */
async function round(
  client: Tabmesh,
  providers: readonly ProviderProcess[],
  number: number,
): Promise<{ readonly movedMs: number; readonly lost: number; readonly victim: number }> {
  const by = draw("silence", number);
  const [victim, isKilled, delayMs] = [by(providers.length), by(2) === 0, by(1_500)];
  const inputs = Array.from({ length: TASKS }, (_, index) => new TextEncoder().encode(`${index}`));
  let diedAt: number | undefined;
  let movedMs: number | undefined;
  const handle = await client.map(ECHO, inputs, {
    parallel: providers.length,
    cap: 1_000_000n,
    outputBytes: 1_024,
    fuel: 10_000_000n,
    onProgress({ reassigned }) {
      if (diedAt === undefined || reassigned === 0 || movedMs !== undefined) return;
      movedMs = performance.now() - diedAt;
    },
  });
  const die = async (): Promise<void> => {
    await pause(delayMs);
    diedAt = performance.now();
    if (isKilled) await providers[victim]?.kill();
    else providers[victim]?.freeze();
  };
  const seen = new Set<number>();
  const busy = new Set<string>();
  let death: Promise<void> | undefined;
  for await (const result of handle) {
    if (result.kind === "done") seen.add(result.index);
    if (result.provider !== undefined) busy.add(result.provider);
    if (busy.size === providers.length) death ??= die();
  }
  await death;
  return { movedMs: movedMs ?? Number.NaN, lost: TASKS - seen.size, victim };
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.filter((value) => !Number.isNaN(value)).toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

async function run(context: SoakContext): ReturnType<Soak["run"]> {
  const { signal } = context;
  let state = (context.state as State | undefined) ?? { movedMs: [], lost: 0 };
  const relay = await startRelay(
    relayConfig({ port: 0, dataDir: ":memory:", iceServers: [], logLevel: "silent", auditThreads: 1 }),
  );
  const start = (): Promise<ProviderProcess> =>
    startProviderProcess(relay.url, { module: ECHO, pauseMs: TASK_MS });
  const providers = [await start(), await start(), await start()];
  try {
    while (state.movedMs.length < ROUNDS && !signal.aborted) {
      const client = await connect({ relay: relay.url, iceServers: [] });
      const { movedMs, lost, victim } = await round(client, providers, state.movedMs.length);
      await client.close();
      state = { movedMs: [...state.movedMs, movedMs], lost: state.lost + lost };
      await context.save(state);
      context.log(`round ${state.movedMs.length}: ${Math.round(movedMs)} ms, ${state.lost} lost`);
      await providers[victim]?.kill();
      providers[victim] = await start();
    }
  } finally {
    await Promise.all(providers.map((each) => each.kill()));
    await relay.stop();
  }
  signal.throwIfAborted();
  const unnoticed = state.movedMs.filter((value) => Number.isNaN(value)).length;
  return [
    {
      name: "silence: deaths",
      value: state.movedMs.length,
      unit: "providers",
      goal: { value: ROUNDS, better: "higher" },
    },
    {
      name: "silence: to another, median",
      value: quantile(state.movedMs, 0.5) / 1000,
      unit: "s",
      goal: null,
    },
    {
      name: "silence: to another, p95",
      value: quantile(state.movedMs, 0.95) / 1000,
      unit: "s",
      goal: { value: 6, better: "lower" },
    },
    { name: "silence: nothing to move", value: unnoticed, unit: "deaths", goal: null },
    { name: "silence: lost", value: state.lost, unit: "tasks" },
  ];
}

export const soaks: readonly Soak[] = [{ name: "silence", goal: { value: 0, better: "lower" }, run }];

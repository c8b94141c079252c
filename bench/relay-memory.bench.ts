/** What a connected idle provider costs its relay. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Bench } from "./bench.ts";
import { startRelay } from "./relay.ts";
import type { HeldMemory } from "./relay-main.ts";

const PROVIDERS = 500;
const PROCESSES = 4;
/** Buffers of handshakes and requests are let go in this time. */
const SETTLE_MS = 3_000;
const SCRIPT = fileURLToPath(new URL("idle-providers.ts", import.meta.url));

async function startProviders(url: string, count: number): Promise<ChildProcess> {
  const child = fork(SCRIPT, [url, String(count)]);
  const ended = new AbortController();
  const exit = async (): Promise<never> => {
    await once(child, "exit", { signal: ended.signal });
    throw new Error("the providers could not join");
  };
  await Promise.race([once(child, "message"), exit()]);
  ended.abort();
  return child;
}

function kilobytesEach(before: HeldMemory, after: HeldMemory, sizeOf: (held: HeldMemory) => number): number {
  return (sizeOf(after) - sizeOf(before)) / PROVIDERS / 1_000;
}

const idleMemory: Bench = {
  name: "relay-idle-memory",
  goal: { value: 60, better: "lower" },
  async run() {
    const relay = await startRelay();
    const providers: ChildProcess[] = [];
    try {
      // What the first connection alone needs is no cost of the five-hundredth.
      providers.push(await startProviders(relay.url, 1));
      await wait(SETTLE_MS);
      const before = await relay.held();
      providers.push(
        ...(await Promise.all(
          Array.from({ length: PROCESSES }, async () => startProviders(relay.url, PROVIDERS / PROCESSES)),
        )),
      );
      await wait(SETTLE_MS);
      const after = await relay.held();
      if (after.offers !== PROVIDERS + 1) throw new Error(`${after.offers} offers stand`);
      const value = kilobytesEach(before, after, ({ heap, external }) => heap + external);
      const resident = kilobytesEach(before, after, (held) => held.resident);
      return [
        { name: "relay-idle-memory", value, unit: "kB" },
        { name: "relay-idle-resident", value: resident, unit: "kB", goal: null },
      ];
    } finally {
      for (const child of providers) child.disconnect();
      await relay.stop();
    }
  },
};

export const benches: readonly Bench[] = [idleMemory];

/** A relay for measurements, in a process of its own: answers over the channel to its parent how much it holds. */
import { relayConfig } from "../src/relay/config.ts";
import { startRelay } from "../src/relay/start-relay.ts";

/** What a relay holds, in bytes, after a forced collection. */
export interface HeldMemory {
  readonly heap: number;
  readonly external: number;
  readonly resident: number;
  /** Providers with an offer that stands. */
  readonly offers: number;
}

const { RELAY_DATA: dataDir = ":memory:", RELAY_STATIC: staticDir } = process.env;
const relay = await startRelay(
  relayConfig({
    port: 0,
    dataDir,
    iceServers: [],
    logLevel: "error",
    ...(staticDir === undefined ? {} : { staticDir }),
  }),
);

async function offers(): Promise<number> {
  const answer = await fetch(`${relay.url}/metrics`);
  return Number(/^tabmesh_\w*offers\w* (\d+)/mu.exec(await answer.text())?.[1] ?? Number.NaN);
}

async function held(): Promise<HeldMemory> {
  const standing = await offers();
  const { gc } = globalThis;
  if (gc === undefined) throw new Error("start it with --expose-gc");
  for (let turn = 0; turn < 3; turn += 1) {
    // What one collection frees, the next may follow up.
    await gc({ type: "major", execution: "async" });
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed, external, resident: rss, offers: standing };
}

process.on("message", () => void held().then((memory) => process.send?.(memory)));
process.once("disconnect", () => void relay.stop().then(() => process.exit(0)));
process.send?.({ url: relay.url });

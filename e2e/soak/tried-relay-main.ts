/** The process of tried-relay.ts: a whole relay, that its parent may ask for its memory and give a fault to come. */
import { arm, type Fault } from "./faults.ts";
// oxlint-disable-next-line import/first -- faults have to be there before anything opens books
import { meshGateway } from "../../src/cli/gateway/mesh-gateway.ts";
import { TARIFF } from "../../src/relay/books/books-scene.contract.ts";
import { relayConfig, type RelayConfig } from "../../src/relay/config.ts";
import { startRelay } from "../../src/relay/start-relay.ts";

/** What a relay is asked over the channel to its parent. */
export type Asked = { readonly fault: Fault } | { readonly held: true };
/** What it tells. */
export type Told =
  | { readonly ready: string }
  | { readonly failed: Fault }
  | { readonly heap: number; readonly external: number; readonly resident: number };

/** Nobody is turned away here for coming too often: the load and the inputs come from one address. */
const NO_LIMIT = { burst: 1e9, perSecond: 1e9 };

function tell(told: Told): void {
  process.send?.(told);
}

async function tellHeld(): Promise<void> {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error("start it with --expose-gc");
  for (let turn = 0; turn < 3; turn += 1) {
    // What one collection frees, the next may follow up.
    await gc({ type: "major", execution: "async" });
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  tell({ heap: heapUsed, external, resident: rss });
}

process.on("message", (message: unknown) => {
  const asked = message as Asked;
  if ("fault" in asked) arm(asked.fault, (failed) => tell({ failed }));
  else void tellHeld();
});

const changes = JSON.parse(process.env["TRIED_RELAY"] ?? "{}") as Partial<RelayConfig>;
const relay = await startRelay(
  relayConfig({
    port: 0,
    iceServers: [],
    tariff: TARIFF,
    addressRate: NO_LIMIT,
    identityRate: NO_LIMIT,
    keyRate: NO_LIMIT,
    connectRate: NO_LIMIT,
    ...changes,
  }),
  { gateway: meshGateway },
);
process.once("disconnect", () => void relay.stop().then(() => process.exit(0)));
tell({ ready: relay.url });

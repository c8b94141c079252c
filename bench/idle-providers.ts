/** A process of idle providers: each on a libp2p connection of its own, with a reservation and an offer that stands. */
import { webcrypto } from "node:crypto";
import { createMemoryPins } from "../src/ledger/memory-pins.ts";
import { contactRelay } from "../src/ledger/relay-contact.ts";
import { relayAddress } from "../src/mesh/mesh-address.ts";
import { createNodeMesh } from "../src/mesh/node-mesh.ts";
import { createRelayClient } from "../src/mesh/relay-client.ts";
import { untilOnline } from "../src/mesh/until-online.ts";
import { SEED_BYTES, verifierOf } from "../src/protocol/ed25519.ts";
import { startSessionIdentity } from "../src/protocol/session-identity.ts";
import { OfferLine } from "../src/provider/offer-line.ts";

const JOIN_TIMEOUT_MS = 60_000;
const AT_ONCE = 8;

const [url = "", count = "0"] = process.argv.slice(2);
const client = createRelayClient({ baseUrl: url, fetch: (input, init) => fetch(input, init) });
const verify = verifierOf(webcrypto.subtle);
const { info } = await contactRelay(client, createMemoryPins(), verify, Date.now());

function seed(): Uint8Array {
  return webcrypto.getRandomValues(new Uint8Array(SEED_BYTES));
}

async function join(): Promise<void> {
  const identity = await startSessionIdentity(
    webcrypto.subtle,
    { root: seed(), session: seed() },
    Date.now(),
  );
  const relay = relayAddress(url, info.peer);
  const mesh = await createNodeMesh({ privateKey: identity.seed, relay });
  await mesh.start();
  const signal = AbortSignal.timeout(JOIN_TIMEOUT_MS);
  await untilOnline(mesh, signal);
  await OfferLine.open(
    {
      mesh,
      relay,
      ground: { origin: info.origin, asset: info.asset },
      root: identity.root,
      signer: identity.signer,
      verify,
      tariffMin: info.tariff,
      capacity: () => ({
        workers: 1,
        free: 1,
        memoryBytes: 512 * 1024 * 1024,
        abis: ["wasi-p1", "bytes-1", "component-1"],
      }),
      note: () => undefined,
      now: Date.now,
    },
    signal,
  );
}

let left = Number(count);
async function joinSome(): Promise<void> {
  while (left > 0) {
    left -= 1;
    // A few at a time.
    await join();
  }
}

await Promise.all(Array.from({ length: AT_ONCE }, joinSome));
process.send?.("ready");
process.once("disconnect", () => process.exit(0));

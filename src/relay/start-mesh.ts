import { webcrypto } from "node:crypto";
import { relayAddress } from "../mesh/mesh-address.ts";
import { createRelayMesh, type RelayMesh, type UpgradeRefusal } from "../mesh/relay-mesh.ts";
import { signerFromSeed } from "../protocol/ed25519.ts";
import { addressGroup, clientAddress, parseNetworks } from "./client-address.ts";
import type { RelayConfig } from "./config.ts";
import type { Owners } from "./offers/owners.ts";
import { RateLimit } from "./rate-limit.ts";

/** The relay's place in the mesh: who may connect, and where from. @param url where clients reach the relay */
export async function startMesh(
  config: RelayConfig,
  seed: Uint8Array,
  url: string,
  owners: Owners,
  nowMs: () => number,
): Promise<RelayMesh> {
  const proxies = parseNetworks(config.trustedProxies);
  const limit = new RateLimit(config.connectRate, "address", nowMs);
  const { key } = await signerFromSeed(webcrypto.subtle, seed);
  const mesh = await createRelayMesh({
    privateKey: seed,
    maxConnections: config.maxConnections,
    announce: [relayAddress(url, key)],
    admit({ headers, socket }, remote): UpgradeRefusal | undefined {
      const forwarded = headers["x-forwarded-for"];
      const list = typeof forwarded === "string" ? forwarded : forwarded?.join(",");
      const address = clientAddress(socket.remoteAddress, list, proxies);
      const { origin: page } = headers;
      owners.arrived(remote, typeof page === "string" ? { address, page } : { address });
      return limit.tryTake(addressGroup(address))
        ? undefined
        : { status: 429, reason: "too many connections from this address" };
    },
  });
  await mesh.start();
  return mesh;
}

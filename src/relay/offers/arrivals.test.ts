import { connect, createServer, type AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { relayAddress } from "../../mesh/mesh-address.ts";
import { createNodeMesh } from "../../mesh/node-mesh.ts";
import { createRelayClient } from "../../mesh/relay-client.ts";
import { untilOnline } from "../../mesh/until-online.ts";
import { ABIS } from "../../protocol/messages/session.ts";
import { OfferLine } from "../../provider/offer-line.ts";
import { seedOf, sessionOf, signerOf } from "../books/books-scene.contract.ts";
import { verifyNative } from "../books/native-keys.ts";
import { relayConfig } from "../config.ts";
import { type Relay, startRelay } from "../start-relay.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) {
    // oxlint-disable-next-line no-await-in-loop -- in reverse order
    await close();
  }
});

/** A proxy on this machine that says of every connection that it came from `address`. @returns its port */
async function proxyTo(relay: Relay, address: string): Promise<number> {
  const server = createServer((client) => {
    const upstream = connect(relay.port, "127.0.0.1");
    client.once("data", (head: Buffer) => {
      const text = head.toString("latin1").replace("\r\n", `\r\nX-Forwarded-For: ${address}\r\n`);
      upstream.write(Buffer.from(text, "latin1"));
      client.pipe(upstream);
    });
    upstream.pipe(client);
    client.on("error", () => upstream.destroy());
    upstream.on("error", () => client.destroy());
    client.on("close", () => upstream.destroy());
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  closing.push(() => server.close());
  const found: AddressInfo | string | null = server.address();
  return typeof found === "object" && found !== null ? found.port : 0;
}

/** A provider that comes from an address and offers. @returns how it was refused, if it was */
async function comeFrom(relay: Relay, name: string, address: string): Promise<string | undefined> {
  const info = await createRelayClient({ baseUrl: relay.url, fetch }).info();
  const at = relayAddress(`http://127.0.0.1:${await proxyTo(relay, address)}`, relay.peer);
  const mesh = await createNodeMesh({ privateKey: seedOf(`${name} tab`), relay: at });
  closing.push(() => mesh.stop());
  await mesh.start();
  await untilOnline(mesh, AbortSignal.timeout(20_000));
  const line = await OfferLine.open(
    {
      mesh,
      relay: at,
      ground: info,
      root: signerOf(name).key,
      signer: await sessionOf(name, `${name} tab`, Date.now(), Date.now() + 60_000),
      verify: (...claim) => Promise.resolve(verifyNative(...claim)),
      tariffMin: info.tariff,
      capacity: () => ({ workers: 2, free: 2, memoryBytes: 1 << 28, abis: ABIS }),
      note: () => undefined,
      now: Date.now,
    },
    AbortSignal.timeout(20_000),
  );
  let refused: string | undefined;
  const listen = async (): Promise<void> => {
    refused = (await line.ended).message;
  };
  void listen();
  const [root, tab] = [signerOf(name).key, signerOf(`${name} tab`).key];
  await expect
    .poll(() => refused !== undefined || relay.owners.sameOwner(root, tab), { timeout: 20_000 })
    .toBe(true);
  return refused;
}

test("who came by a proxy that is trusted is known by its own address: blocks are owners, and bring so many newcomers", async () => {
  const relay = await startRelay(
    relayConfig({
      port: 0,
      dataDir: ":memory:",
      iceServers: [],
      logLevel: "silent",
      trustedProxies: ["127.0.0.1"],
      newIdentities: 2,
    }),
  );
  closing.push(() => relay.stop());
  expect(await comeFrom(relay, "a", "203.0.113.1")).toBeUndefined();
  expect(await comeFrom(relay, "b", "203.0.113.2")).toBeUndefined();
  expect(await comeFrom(relay, "c", "198.51.100.1")).toBeUndefined();
  const [a, b, c] = [signerOf("a").key, signerOf("b").key, signerOf("c").key];
  expect(relay.owners.sameOwner(a, b)).toBe(true);
  expect(relay.owners.sameOwner(a, c)).toBe(false);
  expect(await comeFrom(relay, "d", "203.0.113.3")).toMatch(
    /^rate-limited: 2 new identities came from 203\.0\.113\.0\/24 today/u,
  );
}, 60_000);

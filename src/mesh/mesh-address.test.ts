import { expect, test } from "vitest";
import { parsePeerAddresses, relayAddress } from "./mesh-address.ts";

const RELAY = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";
const PEER = "12D3KooWHdiAxVd8uMQR1hGWXccidmfCwLqcMpGwR6QcTP6QRMuD";

test.each([
  ["http://localhost:8787", `/dns/localhost/tcp/8787/ws/p2p/${RELAY}`],
  ["https://relay.example", `/dns/relay.example/tcp/443/tls/ws/p2p/${RELAY}`],
  ["https://relay.example:8443/some/path", `/dns/relay.example/tcp/8443/tls/ws/p2p/${RELAY}`],
  ["http://192.0.2.1", `/ip4/192.0.2.1/tcp/80/ws/p2p/${RELAY}`],
  ["http://[2001:db8::1]:99", `/ip6/2001:db8::1/tcp/99/ws/p2p/${RELAY}`],
])("the relay of %s is dialled at its WebSocket", (origin, address) => {
  expect(relayAddress(origin, RELAY)).toBe(address);
});

test("addresses are sorted by whether a relay carries the data", () => {
  const circuit = `/ip4/192.0.2.1/tcp/80/ws/p2p/${RELAY}/p2p-circuit`;
  const found = parsePeerAddresses([`${circuit}/p2p/${PEER}`, `${circuit}/webrtc/p2p/${PEER}`]);
  expect(found.peerId).toBe(PEER);
  expect(found.direct.map(String)).toEqual([`${circuit}/webrtc/p2p/${PEER}`]);
  expect(found.circuit.map(String)).toEqual([`${circuit}/p2p/${PEER}`]);
});

test.each([
  ["nothing", []],
  ["no identity", ["/ip4/192.0.2.1/tcp/80/ws"]],
  ["two identities", [`/p2p/${PEER}`, `/p2p/${RELAY}`]],
  ["no multiaddr", ["http://relay.example"]],
])("%s cannot be dialled", (_name, addresses) => {
  expect(() => parsePeerAddresses(addresses)).toThrow(/^malformed: /);
});

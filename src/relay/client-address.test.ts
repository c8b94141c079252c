import { expect, test } from "vitest";
import { addressBlock, addressGroup, clientAddress, isLoopback, parseNetworks } from "./client-address.ts";

const none = parseNetworks([]);
const proxies = parseNetworks(["127.0.0.1", "10.1.0.0/16", "fd00::/8"]);

test("without configured proxies the connection's own address counts, whatever the header says", () => {
  expect(clientAddress("203.0.113.5", "1.2.3.4", none)).toBe("203.0.113.5");
  expect(clientAddress("127.0.0.1", "1.2.3.4", none)).toBe("127.0.0.1");
});

test("a configured proxy is believed about the address before it", () => {
  expect(clientAddress("10.1.2.3", "198.51.100.7", proxies)).toBe("198.51.100.7");
  expect(clientAddress("::ffff:10.1.2.3", "198.51.100.7", proxies)).toBe("198.51.100.7");
  expect(clientAddress("fd00::1", "2001:db8::7", proxies)).toBe("2001:db8::7");
});

test("what a client wrote into the header before the proxy did is not believed", () => {
  expect(clientAddress("10.1.2.3", "6.6.6.6, 198.51.100.7", proxies)).toBe("198.51.100.7");
  expect(clientAddress("127.0.0.1", "6.6.6.6, 198.51.100.7, 10.1.0.9", proxies)).toBe("198.51.100.7");
});

test("a stranger who sends the header is counted under his own address", () => {
  expect(clientAddress("203.0.113.5", "10.1.2.3, 127.0.0.1", proxies)).toBe("203.0.113.5");
});

test("garbage in the header leaves the last address that is known", () => {
  expect(clientAddress("10.1.2.3", "unknown", proxies)).toBe("10.1.2.3");
  expect(clientAddress("10.1.2.3", "1.2.3.4, ,", proxies)).toBe("10.1.2.3");
  expect(clientAddress("10.1.2.3", undefined, proxies)).toBe("10.1.2.3");
  expect(clientAddress(undefined, "1.2.3.4", proxies)).toBe("unknown");
});

test.each(["10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "::/129", "proxy.example", "1.2.3.4/8/8", "10.0.0.0/-1"])(
  "%s is not a network",
  (block) => {
    expect(() => parseNetworks([block])).toThrow(block);
  },
);

test("addresses of one IPv6 host count as one, IPv4 addresses count alone", () => {
  expect(addressGroup("2001:db8:0:1::5")).toBe(addressGroup("2001:0db8:0000:0001:ffff:ffff:ffff:ffff"));
  expect(addressGroup("2001:db8:0:1::5")).not.toBe(addressGroup("2001:db8:0:2::5"));
  expect(addressGroup("::1")).toBe("0:0:0:0::/64");
  expect(addressGroup("192.0.2.1")).toBe("192.0.2.1");
});

test("loopback is this machine alone", () => {
  for (const host of [
    "127.0.0.1",
    "127.8.8.8",
    "::1",
    "[::1]",
    "localhost",
    "a.localhost",
    "::ffff:127.0.0.1",
  ])
    expect(isLoopback(host)).toBe(true);
  for (const host of ["0.0.0.0", "::", "10.0.0.1", "localhost.example", "relay.example"])
    expect(isLoopback(host)).toBe(false);
});

test("an address belongs to the block of its first bits; this machine's own belongs to none", () => {
  const bits = { ipv4: 24, ipv6: 48 };
  expect(addressBlock("203.0.113.77", bits)).toBe("203.0.113.0/24");
  expect(addressBlock("255.255.255.255", { ipv4: 9, ipv6: 0 })).toBe("255.128.0.0/9");
  expect(addressBlock("203.0.113.77", { ipv4: 32, ipv6: 128 })).toBe("203.0.113.77/32");
  expect(addressBlock("2001:DB8:7:ffff::1", bits)).toBe("2001:db8:7::/48");
  expect(addressBlock("2001:db8:7:12ff::1", { ipv4: 24, ipv6: 56 })).toBe("2001:db8:7:1200::/56");
  for (const own of ["127.0.0.1", "::1", "127.9.9.9", "unknown"])
    expect(addressBlock(own, bits)).toBeUndefined();
});

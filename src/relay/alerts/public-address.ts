import { lookup } from "node:dns/promises";
import { BlockList, isIPv6 } from "node:net";

/**
 * Which addresses a relay may call for strangers. Of IPv4 all that is not set aside for a purpose (RFC 6890 and the IANA registry of
 * special-purpose addresses), of IPv6 global unicast alone, without the parts of it that stand for something else.
 */
const REFUSED_IPV4: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
];
/** Teredo, benchmarks and the like; documentation; 6to4, which holds an IPv4 address; documentation again. */
const REFUSED_IPV6: readonly (readonly [string, number])[] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
];

function blocks(nets: readonly (readonly [string, number])[], family: "ipv4" | "ipv6"): BlockList {
  const list = new BlockList();
  for (const [net, bits] of nets) list.addSubnet(net, bits, family);
  return list;
}

const refusedIpv4 = blocks(REFUSED_IPV4, "ipv4");
const refusedIpv6 = blocks(REFUSED_IPV6, "ipv6");
const globalIpv6 = blocks([["2000::", 3]], "ipv6");

/** @param address as the system writes it, IPv4 or IPv6 */
export function isPublicAddress(address: string): boolean {
  if (!isIPv6(address)) return !refusedIpv4.check(address, "ipv4");
  return globalIpv6.check(address, "ipv6") && !refusedIpv6.check(address, "ipv6");
}

export type Resolve = (host: string) => Promise<readonly string[]>;

/** All addresses of a name, as the system finds them. */
export const resolveBySystem: Resolve = async (host) =>
  (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address);

/** A host as it stands in a URL, without the brackets of IPv6. */
export function bareHost({ hostname }: URL): string {
  return hostname.replace(/^\[(?<inner>.*)\]$/u, "$<inner>");
}

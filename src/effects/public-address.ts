import ipaddr from "ipaddr.js";

/**
 * Which addresses may be called for strangers. Of IPv4 all that is not set aside for a purpose (RFC 6890 and the IANA registry of
 * special-purpose addresses), of IPv6 global unicast alone, without the parts of it that stand for something else.
 */
const REFUSED_IPV4 = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
].map((net) => ipaddr.IPv4.parseCIDR(net));
const GLOBAL_IPV6 = ipaddr.IPv6.parseCIDR("2000::/3");
/** Teredo, benchmarks and the like; documentation; 6to4, which holds an IPv4 address; documentation again. */
const REFUSED_IPV6 = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"].map((net) =>
  ipaddr.IPv6.parseCIDR(net),
);

/** @param address as the system writes it, IPv4 or IPv6; what is neither is not public */
export function isPublicAddress(address: string): boolean {
  if (ipaddr.IPv4.isValidFourPartDecimal(address)) {
    const parsed = ipaddr.IPv4.parse(address);
    return !REFUSED_IPV4.some((net) => parsed.match(net));
  }
  if (!ipaddr.IPv6.isValid(address)) return false;
  const parsed = ipaddr.IPv6.parse(address);
  return (
    parsed.zoneId === undefined && parsed.match(GLOBAL_IPV6) && !REFUSED_IPV6.some((net) => parsed.match(net))
  );
}

/** A host as it stands in a URL, without the brackets of IPv6. */
export function bareHost({ hostname }: URL): string {
  return hostname.replace(/^\[(?<inner>.*)\]$/u, "$<inner>");
}

/** Names that lead into the network of whoever asks, or nowhere (RFC 6761, 6762, 8375, 9476 and common use). */
const LOCAL_ENDINGS = [
  "localhost",
  "local",
  "internal",
  "intranet",
  "lan",
  "home",
  "corp",
  "private",
  "home.arpa",
  "test",
  "invalid",
  "example",
  "alt",
  "onion",
];

/** Whether a URL's host is, by its looks alone, an address or a name of a private network. What a name leads to is not looked at. */
export function isLocalHost(url: URL): boolean {
  const host = bareHost(url);
  if (ipaddr.isValid(host)) return !isPublicAddress(host);
  // A name at the root of the tree, as in "localhost.", is the same name.
  const name = host.replace(/\.$/u, "");
  if (!name.includes(".")) return true;
  return LOCAL_ENDINGS.some((ending) => name.endsWith(`.${ending}`));
}

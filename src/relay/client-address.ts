import { BlockList, isIP } from "node:net";

/** Networks written as CIDR blocks or single addresses. */
export interface Networks {
  has(address: string): boolean;
}

/** An IPv4 address that came in IPv6 clothes as the plain one; anything else as it is, without zone and brackets. */
function plainAddress(address: string): string {
  const bare = address.replace(/^\[|\]$/gu, "").replace(/%.*$/u, "");
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/iu.exec(bare)?.[1] ?? bare;
}

/** @throws RangeError naming the block that does not parse. */
export function parseNetworks(blocks: readonly string[]): Networks {
  const list = new BlockList();
  for (const block of blocks) addBlock(list, block);
  return {
    has(address) {
      const version = isIP(address);
      return version !== 0 && list.check(address, version === 4 ? "ipv4" : "ipv6");
    },
  };
}

function addBlock(list: BlockList, block: string): void {
  const [address = "", prefix, ...more] = block.split("/");
  const version = isIP(address);
  const longest = version === 4 ? 32 : 128;
  const length = prefix === undefined ? longest : Number(prefix);
  if (
    version === 0 ||
    more.length > 0 ||
    prefix === "" ||
    !Number.isInteger(length) ||
    length < 0 ||
    length > longest
  )
    throw new RangeError(`${block} is neither an IP address nor a CIDR block such as 10.0.0.0/8`);
  list.addSubnet(address, length, version === 4 ? "ipv4" : "ipv6");
}

/** Whether an address or host name means this machine alone. */
export function isLoopback(host: string): boolean {
  const plain = plainAddress(host);
  return plain === "localhost" || plain.endsWith(".localhost") || LOOPBACK.has(plain);
}

const LOOPBACK: Networks = parseNetworks(["127.0.0.0/8", "::1"]);

/**
 * Who is asking. `X-Forwarded-For` counts only as far as it was written by the operator's own proxies: from the right,
 * the first address that is not one of them. Anything further left could have been invented by the client.
 * @param remote address of the connection.
 */
export function clientAddress(
  remote: string | undefined,
  forwardedFor: string | undefined,
  proxies: Networks,
): string {
  let address = plainAddress(remote ?? "unknown");
  const hops = (forwardedFor ?? "").split(",").map((hop) => plainAddress(hop.trim()));
  for (const hop of hops.toReversed()) {
    if (!proxies.has(address) || isIP(hop) === 0) break;
    address = hop;
  }
  return address;
}

/** What limits go by: an IPv4 address, or the /64 that a household or host gets in IPv6. */
export function addressGroup(address: string): string {
  if (isIP(address) !== 6) return address;
  return `${expandIpv6(address).slice(0, 4).join(":")}::/64`;
}

/** How many bits of an address make a block. */
export interface BlockBits {
  readonly ipv4: number;
  readonly ipv6: number;
}

/**
 * The block that an address belongs to, as in "203.0.113.0/24": whoever rents or is given addresses gets them by the block.
 * @returns undefined for what is no address, and for this machine's own: behind them stands nobody in particular
 */
export function addressBlock(address: string, { ipv4, ipv6 }: BlockBits): string | undefined {
  const version = isIP(address);
  if (version === 0 || isLoopback(address)) return undefined;
  if (version === 4) return `${masked(address.split(".").map(Number), 8, ipv4).join(".")}/${ipv4}`;
  const groups = expandIpv6(address).map((group) => Number.parseInt(group, 16));
  const kept = masked(groups, 16, ipv6).map((group) => group.toString(16));
  return `${kept.slice(0, Math.ceil(ipv6 / 16)).join(":")}::/${ipv6}`;
}

/** Numbers of so many bits each, of which the first `bits` together stay and the others become 0. */
function masked(parts: readonly number[], width: number, bits: number): readonly number[] {
  return parts.map((part, place) => {
    const kept = Math.max(0, Math.min(width, bits - place * width));
    return (part >> (width - kept)) << (width - kept);
  });
}

function expandIpv6(address: string): readonly string[] {
  const [head = "", tail] = address.toLowerCase().split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => "0");
  return [...left, ...(tail === undefined ? [] : zeros), ...right].map((part) =>
    part.replace(/^0+(?=.)/u, ""),
  );
}

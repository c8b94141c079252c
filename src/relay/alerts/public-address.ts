import { lookup } from "node:dns/promises";
import { isIPv6, type LookupFunction } from "node:net";
import { bareHost, isPublicAddress } from "../../effects/public-address.ts";

export type Resolve = (host: string) => Promise<readonly string[]>;

/** All addresses of a name, as the system finds them. */
const resolveBySystem: Resolve = async (host) =>
  (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address);

export interface AddressOptions {
  /** Whether private addresses may be called: the operator's own, and tests. */
  readonly allowPrivate: boolean;
  readonly resolve?: Resolve;
}

/**
 * Looks a URL's host up once. @returns one of its addresses, to be called and no other; nothing where it has none, one of them is
 * not public, or the signal is aborted
 */
export async function checkedAddress(
  url: URL,
  { allowPrivate, resolve = resolveBySystem }: AddressOptions,
  signal: AbortSignal,
): Promise<string | undefined> {
  const late = new Promise<readonly string[]>((done) => {
    signal.addEventListener("abort", () => done([]), { once: true });
  });
  const addresses = await Promise.race([resolve(bareHost(url)).catch(() => []), late]);
  return allowPrivate || addresses.every(isPublicAddress) ? addresses[0] : undefined;
}

/** Answers every lookup with one address: a connection goes there, whatever the name leads to a moment later. */
export function pinnedTo(address: string): LookupFunction {
  const family = isIPv6(address) ? 6 : 4;
  return (_name, options, answer) => {
    if (options.all === true) answer(null, [{ address, family }]);
    else answer(null, address, family);
  };
}

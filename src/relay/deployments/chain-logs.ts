import type { TriggerTerms } from "../../protocol/messages/deploy.ts";

/** Logs of contracts, block by block. */
export interface ChainLogs {
  /**
   * @param from the first block; absent at the first look, which finds nothing but where to begin
   * @returns the names of events, and the block to go on from
   */
  since(
    terms: Pick<TriggerTerms, "chain" | "address" | "topic">,
    from: bigint | undefined,
  ): Promise<{ readonly events: readonly string[]; readonly next: bigint }>;
}

/** Blocks behind the newest one that are taken for settled: none of a proof-of-stake chain has been taken back that far in normal times. */
const SETTLED_BLOCKS = 12n;
/** Blocks of one question: what public servers answer at most. */
const MAX_BLOCKS = 500n;
const TIMEOUT_MS = 10_000;

function hex(text: string | undefined): `0x${string}` {
  return `0x${(text ?? "").replace(/^0x/u, "")}`;
}

/** @param urls of servers that speak Ethereum's JSON-RPC, by chain (CAIP-2), as the operator says */
export function chainLogs(urls: Readonly<Record<string, string>>): ChainLogs {
  return {
    async since({ chain = "", address, topic }, from) {
      const url = urls[chain];
      if (url === undefined) throw new RangeError(`this relay reads no chain ${chain}`);
      const { createPublicClient, http } = await import("viem");
      const client = createPublicClient({ transport: http(url, { timeout: TIMEOUT_MS, retryCount: 0 }) });
      const head = await client.getBlockNumber({ cacheTime: 0 });
      const settled = head > SETTLED_BLOCKS ? head - SETTLED_BLOCKS : 0n;
      if (from === undefined) return { events: [], next: settled + 1n };
      if (settled < from) return { events: [], next: from };
      const last = settled - from >= MAX_BLOCKS ? from + MAX_BLOCKS - 1n : settled;
      const logs = await client.request({
        method: "eth_getLogs",
        params: [
          {
            address: hex(address),
            fromBlock: `0x${from.toString(16)}`,
            toBlock: `0x${last.toString(16)}`,
            ...(topic === undefined ? {} : { topics: [hex(topic)] }),
          },
        ],
      });
      const events = logs
        .filter(({ removed }) => !removed)
        .map(({ blockHash, logIndex }) => `${blockHash} ${logIndex}`);
      return { events, next: last + 1n };
    },
  };
}

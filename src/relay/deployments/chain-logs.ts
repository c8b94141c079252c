import type { ChainCall } from "../../effects/effect-ports.ts";
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
/** Filters that are remembered as too busy for so many blocks; beyond that all are asked anew from the largest span. */
const MAX_BUSY = 10_000;
const TIMEOUT_MS = 10_000;

/** How a chain is asked; undefined for one that the operator has named no node for. */
export type ChainOf = (chain: string) => ChainCall | undefined;

function quantity(value: bigint): string {
  return `0x${value.toString(16)}`;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

/** @throws RangeError for what is no log that has been put into a block */
function nameOfLog(log: unknown): string {
  const hash = fieldOf(log, "blockHash");
  const index = fieldOf(log, "logIndex");
  if (
    typeof hash !== "string" ||
    typeof index !== "string" ||
    !/^0x[0-9a-f]{1,64} 0x[0-9a-f]{1,16}$/iu.test(`${hash} ${index}`)
  )
    throw new RangeError("the chain's node answered with something that is no log");
  return `${hash} ${index}`;
}

export function chainLogs(chainOf: ChainOf): ChainLogs {
  /** Blocks of the next question, of filters whose answers were not had for so many: they may have been too large. */
  const spans = new Map<string, bigint>();
  const note = (filter: string, span: bigint): void => {
    if (span >= MAX_BLOCKS) spans.delete(filter);
    else {
      if (spans.size >= MAX_BUSY) spans.clear();
      spans.set(filter, span < 1n ? 1n : span);
    }
  };
  return {
    async since({ chain = "", address, topic }, from) {
      const call = chainOf(chain);
      if (call === undefined) throw new RangeError(`this relay reads no chain ${chain}`);
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const head = BigInt(String(await call("eth_blockNumber", [], signal)));
      const settled = head > SETTLED_BLOCKS ? head - SETTLED_BLOCKS : 0n;
      if (from === undefined) return { events: [], next: settled + 1n };
      if (settled < from) return { events: [], next: from };
      const name = `${chain} ${address} ${topic ?? ""}`;
      const most = spans.get(name) ?? MAX_BLOCKS;
      const last = settled - from >= most ? from + most - 1n : settled;
      const span = last - from + 1n;
      const filter = {
        address,
        fromBlock: quantity(from),
        toBlock: quantity(last),
        ...(topic === undefined ? {} : { topics: [topic] }),
      };
      const logs = await call("eth_getLogs", [filter], signal).catch((error: unknown) => {
        note(name, span / 2n);
        throw error;
      });
      note(name, most * 2n);
      if (!Array.isArray(logs)) throw new RangeError("the chain's node answered with no list of logs");
      const kept = logs.filter((log: unknown) => fieldOf(log, "removed") !== true);
      return { events: kept.map(nameOfLog), next: last + 1n };
    },
  };
}

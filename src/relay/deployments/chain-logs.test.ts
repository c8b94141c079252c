import { createServer } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ChainCall } from "../../effects/effect-ports.ts";
import { jsonRpc } from "../../effects/json-rpc.ts";
import { FailureError } from "../../protocol/failure.ts";
import { relayExchange } from "../effects/relay-exchange.ts";
import { chainLogs } from "./chain-logs.ts";

/** Speaks as much of Ethereum's JSON-RPC as is asked here, over a chain that grows. */
const chain = { head: 100, logs: [{ block: 95, index: 0 }], asked: [] as unknown[] };
const ADDRESS = `0x${"0a".repeat(20)}`;
const TOPIC = `0x${"0b".repeat(32)}`;

function hashOf(block: number): string {
  return `0x${block.toString(16).padStart(64, "0")}`;
}

function answer(method: string, [filter]: readonly { fromBlock: string; toBlock: string }[]): unknown {
  if (method === "eth_blockNumber") return `0x${chain.head.toString(16)}`;
  chain.asked.push(filter);
  return chain.logs
    .filter(({ block }) => block >= Number(filter?.fromBlock) && block <= Number(filter?.toBlock))
    .map(({ block, index }) => ({
      address: ADDRESS,
      topics: [TOPIC],
      data: "0x",
      blockNumber: `0x${block.toString(16)}`,
      blockHash: hashOf(block),
      transactionHash: hashOf(1),
      transactionIndex: "0x0",
      logIndex: `0x${index.toString(16)}`,
      removed: false,
    }));
}

const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on("data", (part: Buffer) => parts.push(part));
  request.on("end", () => {
    const { id, method, params } = JSON.parse(Buffer.concat(parts).toString());
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ jsonrpc: "2.0", id, result: answer(method, params ?? []) }));
  });
});
const exchange = relayExchange({ isLocal: () => true });
let url = "";

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
});
afterAll(() => server.close());

test("a contract's logs are found once, when their block is settled, from where the trigger was made", async () => {
  const logs = chainLogs((name) => (name === "eip155:31337" ? jsonRpc(new URL(url), exchange) : undefined));
  const terms = { chain: "eip155:31337", address: ADDRESS, topic: TOPIC };
  const first = await logs.since(terms, undefined);
  expect(first).toEqual({ events: [], next: 89n });
  // Block 95 may still be taken back.
  expect(await logs.since(terms, first.next)).toEqual({ events: [], next: 89n });
  chain.head = 110;
  const settled = await logs.since(terms, first.next);
  expect(settled).toEqual({ events: [`${hashOf(95)} 0x0`], next: 99n });
  expect(chain.asked.at(-1)).toMatchObject({ address: ADDRESS, topics: [TOPIC] });
  expect(await logs.since(terms, settled.next)).toEqual({ events: [], next: 99n });
  chain.head = 5_000;
  // So many blocks at a time as servers answer.
  expect((await logs.since(terms, settled.next)).next).toBe(599n);
});

test("a contract that logs more than an answer holds is asked about fewer blocks, and again about more", async () => {
  const perBlock = 100;
  const mostLogs = 10_000;
  const asked: number[] = [];
  const busy: ChainCall = async (method, [filter]) => {
    if (method === "eth_blockNumber") return "0x10000";
    const { fromBlock, toBlock } = JSON.parse(JSON.stringify(filter));
    const blocks = Number(toBlock) - Number(fromBlock) + 1;
    asked.push(blocks);
    if (blocks * perBlock > mostLogs) throw new FailureError("effect-failed", "too much");
    return Array.from({ length: blocks * perBlock }, (_, index) => ({
      blockHash: hashOf(Number(fromBlock) + Math.floor(index / perBlock)),
      logIndex: `0x${(index % perBlock).toString(16)}`,
    }));
  };
  const logs = chainLogs(() => busy);
  const terms = { chain: "eip155:31337", address: ADDRESS };
  const first = 0x10000 - 12 - 299;
  const found = new Set<string>();
  let from = BigInt(first);
  for (let look = 0; look < 12; look += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one look after the other
    const seen = await logs.since(terms, from).catch(() => undefined);
    for (const event of seen?.events ?? []) found.add(event);
    from = seen?.next ?? from;
  }
  expect(from).toBe(0x10000n - 11n);
  expect(found.size).toBe(300 * perBlock);
  expect(Math.min(...asked)).toBeGreaterThanOrEqual(mostLogs / perBlock / 4);
  expect(asked.length).toBeLessThan(12);
});

test("a chain that the operator has named no server for is not read", async () => {
  await expect(chainLogs(() => undefined).since({ chain: "eip155:1", address: ADDRESS }, 1n)).rejects.toThrow(
    /reads no chain/u,
  );
});

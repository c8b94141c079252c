import { createServer, type Server } from "node:http";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { browserExchange } from "./browser-exchange.ts";
import { jsonRpc } from "./json-rpc.ts";
import { performEffect, type PerformedEffect } from "./perform-effect.ts";
import { encodeRecord, replayEffect } from "./replay-effect.ts";
import { capabilityOf, PLACE, portsOf, requestOf } from "./requests.contract.ts";

/** Answers as a node of a chain gave them, by method; a test may change one. */
const HASH = `0x${"ab".repeat(32)}`;
const TOKEN = "0x5fbdb2315678afecb367f032d93f642f64180aa3";
const HOLDER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const BLOCK = { number: "0x10", hash: HASH, parentHash: `0x${"cd".repeat(32)}`, timestamp: "0x65000000" };
const LOG = {
  address: TOKEN.toUpperCase().replace("0X", "0x"),
  topics: [HASH],
  data: "0x01",
  blockNumber: "0x10",
  logIndex: "0x2",
  transactionHash: HASH,
  removed: false,
};
const USUAL: Readonly<Record<string, unknown>> = {
  eth_chainId: "0x7a69",
  eth_getBlockByNumber: BLOCK,
  eth_call: `0x${"0".repeat(47)}de0b6b3a7640000`.padEnd(66, "0").replace(/^(0x.{64}).*/u, "$1"),
  eth_getLogs: [LOG],
};
let answers: Record<string, unknown>;
const asked: { readonly method: string; readonly params: readonly unknown[] }[] = [];
let server: Server;
let url: URL;

beforeAll(async () => {
  server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      const { id, method, params } = JSON.parse(await text(request));
      asked.push({ method, params });
      const result = answers[method];
      const error = { code: -32_000, message: "key 5e3f has no credit left" };
      response.end(
        JSON.stringify(result === undefined ? { jsonrpc: "2.0", id, error } : { jsonrpc: "2.0", id, result }),
      );
    };
    void answer();
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  url = new URL(
    `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/key/5e3f`,
  );
});

beforeEach(() => {
  answers = { ...USUAL };
  asked.length = 0;
});

afterAll(() => void server.close());

const capability = capabilityOf("evm-read");

function read(request: object): Promise<PerformedEffect> {
  const call = jsonRpc(
    url,
    browserExchange((to, init) => fetch(to, init)),
  );
  return performEffect(
    { capability, request: requestOf({ chain: "eip155:31337", ...request }), place: PLACE },
    portsOf({ chain: (name) => (name === "eip155:31337" ? call : undefined) }),
    new AbortController().signal,
  );
}

function json({ value }: PerformedEffect): unknown {
  return JSON.parse(Buffer.from(value).toString());
}

const balanceOf = {
  method: "call",
  to: TOKEN,
  function: "function balanceOf(address owner) view returns (uint256)",
  args: [HOLDER],
  block: "finalized",
};

test("a contract is read at one block, whose number and hash the record keeps", async () => {
  const performed = await read(balanceOf);
  expect(json(performed)).toMatchObject({
    block: { number: 16, hash: HASH },
    result: expect.stringMatching(/^\d+$/u),
  });
  expect(performed.record.block).toMatchObject({ number: 16 });
  expect(asked.map(({ method }) => method)).toEqual(["eth_chainId", "eth_getBlockByNumber", "eth_call"]);
  // The name of the block is settled first: the call names its number.
  expect(asked[1]?.params).toEqual(["finalized", false]);
  expect(asked[2]?.params).toEqual([
    { to: TOKEN, data: `0x70a08231${HOLDER.slice(2).toLowerCase().padStart(64, "0")}` },
    "0x10",
  ]);
  const request = requestOf({ chain: "eip155:31337", ...balanceOf });
  const { record, value } = performed;
  expect(replayEffect({ capability, request, record: encodeRecord(record), response: value })).toEqual(value);
});

test("integers beyond 2^53 come and go as decimal text", async () => {
  answers["eth_call"] = `0x${(10n ** 30n).toString(16).padStart(64, "0")}`;
  const request = {
    ...balanceOf,
    function: "function f(uint256 n) view returns (uint256)",
    args: [(10n ** 30n).toString()],
  };
  expect(json(await read(request))).toMatchObject({ result: "1000000000000000000000000000000" });
  expect(JSON.stringify(asked[2]?.params)).toContain((10n ** 30n).toString(16));
});

test("logs and blocks are read", async () => {
  const logs = await read({ method: "logs", address: TOKEN, topics: [null], fromBlock: 1, toBlock: 16 });
  expect(json(logs)).toMatchObject({
    result: [{ address: TOKEN, block: 16, index: 2, topics: [HASH], data: "0x01" }],
  });
  expect(json(await read({ method: "block", block: 16 }))).toEqual({
    block: { number: 16, hash: HASH, parentHash: BLOCK.parentHash, timestamp: 0x65000000 },
  });
});

test.each([
  [
    "a chain that is not named",
    { chain: "eip155:1", method: "block", block: 1 },
    /does not name the chain eip155:1/,
  ],
  ["a write", { method: "send", block: 1 }, /none of block, call, logs/],
  [
    "a function that may write",
    { ...balanceOf, function: "function transfer(address to, uint256 n) returns (bool)" },
    /not a view function/,
  ],
  ["arguments that do not fit", { ...balanceOf, args: ["nobody"] }, /arguments do not fit balanceOf/],
  ["an address that is none", { ...balanceOf, to: "0x12" }, /"to" is not an address/],
  ["a call at no block", { method: "call", to: TOKEN, data: "0x" }, /"block" is missing/],
  [
    "logs of too many blocks",
    { method: "logs", address: TOKEN, fromBlock: 0, toBlock: 5_000 },
    /more than 2000 blocks/,
  ],
])("%s is refused, and nobody is asked", async (_what, request, why) => {
  await expect(read(request)).rejects.toThrow(why);
  expect(asked.filter(({ method }) => method !== "eth_chainId" && method !== "eth_getBlockByNumber")).toEqual(
    [],
  );
});

test("a node of another chain, another block than asked for, and an answer that does not fit are no answers", async () => {
  answers["eth_chainId"] = "0x1";
  await expect(read(balanceOf)).rejects.toThrow(/another chain than eip155:31337/);
  answers = { ...USUAL, eth_getBlockByNumber: { ...BLOCK, number: "0x11" } };
  await expect(read({ method: "block", block: 16 })).rejects.toThrow(/another block/);
  answers = { ...USUAL, eth_call: "0x" };
  await expect(read(balanceOf)).rejects.toThrow(/does not fit balanceOf/);
  answers = { ...USUAL, eth_getBlockByNumber: null };
  await expect(read({ method: "block", block: 99 })).rejects.toThrow(/no block 99 yet/);
});

test("neither the node's address nor what it says of a failure is told: both may hold a key", async () => {
  delete answers["eth_call"];
  const error: unknown = await read(balanceOf).catch((thrown: unknown) => thrown);
  expect(String(error)).toBe("FailureError: effect-failed: the chain's node did not answer eth_call");
});

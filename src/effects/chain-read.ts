import {
  type AbiFunction,
  type AbiParameter,
  decodeFunctionResult,
  encodeFunctionData,
  type Hex,
  isHex,
  parseAbiItem,
} from "viem";
import { hexToBytes } from "@noble/hashes/utils.js";
import { FailureError } from "../protocol/failure.ts";
import { canonicalJson, isJsonRecord, type Json } from "./canonical-json.ts";
import type { ChainCall, EffectAnswer } from "./effect-ports.ts";
import { type BlockName, type ChainRead, refused } from "./request-fields.ts";

function odd(what: string): FailureError {
  return new FailureError("effect-failed", `the chain's node answered with ${what}`);
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function hexField(value: unknown, name: string): Hex {
  const field = fieldOf(value, name);
  if (!isHex(field)) throw odd(`no ${name} in hex`);
  return field;
}

function numberOf(hex: Hex): number {
  const value = Number(hex);
  if (!Number.isSafeInteger(value)) throw odd("a number beyond 2^53");
  return value;
}

interface Block {
  readonly number: number;
  readonly hash: Hex;
  readonly parentHash: Hex;
  readonly timestamp: number;
}

async function blockAt(name: BlockName, call: ChainCall, signal: AbortSignal): Promise<Block> {
  const asked = typeof name === "number" ? `0x${name.toString(16)}` : name;
  const block = await call("eth_getBlockByNumber", [asked, false], signal);
  if (block === null) throw new FailureError("effect-failed", `the chain has no block ${name} yet`);
  const number = numberOf(hexField(block, "number"));
  if (typeof name === "number" && number !== name) throw odd("another block than the one that was asked for");
  const hash = hexField(block, "hash");
  if (hash.length !== 66) throw odd("a block's hash that is not 32 bytes");
  return {
    number,
    hash,
    parentHash: hexField(block, "parentHash"),
    timestamp: numberOf(hexField(block, "timestamp")),
  };
}

function isFunction(item: { readonly type: string }): item is AbiFunction {
  return item.type === "function";
}

function functionOf(signature: string): AbiFunction {
  let item: { readonly type: string };
  try {
    item = parseAbiItem([signature]);
  } catch {
    throw refused(`"function" is not a function as Solidity declares it`);
  }
  if (!isFunction(item)) throw refused(`"function" declares no function`);
  return item;
}

/** JSON's numbers end at 2^53, so integers come as decimal text too. */
function argument({ type, ...more }: AbiParameter, value: Json): unknown {
  const element = /^(?<of>.*)\[\d*\]$/u.exec(type)?.groups?.["of"];
  if (element !== undefined && Array.isArray(value))
    return value.map((each: Json) => argument({ ...more, type: element }, each));
  if ("components" in more && isJsonRecord(value))
    return Object.fromEntries(
      more.components.map((each) => [each.name, argument(each, value[each.name ?? ""] ?? null)]),
    );
  const isInteger = /^u?int\d*$/u.test(type);
  if (isInteger && (typeof value === "number" || (typeof value === "string" && /^-?\d+$/u.test(value))))
    return BigInt(value);
  return value;
}

function callData(item: AbiFunction, args: readonly Json[]): Hex {
  if (args.length !== item.inputs.length) throw refused(`${item.name} takes ${item.inputs.length} arguments`);
  try {
    return encodeFunctionData({
      abi: [item],
      functionName: item.name,
      args: item.inputs.map((input, index) => argument(input, args[index] ?? null)),
    });
  } catch {
    throw refused(`the arguments do not fit ${item.name}`);
  }
}

/** What a contract returned as JSON: integers as decimal text. */
function asJson(value: unknown): Json {
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "string" || typeof value === "boolean" || typeof value === "number") return value;
  if (Array.isArray(value)) return value.map(asJson);
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, asJson(each)]));
  return null;
}

async function answerCall(
  read: Extract<ChainRead["read"], { method: "call" }>,
  block: Block,
  call: ChainCall,
  signal: AbortSignal,
): Promise<Json> {
  const item = "signature" in read ? functionOf(read.signature) : undefined;
  const data =
    "signature" in read && item !== undefined ? callData(item, read.args) : "data" in read ? read.data : "0x";
  const returned = await call("eth_call", [{ to: read.to, data }, `0x${block.number.toString(16)}`], signal);
  if (!isHex(returned)) throw odd("no data in hex");
  if (item === undefined) return returned;
  try {
    return asJson(decodeFunctionResult({ abi: [item], functionName: item.name, data: returned }));
  } catch {
    throw new FailureError("effect-failed", `what the contract returned does not fit ${item.name}`);
  }
}

async function answerLogs(
  { address, topics, fromBlock, toBlock }: Extract<ChainRead["read"], { method: "logs" }>,
  call: ChainCall,
  signal: AbortSignal,
): Promise<Json> {
  const filter = {
    address,
    topics,
    fromBlock: `0x${fromBlock.toString(16)}`,
    toBlock: `0x${toBlock.toString(16)}`,
  };
  const logs = await call("eth_getLogs", [filter], signal);
  if (!Array.isArray(logs)) throw odd("no list of logs");
  return logs.map((log: unknown) => {
    const given = fieldOf(log, "topics");
    if (!Array.isArray(given) || !given.every((topic) => isHex(topic))) throw odd("a log without topics");
    return {
      address: hexField(log, "address").toLowerCase(),
      block: numberOf(hexField(log, "blockNumber")),
      data: hexField(log, "data"),
      index: numberOf(hexField(log, "logIndex")),
      topics: given,
      transaction: hexField(log, "transactionHash"),
    };
  });
}

/**
 * Reads a chain at one block, whose number and hash the record keeps: asked again at that block, every honest node says the same.
 * @throws FailureError as performEffect
 */
export async function answerChainRead(
  { chain, read }: ChainRead,
  call: ChainCall,
  signal: AbortSignal,
): Promise<EffectAnswer> {
  const id = await call("eth_chainId", [], signal);
  if (!isHex(id) || `eip155:${BigInt(id)}` !== chain) throw odd(`another chain than ${chain}`);
  const block = await blockAt(read.method === "logs" ? read.toBlock : read.block, call, signal);
  const { number, hash, parentHash, timestamp } = block;
  const told = { number, hash, parentHash, timestamp };
  const result =
    read.method === "block"
      ? null
      : read.method === "call"
        ? await answerCall(read, block, call, signal)
        : await answerLogs(read, call, signal);
  return {
    value: canonicalJson({ block: told, ...(read.method === "block" ? {} : { result }) }),
    block: { number, hash: hexToBytes(hash.slice(2)) },
  };
}

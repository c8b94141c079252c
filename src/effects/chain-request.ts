import type { Capability } from "../protocol/messages/effect.ts";
import type { Json } from "./canonical-json.ts";
import { MAX_LOG_BLOCKS } from "./limits.ts";
import { type BlockName, type ChainRead, refused, type RequestFields, required } from "./request-fields.ts";

const ADDRESS = /^0x[0-9a-fA-F]{40}$/u;
const DATA = /^0x(?:[0-9a-fA-F]{2})*$/u;
const TOPIC = /^0x[0-9a-fA-F]{64}$/u;
/** One function that changes nothing, as Solidity declares it. */
const SIGNATURE =
  /^function \w+\([\w, ()[\]]*\)(?: external| public)? (?:view|pure) returns ?\([\w, ()[\]]*\)$/u;

function matching(value: string | undefined, pattern: RegExp, name: string, what: string): string {
  const text = required(value, name);
  if (!pattern.test(text)) throw refused(`"${name}" is not ${what}`);
  return text;
}

function blockOf(fields: RequestFields): BlockName {
  const value = required(fields.any("block"), "block");
  if (value === "latest" || value === "finalized") return value;
  return required(fields.count("block", 0, Number.MAX_SAFE_INTEGER), "block");
}

function topicOf(value: Json): string | null {
  if (value === null) return null;
  if (typeof value !== "string" || !TOPIC.test(value)) throw refused(`"topics" are 32 bytes in hex, or null`);
  return value;
}

function callOf(fields: RequestFields): ChainRead["read"] {
  const to = matching(fields.text("to", 42), ADDRESS, "to", "an address");
  const block = blockOf(fields);
  const signature = fields.text("function", 1_024);
  if (signature === undefined)
    return { method: "call", to, block, data: matching(fields.text("data", 65_536), DATA, "data", "hex") };
  if (!SIGNATURE.test(signature)) throw refused(`"function" is not a view function as Solidity declares it`);
  return { method: "call", to, block, signature, args: fields.list("args") ?? [] };
}

function logsOf(fields: RequestFields): ChainRead["read"] {
  const most = Number.MAX_SAFE_INTEGER;
  const fromBlock = required(fields.count("fromBlock", 0, most), "fromBlock");
  const toBlock = required(fields.count("toBlock", fromBlock, most), "toBlock");
  if (toBlock - fromBlock >= MAX_LOG_BLOCKS) throw refused(`more than ${MAX_LOG_BLOCKS} blocks of logs`);
  const address = matching(fields.text("address", 42), ADDRESS, "address", "an address");
  const topics = (fields.list("topics") ?? []).map(topicOf);
  if (topics.length > 4) throw refused("a log has four topics at most");
  return { method: "logs", address, topics, fromBlock, toBlock };
}

export function readChainRead({ chains }: Capability, fields: RequestFields): ChainRead {
  const chain = required(fields.text("chain", 48), "chain");
  if (!chains.includes(chain)) throw refused(`the capability does not name the chain ${chain}`);
  const method = required(fields.oneOf("method", ["block", "call", "logs"]), "method");
  switch (method) {
    case "block":
      return { kind: "evm-read", chain, read: { method, block: blockOf(fields) } };
    case "call":
      return { kind: "evm-read", chain, read: callOf(fields) };
    case "logs":
      return { kind: "evm-read", chain, read: logsOf(fields) };
    default:
      return method satisfies never;
  }
}

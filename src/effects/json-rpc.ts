import { FailureError } from "../protocol/failure.ts";
import { encodeUtf8 } from "../protocol/text.ts";
import { isJsonRecord, parseJson } from "./canonical-json.ts";
import type { ChainCall, Exchange } from "./effect-ports.ts";

/** An answer of a chain's node: logs of two thousand blocks fit. */
const MAX_ANSWER_BYTES: number = 4 * 1024 * 1024;

/**
 * Asks a node that whoever runs this has chosen. Its address may hold a key of theirs, so it is told to nobody, and neither is what
 * the node says about a failure.
 */
export function jsonRpc(url: URL, exchange: Exchange): ChainCall {
  let id = 0;
  return async (method, params, signal) => {
    id += 1;
    const body = encodeUtf8(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    const headers = { "content-type": "application/json" };
    const failed = new FailureError("effect-failed", `the chain's node did not answer ${method}`);
    const answer = await exchange(
      { url, method: "POST", headers, body, maxBytes: MAX_ANSWER_BYTES },
      signal,
    ).catch(() => {
      signal.throwIfAborted();
      throw failed;
    });
    const json = answer.status === 200 ? parseJson(answer.body) : undefined;
    if (!isJsonRecord(json) || json["result"] === undefined) throw failed;
    return json["result"];
  };
}

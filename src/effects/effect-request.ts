import { FailureError } from "../protocol/failure.ts";
import { MAX_EFFECT_REQUEST_BYTES } from "../protocol/limits.ts";
import { type Capability, capabilityProblem } from "../protocol/messages/effect.ts";
import { isJsonRecord, type Json, parseJson } from "./canonical-json.ts";
import { readChainRead } from "./chain-request.ts";
import { readFetch } from "./fetch-request.ts";
import { readKeyList, readKeyRead, readKeyWrite } from "./key-request.ts";
import { MAX_RANDOM_BYTES } from "./limits.ts";
import { type EffectRequest, RequestFields, refused } from "./request-fields.ts";

function requestOf(capability: Capability, fields: RequestFields): EffectRequest {
  switch (capability.kind) {
    case "fetch":
      return readFetch(capability, fields);
    case "kv-get":
      return readKeyRead(fields);
    case "kv-put":
      return readKeyWrite(fields);
    case "kv-list":
      return readKeyList(fields);
    case "evm-read":
      return readChainRead(capability, fields);
    case "time":
      return { kind: "time" };
    case "random":
      return {
        kind: "random",
        bytes: fields.count("bytes", 1, MAX_RANDOM_BYTES) ?? 32,
        isVerifiable: fields.flag("verifiable") ?? false,
      };
    default:
      return capability.kind satisfies never;
  }
}

/**
 * Reads what an effect is asked for and holds it against its capability. Nothing is looked up and nobody is called.
 * @param bytes JSON, as docs/effects.md says for each kind
 * @throws FailureError `effect-refused` naming what the capability does not allow, or the field that is wrong
 */
export function readRequest(capability: Capability, bytes: Uint8Array): EffectRequest {
  const problem = capabilityProblem(capability);
  if (problem !== undefined) throw refused(problem);
  if (bytes.length > MAX_EFFECT_REQUEST_BYTES)
    throw new FailureError(
      "too-large",
      `a request of ${bytes.length} bytes, at most ${MAX_EFFECT_REQUEST_BYTES}`,
    );
  const json: Json | undefined = bytes.length === 0 ? {} : parseJson(bytes);
  if (!isJsonRecord(json)) throw refused("the request is not a JSON object");
  const fields = new RequestFields(json);
  const request = requestOf(capability, fields);
  fields.end();
  return request;
}

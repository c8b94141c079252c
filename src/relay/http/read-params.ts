import { type Cid, isCid } from "../../protocol/cid.ts";
import { FailureError } from "../../protocol/failure.ts";
import { isPeerId, type PeerId } from "../../protocol/peer-id.ts";

/** Parts of a path or query, each decoded or refused as `malformed` with its name. */

export function cidParam(name: string, text: string | undefined): Cid {
  if (isCid(text)) return text;
  throw new FailureError("malformed", `${name} is not a CID (version 1, raw or dag-cbor, SHA-256, base32)`);
}

export function peerParam(name: string, text: string | undefined): PeerId {
  if (isPeerId(text)) return text;
  throw new FailureError("malformed", `${name} is not an Ed25519 peer id (12D3KooW…)`);
}

export function uintParam(
  name: string,
  text: string | undefined,
  max: number = Number.MAX_SAFE_INTEGER,
): number {
  const value = Number(text);
  if (text !== undefined && /^\d{1,16}$/u.test(text) && value <= max) return value;
  throw new FailureError("malformed", `${name} is not a whole number from 0 to ${max}`);
}

export function optionalUintParam(name: string, text: string | undefined): number | undefined {
  return text === undefined ? undefined : uintParam(name, text);
}

export function oneOfParam<const W extends string>(
  name: string,
  text: string | undefined,
  words: readonly W[],
): W {
  const found = words.find((word) => word === text);
  if (found !== undefined) return found;
  throw new FailureError("malformed", `${name} is none of ${words.join(", ")}`);
}

/** @param max in UTF-16 units. */
export function textParam(name: string, text: string, max: number): string {
  if (text !== "" && text.length <= max) return text;
  throw new FailureError("malformed", `${name} is not a text of 1 to ${max} characters`);
}

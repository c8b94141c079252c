import { type Cid, cidOf, DAG_CBOR } from "../protocol/cid.ts";
import type { Capability, EffectKind, EffectPlace } from "../protocol/messages/effect.ts";
import { peerIdFromKey } from "../protocol/peer-id.ts";
import { encodeUtf8 } from "../protocol/text.ts";
import type { EffectPorts, Exchange, HttpRequest } from "./effect-ports.ts";

/** A peer that carries effects out. For tests. */
export const SIGNER: EffectPorts["signer"] = peerIdFromKey(new Uint8Array(32).fill(7));
const RUN: Cid = cidOf(DAG_CBOR, encodeUtf8("a run"));
export const PLACE: EffectPlace = { run: RUN, node: "get", iteration: "3", attempt: 0 };

/** A capability of a kind, with what such a one needs. */
export function capabilityOf(kind: EffectKind, changes: Partial<Capability> = {}): Capability {
  return {
    kind,
    origins: kind === "fetch" ? ["https://example.org"] : [],
    methods: kind === "fetch" ? ["GET", "POST"] : [],
    namespace: kind.startsWith("kv-") ? "notes" : "",
    chains: kind === "evm-read" ? ["eip155:31337"] : [],
    secrets: [],
    maxBytes: 10_000,
    timeoutMs: 5_000,
    ...changes,
  };
}

export function requestOf(json: unknown): Uint8Array<ArrayBuffer> {
  return encodeUtf8(JSON.stringify(json));
}

/** Ports of a peer; `sent` gets what goes out. */
export function portsOf(changes: Partial<EffectPorts> = {}, sent: HttpRequest[] = []): EffectPorts {
  const exchange: Exchange = async (request) => {
    sent.push(request);
    return Promise.resolve({
      status: 200,
      headers: { "content-type": "text/plain", "set-cookie": "session=1", etag: "e" },
      body: encodeUtf8("an answer"),
    });
  };
  return {
    signer: SIGNER,
    now: () => 1_700_000_000_000,
    deadline: (ms) => AbortSignal.timeout(ms),
    exchange,
    ...changes,
  };
}

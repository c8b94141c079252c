import { bytesToHex } from "@noble/hashes/utils.js";
import { cidOf, RAW } from "../protocol/cid.ts";
import { FailureError } from "../protocol/failure.ts";
import {
  type Capability,
  capabilityCid,
  type EffectPlace,
  type EffectRecord,
} from "../protocol/messages/effect.ts";
import { canonicalJson } from "./canonical-json.ts";
import type { EffectAnswer, EffectPorts, KeyValueStore } from "./effect-ports.ts";
import { readRequest } from "./effect-request.ts";
import { answerFetch } from "./answer-fetch.ts";
import { randomBytesFrom, randomMessage } from "./random-bytes.ts";
import {
  type EffectRequest,
  type KeyList,
  type KeyRead,
  type KeyWrite,
  refused,
  type RandomRequest,
} from "./request-fields.ts";

/** What somebody wants done. */
export interface EffectOrder {
  readonly capability: Capability;
  /** JSON as docs/effects.md says for each kind; secrets stand in it by their names. */
  readonly request: Uint8Array;
  /** Which step of a run it is; absent outside of runs, where there is no randomness. */
  readonly place?: EffectPlace;
}

/** What came of it. */
export interface PerformedEffect {
  readonly value: Uint8Array<ArrayBuffer>;
  readonly record: EffectRecord;
}

function answerStore(
  request: KeyRead | KeyWrite | KeyList,
  namespace: string,
  store: KeyValueStore,
): EffectAnswer {
  switch (request.kind) {
    case "kv-get": {
      const { version = 0, value = null } = store.get(namespace, request.key) ?? {};
      return { value: canonicalJson({ version, value }) };
    }
    case "kv-put": {
      const { key, value, ifVersion } = request;
      const version = store.put(namespace, key, value, ifVersion);
      if (version !== undefined) return { value: canonicalJson({ done: true, version }) };
      const now = store.get(namespace, key);
      return { value: canonicalJson({ done: false, version: now?.version ?? 0, value: now?.value ?? null }) };
    }
    case "kv-list": {
      const { prefix, after, limit } = request;
      const keys = store.list(namespace, prefix, after, limit);
      return { value: canonicalJson({ keys: keys.map(({ key, version }) => ({ key, version })) }) };
    }
    default:
      return request satisfies never;
  }
}

function answerRandom(
  { bytes, isVerifiable }: RandomRequest,
  order: EffectOrder,
  ports: EffectPorts,
): EffectAnswer {
  if (order.place === undefined) throw refused("randomness belongs to a step of a run, and there is none");
  const message = randomMessage(order.place);
  if (!isVerifiable) return { value: canonicalJson(bytesToHex(randomBytesFrom(message, bytes))) };
  if (ports.prove === undefined) throw refused("verifiable randomness comes from the relay alone");
  const proof = ports.prove(message);
  return { value: canonicalJson(bytesToHex(randomBytesFrom(proof, bytes))), proof };
}

async function answer(
  request: EffectRequest,
  order: EffectOrder,
  ports: EffectPorts,
  at: number,
  signal: AbortSignal,
): Promise<EffectAnswer> {
  switch (request.kind) {
    case "fetch":
      return answerFetch(request, order.capability, ports, signal);
    case "kv-get":
    case "kv-put":
    case "kv-list":
      if (ports.store === undefined) throw refused("a store is kept by the relay alone: ask it there");
      return answerStore(request, order.capability.namespace, ports.store);
    case "evm-read": {
      const call = ports.chain?.(request.chain);
      if (call === undefined) throw refused(`no node of the chain ${request.chain} is known here`);
      const { answerChainRead } = await import("./chain-read.ts");
      return answerChainRead(request, call, signal);
    }
    case "time":
      return { value: canonicalJson(at) };
    case "random":
      return answerRandom(request, order, ports);
    default:
      return request satisfies never;
  }
}

/**
 * Carries an effect out: checks what is asked against its capability, asks within the capability's time and size, and makes the
 * record. Whether whoever runs this wants it done at all is asked before (see grants.ts).
 * @throws FailureError `effect-refused` for what the capability does not allow or this peer has not; `effect-failed` where no
 * answer came; `output-too-large`; `deadline`; the signal's reason. Details hold no header, body or secret.
 */
export async function performEffect(
  order: EffectOrder,
  ports: EffectPorts,
  signal: AbortSignal,
): Promise<PerformedEffect> {
  const { capability, place } = order;
  const request = readRequest(capability, order.request);
  const at = ports.now();
  const late = ports.deadline(capability.timeoutMs);
  const { value, ...more } = await withinTime(
    () => answer(request, order, ports, at, AbortSignal.any([signal, late])),
    signal,
    late,
    capability.timeoutMs,
  );
  if (value.length > capability.maxBytes)
    throw new FailureError(
      "output-too-large",
      `${value.length} bytes, the capability allows ${capability.maxBytes}`,
    );
  const record: EffectRecord = {
    v: 1,
    kind: capability.kind,
    capability: capabilityCid(capability),
    request: cidOf(RAW, order.request),
    response: cidOf(RAW, value),
    size: value.length,
    signer: ports.signer,
    at,
    ...(place === undefined ? {} : { place }),
    ...more,
  };
  return { value, record };
}

async function withinTime<T>(
  act: () => Promise<T>,
  signal: AbortSignal,
  late: AbortSignal,
  timeoutMs: number,
): Promise<T> {
  signal.throwIfAborted();
  try {
    return await act();
  } catch (error) {
    signal.throwIfAborted();
    if (late.aborted) throw new FailureError("deadline", `no answer within ${timeoutMs} ms`);
    throw error instanceof FailureError
      ? error
      : new FailureError("effect-failed", "it could not be done", { cause: error });
  }
}

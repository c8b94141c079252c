import { fetchBlob } from "../../mesh/blob-exchange.ts";
import { circuitAddress } from "../../mesh/mesh-address.ts";
import type { Mesh } from "../../mesh/mesh.ts";
import { ValueStore } from "../../mesh/value-store.ts";
import type { ValueRef } from "../../plan/runner-ports.ts";
import { type Cid, cidOf, RAW } from "../../protocol/cid.ts";
import { FailureError } from "../../protocol/failure.ts";
import { hashesTo } from "../../protocol/hashes-to.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { RUN_VALUE_BYTES, VALUE_FETCH_MS } from "../limits.ts";
import type { HeldOutput } from "../task-answers.ts";
import { HeldValues } from "./held-values.ts";

export interface RunValuesOptions {
  readonly mesh: Mesh;
  /** Multiaddr of the relay, through which peers are reached that are not connected yet. */
  readonly relay: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** What the relay keeps of the run. */
  readonly fromRelay: (
    cid: Cid,
    maxBytes: number,
    signal: AbortSignal,
  ) => Promise<Uint8Array<ArrayBuffer> | undefined>;
}

/** The values of one run, seen from its coordinator: what was made here, what was fetched, and where the rest is. */
export class RunValues {
  readonly #options: RunValuesOptions;
  /** Made here: nobody else has them. */
  readonly #own = new Map<Cid, Uint8Array>();
  readonly #fetched: ValueStore;
  readonly #fetching = new Map<Cid, Promise<Uint8Array>>();
  readonly #held: HeldValues;

  constructor(options: RunValuesOptions) {
    this.#options = options;
    this.#fetched = new ValueStore(RUN_VALUE_BYTES, options.now);
    this.#held = new HeldValues((value, signal) => this.#fetch(value, signal));
  }

  /** What is here, for peers that ask. */
  find(cid: Cid): Uint8Array | undefined {
    return this.#own.get(cid) ?? this.#fetched.find(cid);
  }

  /** Keeps a value for whoever asks by CID. */
  keep(bytes: Uint8Array): ValueRef {
    const cid = cidOf(RAW, bytes);
    this.#own.set(cid, bytes);
    return { cid, size: bytes.length, bytes, holders: [] };
  }

  /** A value that came along with its step. */
  came(cid: Cid, bytes: Uint8Array): void {
    this.#fetched.keep(cid, bytes, Number.POSITIVE_INFINITY);
  }

  /** A value stays at its provider, which is not paid before somebody has it. */
  hold(value: ValueRef, held: HeldOutput): void {
    this.#held.hold(value, held);
  }

  /** Some peer has worked with it. */
  wasTaken(cid: Cid): void {
    this.#held.taken(cid);
  }

  /** Resolves when nobody waits for a value to be taken any more. */
  settleHeld(): Promise<void> {
    return this.#held.settle();
  }

  /**
   * Bytes of a value, from here, from those who hold it, or from the relay.
   * @throws FailureError `function-unavailable` when nobody has it, or the signal's reason
   */
  async fetch(value: ValueRef, signal: AbortSignal): Promise<Uint8Array> {
    const here = value.bytes ?? this.find(value.cid);
    if (here !== undefined) return here;
    let fetching = this.#fetching.get(value.cid);
    if (fetching === undefined) {
      fetching = this.#fetch(value, signal).finally(() => this.#fetching.delete(value.cid));
      this.#fetching.set(value.cid, fetching);
    }
    const bytes = await fetching;
    this.#held.taken(value.cid);
    return bytes;
  }

  async #fetch({ cid, size, holders }: ValueRef, signal: AbortSignal): Promise<Uint8Array> {
    const { fromRelay } = this.#options;
    const patience = AbortSignal.any([signal, AbortSignal.timeout(VALUE_FETCH_MS)]);
    const sources = [
      ...holders.map((peer) => ({ name: peer, get: () => this.#fromPeer(peer, cid, size, patience) })),
      { name: "the relay", get: () => fromRelay(cid, size, patience) },
    ];
    const tried: string[] = [];
    for (const { name, get } of sources) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- the next one is asked when this one has it not
        const bytes = await get();
        // oxlint-disable-next-line no-await-in-loop
        if (bytes?.length === size && (await hashesTo(crypto.subtle, cid, bytes))) {
          this.came(cid, bytes);
          return bytes;
        }
        tried.push(`${name} ${bytes === undefined ? "has it not" : "sent other bytes"}`);
      } catch (error) {
        signal.throwIfAborted();
        tried.push(`${name}: ${error instanceof FailureError ? error.detail : "failed"}`);
      }
    }
    throw new FailureError("function-unavailable", `the value ${cid}: ${tried.join("; ")}`);
  }

  #fromPeer(
    peer: PeerId,
    cid: Cid,
    size: number,
    signal: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const { mesh, relay } = this.#options;
    return fetchBlob(mesh, circuitAddress(relay, peer), cid, signal, size);
  }
}

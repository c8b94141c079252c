import type { Cid } from "../../protocol/cid.ts";
import { failureCode } from "../../protocol/failure-code.ts";
import { FailureError } from "../../protocol/failure.ts";
import type { Value } from "../json-value.ts";
import type { RunnerPorts, ValueRef } from "../runner-ports.ts";
import type { RecordedValue } from "../run-record.ts";
import type { ValueType } from "../value-type.ts";
import { readValue, writeValue } from "../values.ts";
import type { Known } from "./known.ts";

/** Values that go into a record, bytes together: what is beyond has to be fetched by its CID. */
const MAX_RECORDED_BYTES: number = 64 * 1024 * 1024;

const UNAVAILABLE = failureCode("function-unavailable");

/** Values that a coordinator has in hand. */
export class RunMemory {
  readonly #ports: RunnerPorts;
  readonly #bytes = new Map<Cid, Uint8Array>();
  /** What was read here: a check of the run reads the same. */
  readonly #read = new Set<Cid>();
  readonly #coming = new Map<Cid, Promise<Uint8Array>>();
  /** By the very bytes and type: a value that many steps read is parsed once. */
  readonly #parsed = new WeakMap<Uint8Array, WeakMap<ValueType, Value>>();

  readonly #signal: AbortSignal;

  /** @param signal of the whole run: several steps may wait for one value, so none of them alone gives it up */
  constructor(ports: RunnerPorts, signal: AbortSignal) {
    this.#ports = ports;
    this.#signal = signal;
  }

  keep(type: ValueType, value: Value, parents: readonly Cid[]): Known {
    const bytes = writeValue(type, value);
    return { ref: { ...this.#ports.keepValue(bytes), bytes }, type, parents, by: [] };
  }

  /** @throws FailureError `function-unavailable`, `expression-failed`. */
  async read(known: Known): Promise<Value> {
    const bytes = await this.bytesOf(known);
    this.#read.add(known.ref.cid);
    const parsed = this.#parsed.get(bytes) ?? new WeakMap<ValueType, Value>();
    this.#parsed.set(bytes, parsed);
    const before = parsed.get(known.type);
    if (before !== undefined) return before;
    const value = readValue(known.type, bytes);
    parsed.set(known.type, value);
    return value;
  }

  async bytesOf({ ref, again }: Known): Promise<Uint8Array> {
    const here = ref.bytes ?? this.#bytes.get(ref.cid);
    if (here !== undefined) {
      this.#bytes.set(ref.cid, here);
      return here;
    }
    let coming = this.#coming.get(ref.cid);
    if (coming === undefined) {
      coming = this.#fetch(ref, again).finally(() => this.#coming.delete(ref.cid));
      this.#coming.set(ref.cid, coming);
    }
    return coming;
  }

  async #fetch(ref: ValueRef, again: Known["again"]): Promise<Uint8Array> {
    const bytes = await this.#fetchOrMake(ref, again);
    this.#bytes.set(ref.cid, bytes);
    return bytes;
  }

  async #fetchOrMake(ref: ValueRef, again: Known["again"]): Promise<Uint8Array> {
    const signal = this.#signal;
    try {
      return await this.#ports.fetchValue(ref, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof FailureError) || again === undefined) throw error;
      const { bytes, cid } = await again(signal);
      if (bytes === undefined || cid !== ref.cid)
        throw new FailureError(UNAVAILABLE, `the value ${ref.cid} is lost`, { cause: error });
      return bytes;
    }
  }

  async isThere(known: Known): Promise<boolean> {
    if (known.ref.size === 0 && known.ref.bytes !== undefined) return true;
    try {
      await this.bytesOf(known);
      return true;
    } catch (error) {
      if (error instanceof FailureError) return false;
      throw error;
    }
  }

  /** Bytes under a CID that its peer gives, kept for the record of the run. */
  async witness(ref: ValueRef): Promise<Uint8Array> {
    const bytes = this.#bytes.get(ref.cid) ?? (await this.#ports.fetchValue(ref, this.#signal));
    this.#bytes.set(ref.cid, bytes);
    this.#read.add(ref.cid);
    return bytes;
  }

  recorded(also: Cid | undefined): readonly RecordedValue[] {
    if (also !== undefined) this.#read.add(also);
    let left = MAX_RECORDED_BYTES;
    return [...this.#read].toSorted().flatMap((cid) => {
      const bytes = this.#bytes.get(cid);
      if (bytes === undefined || bytes.length > left) return [];
      left -= bytes.length;
      return [{ cid, bytes }];
    });
  }
}

import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes } from "../../protocol/bytes.ts";
import type { KernelProperty } from "../../protocol/property.ts";
import type { Backend, Decoder } from "../backend.ts";
import { forwardFuel } from "../generate/fuel.ts";
import { PROBE_SHAPE, probeModel } from "./probe-model.ts";

/** Tokens that a pass takes in together; and alone, until so many are in. */
const ROWS = 32;

export interface ProbeTask {
  /** 32 bytes. */
  readonly seed: Uint8Array;
  readonly passes: number;
}

/** Computes challenges on the kernels of a backend, and keeps what it needs for the next one. */
export class Probe {
  #on: Backend | undefined;
  #decoder: Decoder | undefined;

  /**
   * The state begins as the seed; the tokens of a pass are its first bytes, and the state after it SHA-256 of state ‖ what
   * came out, little-endian: so no pass can begin before the one before it has ended.
   * @returns the last state
   * @throws FailureError `no-memory`, `gpu-lost`; the signal's reason
   */
  async run(
    backend: Backend,
    kernels: KernelProperty,
    task: ProbeTask,
    signal?: AbortSignal,
  ): Promise<Uint8Array> {
    const decoder = await this.#ready(backend);
    const rows = kernels.endsWith("-rows") ? ROWS : 1;
    let state = task.seed;
    for (let pass = 0; pass < task.passes; pass += 1) {
      if (decoder.positions + rows > ROWS) decoder.rewind(0);
      // oxlint-disable-next-line no-await-in-loop -- each needs the one before
      const { buffer, byteOffset, byteLength } = await decoder.forward([...state.subarray(0, rows)], signal);
      state = sha256(concatBytes(state, new Uint8Array(buffer, byteOffset, byteLength)));
    }
    decoder.rewind(0);
    return state;
  }

  close(): void {
    this.#decoder?.close();
    this.#decoder = undefined;
    this.#on = undefined;
  }

  async #ready(backend: Backend): Promise<Decoder> {
    if (this.#decoder !== undefined && this.#on === backend) return this.#decoder;
    this.close();
    const decoder = await backend.open(probeModel());
    this.#on = backend;
    this.#decoder = decoder;
    return decoder;
  }
}

/** Multiply-adds of a challenge. */
export function probeFuel(kernels: KernelProperty, passes: number): bigint {
  const turn = forwardFuel(PROBE_SHAPE, 0, ROWS);
  if (kernels.endsWith("-rows")) return turn * BigInt(passes);
  return turn * BigInt(Math.floor(passes / ROWS)) + forwardFuel(PROBE_SHAPE, 0, passes % ROWS);
}

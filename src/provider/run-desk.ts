import { fetchBlob, serveBlobs } from "../mesh/blob-exchange.ts";
import { circuitAddress } from "../mesh/mesh-address.ts";
import type { Mesh } from "../mesh/mesh.ts";
import type { RelayClient } from "../mesh/relay-client.ts";
import { serveRuns } from "../mesh/run-exchange.ts";
import { ValueStore } from "../mesh/value-store.ts";
import type { Cid } from "../protocol/cid.ts";
import { seal } from "../protocol/envelope.ts";
import { FailureError } from "../protocol/failure.ts";
import { hashesTo } from "../protocol/hashes-to.ts";
import { type Step, stepMessage } from "../protocol/messages/run.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { Signer, Verify } from "../protocol/signature.ts";
import { STEP_VALUE_BYTES, VALUE_FETCH_MS, VALUE_FETCHES_PER_PEER } from "./limits.ts";
import { RunShelf } from "./run-shelf.ts";

export interface RunDeskOptions {
  readonly mesh: Mesh;
  /** Multiaddr of the relay, through which peers are reached that are not connected yet. */
  readonly relay: string;
  /** The session key. */
  readonly signer: Signer;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly verify: Verify;
  /** What the relay says of a run: who coordinates it. */
  readonly relayRuns: Pick<RelayClient, "run">;
  /** Default STEP_VALUE_BYTES. */
  readonly valueBytes?: number;
}

/** An input that other peers hold. */
export interface HeldInput {
  readonly cid: Cid;
  readonly size: number;
  /** Session keys of those who have it. */
  readonly from: readonly PeerId[];
}

/** What came of a step, with its value. */
export interface FinishedStep {
  readonly step: Step;
  readonly value?: Uint8Array;
  /** The run is over by then, milliseconds since 1970. */
  readonly until: number;
}

/**
 * A provider's part in runs: it fetches what its steps take from the peers that made it, signs what came of them, and gives
 * values and receipts to the peers of the same run.
 */
export class RunDesk {
  readonly #options: RunDeskOptions;
  readonly #values: ValueStore;
  readonly #shelf: RunShelf;
  /** The last of the fetches from each peer, VALUE_FETCHES_PER_PEER lanes of them. */
  readonly #lanes = new Map<PeerId, Promise<unknown>[]>();

  constructor(options: RunDeskOptions) {
    this.#options = options;
    const { verify, now, relayRuns, signer } = options;
    this.#shelf = new RunShelf({
      self: signer.key,
      verify,
      now,
      coordinators: async (run) => (await relayRuns.run(run)).coordinators.map(({ peer }) => peer),
    });
    this.#values = new ValueStore(options.valueBytes ?? STEP_VALUE_BYTES, options.now);
  }

  /**
   * Gives receipts and values to peers that ask, as long as the mesh is there.
   * @param other finds what else they may ask for by CID
   */
  serve(other?: (cid: Cid) => Promise<Uint8Array | undefined> | undefined): void {
    const { mesh } = this.#options;
    serveRuns(mesh, this.#shelf);
    serveBlobs(mesh, async (cid) => this.find(cid) ?? (await other?.(cid)));
  }

  /** A value of a step that was carried out here, or was fetched for one. */
  find(cid: Cid): Uint8Array | undefined {
    return this.#values.find(cid);
  }

  /**
   * Brings the input of a step from a peer that holds it: no byte of it passes the coordinator.
   * @throws FailureError `function-unavailable` naming what was tried, or the signal's reason
   */
  async fetchInput(input: HeldInput, signal: AbortSignal): Promise<Uint8Array> {
    const here = this.#values.find(input.cid);
    if (here !== undefined && here.length === input.size) return here;
    const tried: string[] = [];
    for (const peer of input.from) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- the next one is asked when this one has it not
        const bytes = await this.#inTurn(peer, () => this.#fetchFrom(peer, input, signal));
        if (bytes !== undefined) return bytes;
        tried.push(`${peer} has it not`);
      } catch (error) {
        signal.throwIfAborted();
        tried.push(`${peer}: ${error instanceof FailureError ? error.detail : "failed"}`);
      }
    }
    throw new FailureError("function-unavailable", `the input ${input.cid}: ${tried.join("; ")}`);
  }

  async #fetchFrom(
    peer: PeerId,
    { cid, size }: HeldInput,
    signal: AbortSignal,
  ): Promise<Uint8Array | undefined> {
    const { mesh, relay } = this.#options;
    signal.throwIfAborted();
    const patience = AbortSignal.any([signal, AbortSignal.timeout(VALUE_FETCH_MS)]);
    const bytes = await fetchBlob(mesh, circuitAddress(relay, peer), cid, patience, size);
    if (bytes === undefined) return undefined;
    if (bytes.length !== size || !(await hashesTo(crypto.subtle, cid, bytes)))
      throw new FailureError("content-mismatch", "sent other bytes");
    return bytes;
  }

  /** After enough of the fetches that this peer was asked for before. */
  async #inTurn<T>(peer: PeerId, fetch: () => Promise<T>): Promise<T> {
    const lanes = this.#lanes.get(peer) ?? [];
    this.#lanes.set(peer, lanes);
    const before = lanes.length < VALUE_FETCHES_PER_PEER ? undefined : lanes.shift();
    const done = Promise.withResolvers<void>();
    lanes.push(done.promise);
    try {
      await before;
      return await fetch();
    } finally {
      done.resolve();
      const left = (this.#lanes.get(peer) ?? []).filter((lane) => lane !== done.promise);
      if (left.length === 0) this.#lanes.delete(peer);
      else this.#lanes.set(peer, left);
    }
  }

  /** Keeps bytes for the peers of a run, as the record of an effect. @param until milliseconds since 1970 */
  keep(cid: Cid, bytes: Uint8Array, until: number): void {
    this.#values.keep(cid, bytes, until);
  }

  /** Signs what came of a step, and keeps it with its value for the peers of its run. @returns the step's envelope; nothing where RunShelf.sign has none */
  async finish({ step, value, until }: FinishedStep): Promise<Uint8Array | undefined> {
    const envelope = await this.#shelf.sign(step, until, () =>
      seal(stepMessage, step, [this.#options.signer]),
    );
    if (step.result !== undefined && value !== undefined) this.#values.keep(step.result, value, until);
    return envelope;
  }
}

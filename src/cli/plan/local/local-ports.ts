import type { EffectPorts } from "../../../effects/effect-ports.ts";
import { performEffect } from "../../../effects/perform-effect.ts";
import { encodeRecord } from "../../../effects/replay-effect.ts";
import type { RunnerPorts, StepEnd, StepOrder, ValueRef } from "../../../plan/runner-ports.ts";
import { type Cid, cidFromDigest, RAW } from "../../../protocol/cid.ts";
import { seal } from "../../../protocol/envelope.ts";
import { failureKind } from "../../../protocol/failure-code.ts";
import { FailureError } from "../../../protocol/failure.ts";
import { capabilityCid } from "../../../protocol/messages/effect.ts";
import { type Step, stepMessage } from "../../../protocol/messages/run.ts";
import type { Signer } from "../../../protocol/signature.ts";
import { clipText } from "../../../protocol/text.ts";
import { fuel, microCredits } from "../../../protocol/units.ts";
import { ACCEPTED_PROFILES } from "../../../relay/jobs/check-job.ts";
import { sha256 } from "../../../relay/books/native-hash.ts";
import type { Work } from "../find-work.ts";
import { type Computed, Computing } from "./compute-here.ts";
import type { LocalPeers } from "./local-peers.ts";

/** Longest detail of a failed step, bytes: what the message has room for. */
const MAX_DETAIL_BYTES = 512;
/** A dry run is the same every time: what clock and randomness of a function follow from. */
const NO_SEED = new Uint8Array(32);
const FREE = microCredits(0n);

/** What a step came to; of an effect with its record. */
type Made = Computed & { readonly record?: Uint8Array };

export interface LocalPortsOptions {
  readonly run: Cid;
  readonly peers: LocalPeers;
  readonly work: Work;
  /** What effects may reach. */
  readonly effects: Omit<EffectPorts, "signer">;
}

/**
 * Steps in threads of this process: the same sandbox, effects and receipts as over the mesh, signed by keys that are made for
 * this run. Nobody is paid.
 */
export class LocalPorts implements RunnerPorts {
  readonly #options: LocalPortsOptions;
  readonly #computing: Computing;
  readonly #values = new Map<Cid, Uint8Array>();

  constructor(options: LocalPortsOptions) {
    this.#options = options;
    this.#computing = new Computing(options.work);
  }

  /** All values that were made or kept so far, and records of effects, by CID. */
  get values(): ReadonlyMap<Cid, Uint8Array> {
    return this.#values;
  }

  async perform(order: StepOrder, signal: AbortSignal): Promise<StepEnd> {
    const peers = await this.#options.peers.forOrder(order);
    const ends = await Promise.all(peers.map((peer) => this.#performAs(peer, order, signal)));
    const [first] = ends;
    if (first === undefined) throw new FailureError("no-provider", "nobody was asked");
    // Those that agree stand first.
    const same = ends.filter(({ value }) => value?.cid === first.value?.cid);
    const others = ends.filter(({ value }) => value?.cid !== first.value?.cid);
    const receipts = [...same, ...others].map(({ envelope }) => envelope);
    return { receipts, ...(first.value === undefined ? {} : { value: first.value }), cost: FREE };
  }

  fetchValue({ cid, bytes }: ValueRef, signal: AbortSignal): Promise<Uint8Array> {
    signal.throwIfAborted();
    const found = bytes ?? this.#values.get(cid);
    if (found === undefined) throw new FailureError("function-unavailable", `nobody has the value ${cid}`);
    return Promise.resolve(found);
  }

  keepValue(bytes: Uint8Array): ValueRef {
    const cid = cidFromDigest(RAW, sha256(bytes));
    this.#values.set(cid, bytes);
    return { cid, size: bytes.length, bytes, holders: [] };
  }

  signStep(step: Step): Promise<Uint8Array> {
    return seal(stepMessage, step, [this.#options.peers.initiator]);
  }

  pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      }, ms);
      if (signal.aborted) onAbort();
      else signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  now(): number {
    return Date.now();
  }

  async stop(): Promise<void> {
    await this.#computing.stop();
  }

  async #performAs(
    peer: Signer,
    order: StepOrder,
    signal: AbortSignal,
  ): Promise<{ readonly envelope: Uint8Array; readonly value?: ValueRef }> {
    const input = await this.fetchValue(order.input, signal);
    const made = await this.#make(peer, order, input, signal);
    const common = this.#common(order, made.fuel);
    if (made.kind === "failed") {
      // What the step itself does is signed; what this machine lacks is tried again or told.
      if (failureKind(made.code).pay !== "fuel") throw new FailureError(made.code, made.detail);
      const detail = clipText(made.detail, MAX_DETAIL_BYTES);
      const step: Step = { ...common, status: "failed", code: made.code, detail, size: 0 };
      return { envelope: await seal(stepMessage, step, [peer]) };
    }
    const value = { ...this.keepValue(made.output), holders: [peer.key] };
    const { record: seen } = made;
    const record = seen === undefined ? {} : { record: this.keepValue(seen).cid };
    const step: Step = { ...common, ...record, status: "done", result: value.cid, size: value.size };
    return { envelope: await seal(stepMessage, step, [peer]), value };
  }

  #common(
    { node, iteration, attempt, what, input, parents }: StepOrder,
    spent: bigint,
  ): Omit<Step, "status" | "size"> {
    const callee = what.kind === "call" ? what.callee.cid : capabilityCid(what.capability);
    const [profile] = ACCEPTED_PROFILES;
    return {
      run: this.#options.run,
      node,
      iteration,
      attempt,
      args: input.cid,
      callee,
      profile: profile ?? 0,
      fuel: fuel(spent),
      parents,
    };
  }

  async #make(peer: Signer, order: StepOrder, input: Uint8Array, signal: AbortSignal): Promise<Made> {
    const { what, limits } = order;
    return what.kind === "effect"
      ? this.#effect(peer, order, input, signal)
      : this.#computing.compute(what.callee, { input, seed: NO_SEED, limits }, signal);
  }

  async #effect(peer: Signer, order: StepOrder, request: Uint8Array, signal: AbortSignal): Promise<Made> {
    const { what, node, iteration, attempt } = order;
    if (what.kind !== "effect") throw new RangeError("a call is no effect");
    const place = { run: this.#options.run, node, iteration, attempt };
    try {
      const { value, record } = await performEffect(
        { capability: what.capability, request, place },
        { ...this.#options.effects, signer: peer.key },
        signal,
      );
      return { kind: "done", output: value, fuel: 0n, record: encodeRecord(record) };
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      return { kind: "failed", code: error.code, detail: error.detail, fuel: 0n };
    }
  }
}

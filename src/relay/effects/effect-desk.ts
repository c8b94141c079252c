import type { ChainCall, Exchange } from "../../effects/effect-ports.ts";
import { readRequest } from "../../effects/effect-request.ts";
import { jsonRpc } from "../../effects/json-rpc.ts";
import { performEffect, type PerformedEffect } from "../../effects/perform-effect.ts";
import { encodeRecord } from "../../effects/replay-effect.ts";
import { openSecret } from "../../effects/secrets.ts";
import { type RandomnessKey, randomnessKey } from "../../effects/verifiable-random.ts";
import { mayCoordinate, requireOpenRun } from "../../ledger/run-rules.ts";
import { type Cid, cidOf, RAW } from "../../protocol/cid.ts";
import { seal } from "../../protocol/envelope.ts";
import { failureCode } from "../../protocol/failure-code.ts";
import { FailureError } from "../../protocol/failure.ts";
import { CLOCK_SKEW_MS, MAX_JOB_LIFETIME_MS, SANDBOX_PROFILE } from "../../protocol/limits.ts";
import { type Capability, decodeCapability, type EffectKind } from "../../protocol/messages/effect.ts";
import {
  type EffectOrder,
  effectOrderMessage,
  type EffectParcel,
  effectParcelSchema,
  effectReplySchema,
} from "../../protocol/messages/effect-order.ts";
import { type Step, stepMessage } from "../../protocol/messages/run.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { decode, encode } from "../../protocol/schema.ts";
import type { Signer } from "../../protocol/signature.ts";
import { fuel } from "../../protocol/units.ts";
import type { Authentication } from "../authenticate.ts";
import type { Books } from "../books.ts";
import { sha256 } from "../books/native-hash.ts";
import type { RateLimit } from "../rate-limit.ts";
import type { RunStanding } from "../run-books.ts";
import type { EffectRows } from "./effect-rows.ts";
import type { EgressPolicy } from "./egress-policy.ts";
import {
  MAX_EFFECT_BYTES_PER_RUN,
  MAX_EFFECTS_AT_A_TIME,
  MAX_EFFECTS_OF_A_PAYER,
  MAX_EFFECTS_PER_RUN,
} from "./limits.ts";

/** An order with its capability, request and secrets, encoded. */
export const MAX_PARCEL_BYTES: number = 256 * 1024;

export interface EffectDeskOptions {
  readonly books: Pick<Books, "runs">;
  readonly authentication: Authentication;
  readonly limit: RateLimit;
  readonly rows: EffectRows;
  readonly policy: EgressPolicy;
  /** Asks web servers for others. */
  readonly exchange: Exchange;
  /** Asks the operator's own nodes of chains, wherever they are. */
  readonly ownExchange: Exchange;
  /** The relay's mesh identity: it signs the steps, and secrets are sealed to it. */
  readonly signer: Signer;
  readonly meshSeed: Uint8Array;
  readonly nowMs: () => number;
}

/** An order that holds, and everything that it names. */
interface Accepted {
  readonly order: EffectOrder;
  readonly parcel: EffectParcel;
  readonly capability: Capability;
  readonly run: RunStanding;
}

/** Effects that wait for other servers; the others are done at once. */
const WAITING_KINDS: ReadonlySet<EffectKind> = new Set(["fetch", "evm-read"]);

/**
 * The relay carries out effects of runs itself, where a tab cannot: servers that do not let other sites read them, stores, randomness
 * that nobody could choose. Nobody is paid for it, so it does little of it, once each, for those alone who coordinate a run.
 */
export class EffectDesk {
  readonly #options: EffectDeskOptions;
  readonly #randomness: RandomnessKey;
  /** Effects under way here, by run: their promises, so that the same order meanwhile gets the same answer. */
  readonly #underWay = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();
  /** Payers of the effects that wait for other servers now, one for each. */
  readonly #waiting: PeerId[] = [];

  constructor(options: EffectDeskOptions) {
    this.#options = options;
    this.#randomness = randomnessKey(options.meshSeed);
  }

  /** Verifies the relay's randomness, 96 bytes. */
  get randomnessKey(): Uint8Array {
    return this.#randomness.publicKey;
  }

  /**
   * Carries out what an effect-parcel asks for. @returns an effect-reply
   * @throws FailureError `bad-signature` unless a coordinator of the run signed it, `run-over`, `expired`, `not-found`,
   * `effect-refused`, `effect-failed`, `replayed`, `rate-limited`, …
   */
  async perform(run: Cid, bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    const accepted = this.#accept(run, bytes);
    const { order, capability, parcel } = accepted;
    readRequest(capability, parcel.request);
    this.#options.policy.require(capability);
    const name = [order.run, order.node, order.iteration, order.attempt].join("\n");
    const { payer } = accepted.run.terms;
    const waits = !this.#underWay.has(name) && WAITING_KINDS.has(capability.kind);
    if (waits) this.#requirePlace(payer);
    const asked = `${order.capability} ${order.request}`;
    const known = this.#options.rows.begin(order, asked, accepted.run.terms.notAfter, this.#options.nowMs());
    if (known.state !== "new" && known.asked !== asked)
      throw new FailureError(
        "replayed",
        "effect-order: this step and attempt asked for something else before",
      );
    if (known.state === "done") return known.reply.slice();
    const before = this.#underWay.get(name);
    if (before !== undefined) return before;
    // Begun by another process, or by this one before it stopped: it may have been done, and is not done twice.
    if (known.state === "begun")
      throw new FailureError(
        "effect-failed",
        "it was begun and broken off: whether it was done is not known",
      );
    if (waits) this.#waiting.push(payer);
    const work = this.#carryOut(accepted).finally(() => {
      this.#underWay.delete(name);
      if (waits) this.#waiting.splice(this.#waiting.indexOf(payer), 1);
    });
    this.#underWay.set(name, work);
    return work;
  }

  #accept(id: Cid, bytes: Uint8Array): Accepted {
    const { authentication, books, limit, nowMs } = this.#options;
    const parcel = decode(effectParcelSchema, bytes, MAX_PARCEL_BYTES);
    const { message, by } = authentication.open(effectOrderMessage, parcel.order);
    const { body: order } = message;
    const [signer] = by;
    if (signer === undefined || by.length !== 1)
      throw new FailureError("bad-signature", "effect-order: signed by one coordinator, no more and no less");
    if (order.run !== id)
      throw new FailureError("malformed", "effect-order: of another run than its address");
    if (
      order.capability !== cidOf(RAW, parcel.capability, sha256) ||
      order.request !== cidOf(RAW, parcel.request, sha256)
    )
      throw new FailureError(
        "content-mismatch",
        "effect-order: capability or request are not those that it names",
      );
    const now = nowMs();
    if (order.issuedAt > now + CLOCK_SKEW_MS || order.issuedAt < now - MAX_JOB_LIFETIME_MS)
      throw new FailureError("expired", "effect-order: its time has passed, or has not come");
    const run = books.runs.run(id);
    if (run === undefined) throw new FailureError("not-found", `no run ${id}`);
    if (!mayCoordinate(run, signer.root))
      throw new FailureError("bad-signature", `effect-order: ${signer.root} does not coordinate the run`);
    requireOpenRun(run, now);
    limit.take(signer.root);
    this.#requireRoom(id);
    return { order, parcel, capability: decodeCapability(parcel.capability), run };
  }

  /** Other servers may take a minute: one payer's leave room for those of others. */
  #requirePlace(payer: PeerId): void {
    if (this.#waiting.length >= MAX_EFFECTS_AT_A_TIME)
      throw new FailureError("rate-limited", `${MAX_EFFECTS_AT_A_TIME} effects are under way at the relay`);
    if (this.#waiting.filter((each) => each === payer).length >= MAX_EFFECTS_OF_A_PAYER)
      throw new FailureError(
        "rate-limited",
        `${MAX_EFFECTS_OF_A_PAYER} effects of this account are under way`,
      );
  }

  #requireRoom(run: Cid): void {
    const { count, bytes } = this.#options.rows.totals(run);
    if (count >= MAX_EFFECTS_PER_RUN || bytes >= MAX_EFFECT_BYTES_PER_RUN)
      throw new FailureError(
        "rate-limited",
        `the relay carries out ${MAX_EFFECTS_PER_RUN} effects of a run, ${MAX_EFFECT_BYTES_PER_RUN} bytes in all`,
      );
  }

  async #carryOut(accepted: Accepted): Promise<Uint8Array<ArrayBuffer>> {
    const { rows } = this.#options;
    const { order } = accepted;
    let performed: PerformedEffect;
    try {
      performed = await this.#perform(accepted);
    } catch (error) {
      // Whoever asks again may be luckier. What may have changed something elsewhere is tried again as another attempt alone.
      if (mayBeRepeated(accepted, error)) rows.forget(order);
      throw error;
    }
    const record = encodeRecord(performed.record);
    const step = await seal(stepMessage, stepOf(accepted, performed, cidOf(RAW, record, sha256)), [
      this.#options.signer,
    ]);
    const reply = encode(effectReplySchema, { step, record, value: performed.value });
    rows.done(order, reply);
    return reply;
  }

  async #perform({ order, parcel, capability, run }: Accepted): Promise<PerformedEffect> {
    const { rows, policy, exchange, signer, meshSeed, nowMs } = this.#options;
    const wanted = parcel.secrets.filter(({ name }) => capability.secrets.includes(name));
    const secrets = new Map(
      await Promise.all(
        wanted.map(async (each): Promise<[string, string]> => [
          each.name,
          await openSecret(each, meshSeed, order.run),
        ]),
      ),
    );
    return performEffect(
      {
        capability,
        request: parcel.request,
        place: { run: order.run, node: order.node, iteration: order.iteration, attempt: order.attempt },
      },
      {
        signer: signer.key,
        now: nowMs,
        deadline: (ms) => AbortSignal.timeout(ms),
        exchange,
        localOrigins: policy.localOrigins,
        store: rows.store(run.terms.payer),
        chain: (name) => this.#chain(name),
        prove: (message) => this.#randomness.prove(message),
        secret: (name) => secrets.get(name),
      },
      new AbortController().signal,
    );
  }

  #chain(name: string): ChainCall | undefined {
    const url = this.#options.policy.chains.get(name);
    return url === undefined ? undefined : jsonRpc(url, this.#options.ownExchange);
  }
}

/** Whether an effect that failed can have left no trace where it was asked for. */
function mayBeRepeated({ capability, parcel }: Accepted, error: unknown): boolean {
  if (error instanceof FailureError && error.code === failureCode("effect-refused")) return true;
  const request = readRequest(capability, parcel.request);
  return request.kind !== "fetch" || request.method === "GET" || request.method === "HEAD";
}

function stepOf({ order }: Accepted, performed: PerformedEffect, record: Cid): Step {
  return {
    run: order.run,
    node: order.node,
    iteration: order.iteration,
    attempt: order.attempt,
    status: "done",
    args: order.request,
    result: performed.record.response,
    size: performed.value.length,
    callee: order.capability,
    profile: SANDBOX_PROFILE,
    fuel: fuel(0),
    record,
    parents: order.parents,
  };
}

import type { Exchange } from "../../effects/effect-ports.ts";
import { grantedEffects, requireGranted } from "../../effects/grants.ts";
import { fromBase64 } from "../../protocol/base64.ts";
import type { EffectGrants } from "../../protocol/effect-grants.ts";
import { cidOf, RAW } from "../../protocol/cid.ts";
import { FailureError } from "../../protocol/failure.ts";
import {
  type Capability,
  decodeCapability,
  effectNeeds,
  type SealedSecret,
} from "../../protocol/messages/effect.ts";
import type { SessionIdentity } from "../../protocol/session-identity.ts";
import type { Task } from "../../protocol/messages/task.ts";
import type { WorkOrder } from "../check-open.ts";
import type { LoadedEffect } from "../session-ports.ts";

/** Lines that an offer has for effects. */
const MAX_OFFERED_EFFECTS = 64;

/** Effects under way at a time: each holds a few megabytes at most, and browsers ask one server with six connections. */
const MAX_AT_A_TIME = 8;

/** What a provider needs to carry out effects for others. */
export interface EffectParts {
  /** What the person allows now. */
  grants(): EffectGrants;
  /** Asks web servers, see browser-exchange.ts. */
  readonly exchange: Exchange;
  /** Whether origins of private networks count where the person names them: at relays on loopback alone. */
  readonly allowLocal: boolean;
}

/** What effects are carried out with. */
export interface EffectSurroundings {
  readonly parts: EffectParts;
  readonly identity: SessionIdentity;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Carries out effects for others, within what the person has allowed and what a capability names. */
export class EffectDesk {
  readonly #surroundings: EffectSurroundings;
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;

  /** @param now milliseconds since 1970 */
  constructor(parts: EffectParts, identity: SessionIdentity, now: () => number) {
    this.#surroundings = { parts, identity, now };
  }

  /** Effects under way. */
  get busy(): number {
    return this.#underWay;
  }

  /** What the offer says (Offer.effects). */
  offered(): readonly string[] {
    return grantedEffects(this.#surroundings.parts.grants(), MAX_OFFERED_EFFECTS);
  }

  /** Whether to take an order. @throws FailureError with the reason to decline */
  admit(order: WorkOrder): void {
    requireGranted(capabilityOf(order), this.#surroundings.parts.grants());
  }

  /** Makes an order's capability ready to be used. @throws FailureError as `admit` */
  async load(order: WorkOrder): Promise<LoadedEffect> {
    const capability = capabilityOf(order);
    requireGranted(capability, this.#surroundings.parts.grants());
    // Later than the page: few tabs are ever asked.
    const { carryOut } = await import("./carry-out.ts");
    return {
      kind: "effect",
      run: async (task, input, secrets, signal, onStart) => {
        await this.#turn(signal);
        try {
          onStart();
          // The person may have changed their mind since the order was taken.
          requireGranted(capability, this.#surroundings.parts.grants());
          return await carryOut({ order, capability, task, input, secrets, signal }, this.#surroundings);
        } catch (error) {
          return failed(error, signal);
        } finally {
          this.#underWay -= 1;
          this.#waiting.shift()?.();
        }
      },
    };
  }

  /** Resolves when fewer than MAX_AT_A_TIME are under way, and counts one more. */
  async #turn(signal: AbortSignal): Promise<void> {
    while (this.#underWay >= MAX_AT_A_TIME && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.push(resolve);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await promise;
    }
    this.#underWay += 1;
  }
}

/** One task of an effect, with everything around it. */
export interface EffectWork {
  readonly order: WorkOrder;
  readonly capability: Capability;
  readonly task: Task;
  readonly input: Uint8Array;
  readonly secrets: readonly SealedSecret[];
  readonly signal: AbortSignal;
}

function failed(error: unknown, signal: AbortSignal): Awaited<ReturnType<LoadedEffect["run"]>> {
  if (error instanceof FailureError) return { kind: "failed", code: error.code, detail: error.detail };
  const reason: unknown = signal.reason;
  if (signal.aborted && reason instanceof FailureError)
    return { kind: "failed", code: reason.code, detail: reason.detail };
  const { code, detail } = new FailureError("effect-failed", "it could not be done here");
  return { kind: "failed", code, detail };
}

/** The capability that a job names and its arguments bring. @throws FailureError `malformed` when they are not one and the same */
function capabilityOf({ job, args }: WorkOrder): Capability {
  const { work } = job.body;
  const encoded = fromBase64(args.args[0] ?? "");
  if (encoded === undefined || cidOf(RAW, encoded) !== work.cid)
    throw new FailureError(
      "malformed",
      "effect: its first argument is not the capability that the job names",
    );
  const capability = decodeCapability(encoded);
  const needs = effectNeeds(capability);
  const isSame = needs.length === work.effects.length && needs.every((need) => work.effects.includes(need));
  if (capability.kind !== work.entry || !isSame)
    throw new FailureError("malformed", "effect: the job names other effects than its capability");
  return capability;
}

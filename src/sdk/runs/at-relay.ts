import type { StepEnd, StepOrder, ValueRef } from "../../plan/runner-ports.ts";
import { cidOf, RAW } from "../../protocol/cid.ts";
import { openEnvelope, seal, verified } from "../../protocol/envelope.ts";
import type { Cid } from "../../protocol/cid.ts";
import { FailureError } from "../../protocol/failure.ts";
import { header } from "../../protocol/header.ts";
import { capabilityCid, encodeCapability, type SealedSecret } from "../../protocol/messages/effect.ts";
import { effectOrderMessage, type EffectReply } from "../../protocol/messages/effect-order.ts";
import { type Step, stepMessage } from "../../protocol/messages/run.ts";
import { microCredits } from "../../protocol/units.ts";
import { checkEffect } from "./check-effect.ts";
import type { RunGround } from "./run-ground.ts";
import type { RunValues } from "./run-values.ts";

/** What an effect at the relay needs from its run. */
export interface AtRelayParts {
  readonly ground: Pick<RunGround, "client" | "info" | "signer" | "verify" | "now">;
  readonly run: Cid;
  readonly values: Pick<RunValues, "fetch" | "keep">;
  /** Secrets of the run by name; each is sealed to the relay where a capability names it. */
  readonly secrets?: Readonly<Record<string, string>>;
}

/**
 * Has the relay itself carry out an effect: where a server does not let other sites read it, for stores, and for randomness that
 * nobody could choose. It costs nothing, and happens once however often it is asked for.
 * @throws FailureError the relay's own refusal; `bad-receipt` where what it signed does not follow from the order
 */
export async function performAtRelay(
  order: StepOrder,
  parts: AtRelayParts,
  signal: AbortSignal,
): Promise<StepEnd> {
  const { ground, run, values } = parts;
  const { client, info, signer, now } = ground;
  if (order.what.kind !== "effect")
    throw new FailureError("unsupported", "the relay carries out effects alone, no functions and no models");
  const { capability } = order.what;
  const request = await values.fetch(order.input, signal);
  const body = {
    ...header(info.origin, info.asset),
    run,
    node: order.node,
    iteration: order.iteration,
    attempt: order.attempt,
    capability: capabilityCid(capability),
    request: order.input.cid,
    parents: order.parents,
    issuedAt: now(),
  };
  const parcel = {
    order: await seal(effectOrderMessage, body, [signer]),
    capability: encodeCapability(capability),
    request,
    secrets: await sealedFor(capability.secrets, parts),
  };
  const reply = await client.performEffect(run, parcel, signal);
  const step = await checkReply(reply, order, parts);
  const { randomnessKey } = info;
  await checkEffect(order, run, {
    signer: info.peer,
    request,
    record: reply.record,
    value: reply.value,
    ...(randomnessKey === undefined ? {} : { randomnessKey }),
  });
  values.keep(reply.record);
  const value: ValueRef = { ...values.keep(reply.value), holders: [info.peer] };
  return { receipts: [step], value, cost: microCredits(0) };
}

/** @throws FailureError `effect-refused` for a secret that the run was not given */
async function sealedFor(
  names: readonly string[],
  { ground, run, secrets = {} }: AtRelayParts,
): Promise<readonly SealedSecret[]> {
  if (names.length === 0) return [];
  const { sealSecret } = await import("../../effects/secrets.ts");
  return Promise.all(
    names.map((name) => {
      const secret = Object.hasOwn(secrets, name) ? secrets[name] : undefined;
      if (secret === undefined)
        throw new FailureError("effect-refused", `the run was given no secret ${name}`);
      return sealSecret(name, secret, ground.info.peer, run);
    }),
  );
}

/** @returns the step's envelope. @throws FailureError `bad-receipt`, `bad-signature` */
async function checkReply(
  reply: EffectReply,
  order: StepOrder,
  { ground, run }: AtRelayParts,
): Promise<Uint8Array> {
  const { body, signedBy } = await verified(openEnvelope(stepMessage, reply.step), ground.verify);
  const [by] = signedBy;
  const isRelays = signedBy.length === 1 && by?.key === ground.info.peer;
  if (!isRelays) throw new FailureError("bad-receipt", "the step is not signed by the relay");
  if (!isOf(body, order, run)) throw new FailureError("bad-receipt", "the relay has signed for another step");
  const isWhole =
    body.status === "done" &&
    body.result === cidOf(RAW, reply.value) &&
    body.size === reply.value.length &&
    body.record === cidOf(RAW, reply.record);
  if (!isWhole)
    throw new FailureError("bad-receipt", "value or record are not those that the relay has signed");
  return reply.step;
}

function isOf(step: Step, { node, iteration, attempt, input }: StepOrder, run: Cid): boolean {
  return (
    step.run === run &&
    step.node === node &&
    step.iteration === iteration &&
    step.attempt === attempt &&
    step.args === input.cid
  );
}

import { expect, test } from "vitest";
import { performEffect } from "../../effects/perform-effect.ts";
import { encodeRecord } from "../../effects/replay-effect.ts";
import { capabilityOf, PLACE, portsOf, requestOf, SIGNER } from "../../effects/requests.contract.ts";
import { randomnessKey } from "../../effects/verifiable-random.ts";
import type { StepOrder } from "../../plan/runner-ports.ts";
import { cidOf, RAW } from "../../protocol/cid.ts";
import type { Capability } from "../../protocol/messages/effect.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { fuel } from "../../protocol/units.ts";
import { checkEffect, type ShownEffect } from "./check-effect.ts";

const key = randomnessKey(new Uint8Array(32).fill(3));

async function shown(capability: Capability, json: unknown): Promise<ShownEffect> {
  const request = requestOf(json);
  const ports = portsOf({ prove: (message) => key.prove(message) });
  const order = { capability, request, place: PLACE };
  const { value, record } = await performEffect(order, ports, new AbortController().signal);
  return { signer: SIGNER, request, record: encodeRecord(record), value };
}

function orderOf(capability: Capability, changes: Partial<StepOrder> = {}): StepOrder {
  const { node, iteration, attempt } = PLACE;
  const input = { cid: cidOf(RAW, encodeUtf8("{}")), size: 2, holders: [] };
  return {
    node,
    iteration,
    attempt,
    what: { kind: "effect", capability },
    place: { at: "any" },
    provenance: { check: "signature" },
    limits: { fuel: fuel(0), memory: 0, output: 1_000, deadlineMs: 1_000 },
    input,
    parents: [],
    peers: [],
    hold: false,
    expected: 1,
    ...changes,
  };
}

test("a coordinator follows an effect before it uses its value, and refuses one that is of another step or made up", async () => {
  const time = capabilityOf("time");
  const effect = await shown(time, {});
  await checkEffect(orderOf(time), PLACE.run, effect);
  const refused = /^verification-failed: effect: /u;
  await expect(checkEffect(orderOf(time, { attempt: 1 }), PLACE.run, effect)).rejects.toThrow(refused);
  await expect(checkEffect(orderOf(time), cidOf(RAW, encodeUtf8("run")), effect)).rejects.toThrow(refused);
  const made = { ...effect, value: encodeUtf8("1800000000000") };
  await expect(checkEffect(orderOf(time), PLACE.run, made)).rejects.toThrow(refused);
});

test("the relay's randomness is believed by its key alone", async () => {
  const random = capabilityOf("random");
  const effect = await shown(random, { verifiable: true });
  await checkEffect(orderOf(random), PLACE.run, { ...effect, randomnessKey: key.publicKey });
  const other = randomnessKey(new Uint8Array(32).fill(4)).publicKey;
  for (const randomness of [{}, { randomnessKey: other }])
    // oxlint-disable-next-line no-await-in-loop
    await expect(checkEffect(orderOf(random), PLACE.run, { ...effect, ...randomness })).rejects.toThrow(
      /has not signed/u,
    );
});

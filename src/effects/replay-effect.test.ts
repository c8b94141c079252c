import { expect, test } from "vitest";
import { cidOf, RAW } from "../protocol/cid.ts";
import type { Capability, EffectRecord } from "../protocol/messages/effect.ts";
import { peerIdFromKey } from "../protocol/peer-id.ts";
import { encodeUtf8 } from "../protocol/text.ts";
import type { EffectPorts } from "./effect-ports.ts";
import { performEffect } from "./perform-effect.ts";
import { decodeRecord, encodeRecord, type RecordedEffect, replayEffect } from "./replay-effect.ts";
import { capabilityOf, PLACE, portsOf, requestOf, SIGNER } from "./requests.contract.ts";
import { provesRandomness, randomnessKey } from "./verifiable-random.ts";

const key = randomnessKey(new Uint8Array(32).fill(5));
const other = randomnessKey(new Uint8Array(32).fill(6));

async function recorded(
  capability: Capability,
  json: unknown,
  changes: Partial<EffectPorts> = {},
): Promise<RecordedEffect> {
  const request = requestOf(json);
  const { value, record } = await performEffect(
    { capability, request, place: PLACE },
    portsOf(changes),
    new AbortController().signal,
  );
  return { capability, request, record: encodeRecord(record), response: value, place: PLACE, signer: SIGNER };
}

function withRecord(effect: RecordedEffect, changes: Partial<EffectRecord>): RecordedEffect {
  return { ...effect, record: encodeRecord({ ...decodeRecord(effect.record), ...changes }) };
}

function verifyProof(publicKey: Uint8Array): NonNullable<RecordedEffect["verifyProof"]> {
  return (message, proof) => provesRandomness(publicKey, message, proof);
}

const fetching = { url: "https://example.org/a" };

test("an effect is followed from its record, byte for byte and without anybody being asked", async () => {
  const effect = await recorded(capabilityOf("fetch"), fetching);
  expect(Buffer.from(replayEffect(effect)).toString()).toBe("an answer");
  expect(replayEffect(await recorded(capabilityOf("time"), {}))).toEqual(encodeUtf8("1700000000000"));
  const random = await recorded(capabilityOf("random"), { bytes: 40 });
  expect(replayEffect(random)).toHaveLength(82);
});

test("whatever is changed in it is named", async () => {
  const effect = await recorded(capabilityOf("fetch"), fetching);
  const forged = encodeUtf8("a forgery");
  const cases: readonly (readonly [RecordedEffect, RegExp])[] = [
    [{ ...effect, response: forged }, /another answer/],
    [{ ...effect, request: requestOf({ url: "https://example.org/b" }) }, /another request/],
    [{ ...effect, capability: capabilityOf("fetch", { maxBytes: 9_999 }) }, /another capability/],
    [{ ...effect, signer: peerIdFromKey(new Uint8Array(32).fill(8)) }, /another peer's/],
    [{ ...effect, place: { ...PLACE, iteration: "4" } }, /another step/],
    [{ ...effect, place: { ...PLACE, attempt: 1 } }, /another step/],
    [{ ...effect, place: { ...PLACE, run: cidOf(RAW, forged) } }, /another step/],
    [withRecord(effect, { kind: "time" }), /another capability/],
    [withRecord(effect, { size: 10 }), /another answer/],
  ];
  for (const [changed, why] of cases) expect(() => replayEffect(changed)).toThrow(why);
  // One changed byte anywhere in the record is another record, whose CID nobody has signed.
  const named = cidOf(RAW, effect.record);
  for (let at = 0; at < effect.record.length; at += 1)
    expect(cidOf(RAW, effect.record.with(at, (effect.record[at] ?? 0) ^ 1))).not.toBe(named);
});

test("a record of something that its capability does not allow is refused, though everything else fits", async () => {
  const wide = capabilityOf("fetch", { origins: ["https://example.org", "https://example.com"] });
  const narrow = capabilityOf("fetch");
  const effect = await recorded(wide, { url: "https://example.com/" });
  const { capability } = decodeRecord((await recorded(narrow, fetching)).record);
  const lie = withRecord({ ...effect, capability: narrow }, { capability });
  expect(() => replayEffect(lie)).toThrow(/does not name the origin https:\/\/example.com/);
});

test("a time or random bytes that somebody chose are found out", async () => {
  const later = encodeUtf8("1800000000000");
  const time = await recorded(capabilityOf("time"), {});
  const lie = { response: cidOf(RAW, later), size: later.length };
  expect(() => replayEffect(withRecord({ ...time, response: later }, lie))).toThrow(
    /not the time of its record/,
  );
  const random = await recorded(capabilityOf("random"), { bytes: 4 });
  const chosen = encodeUtf8('"00000000"');
  const luck = { response: cidOf(RAW, chosen), size: chosen.length };
  expect(() => replayEffect(withRecord({ ...random, response: chosen }, luck))).toThrow(
    /not those of its step/,
  );
});

test("verifiable randomness holds by the relay's key alone, and has one value only", async () => {
  const capability = capabilityOf("random");
  const effect = await recorded(capability, { verifiable: true }, { prove: (message) => key.prove(message) });
  expect(replayEffect({ ...effect, verifyProof: verifyProof(key.publicKey) })).toEqual(effect.response);
  expect(() => replayEffect({ ...effect, verifyProof: verifyProof(other.publicKey) })).toThrow(
    /has not signed/,
  );
  // Whoever cannot check it does not believe it.
  expect(() => replayEffect(effect)).toThrow(/has not signed/);
  const { proof = new Uint8Array(), ...unproven } = decodeRecord(effect.record);
  expect(() => replayEffect({ ...effect, record: encodeRecord(unproven) })).toThrow(
    /proof of randomness is missing/,
  );
  const bent = withRecord(effect, { proof: proof.with(20, (proof[20] ?? 0) ^ 1) });
  expect(() => replayEffect({ ...bent, verifyProof: verifyProof(key.publicKey) })).toThrow(/has not signed/);
  expect(key.prove(encodeUtf8("x"))).toEqual(key.prove(encodeUtf8("x")));
});

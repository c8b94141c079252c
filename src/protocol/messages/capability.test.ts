import { describe, expect, it } from "vitest";
import { cidOf, RAW } from "../cid.ts";
import { header } from "../header.ts";
import { MAX_CHALLENGE_LANES } from "../limits.ts";
import { peerIdFromKey } from "../peer-id.ts";
import { encode } from "../schema.ts";
import {
  type Challenge,
  type ChallengeAnswer,
  challengeAnswerMessage,
  challengeMessage,
} from "./capability.ts";

const base = { ...header("relay.example/log", "test:relay.example/log"), instance: peerIdFromKey(hash(1)) };

function hash(byte: number): Uint8Array {
  return new Uint8Array(32).fill(byte);
}

function lanes(count: number): readonly Uint8Array[] {
  return Array.from({ length: count }, (_, i) => hash(i));
}

function challenge(changes: Partial<Challenge>): () => Uint8Array {
  const body: Challenge = {
    ...base,
    nonce: new Uint8Array(16),
    property: "fuel-all",
    amount: 1,
    seeds: [hash(2)],
    ...changes,
  };
  return () => encode(challengeMessage.schema, body);
}

function answer(changes: Partial<ChallengeAnswer>): () => Uint8Array {
  const body: ChallengeAnswer = { ...base, challenge: cidOf(RAW, hash(3)), ...changes };
  return () => encode(challengeAnswerMessage.schema, body);
}

describe("a challenge", () => {
  it("asks for something, of as many lanes as its property has", () => {
    expect(challenge({ seeds: lanes(MAX_CHALLENGE_LANES) })).not.toThrow();
    expect(challenge({ seeds: lanes(MAX_CHALLENGE_LANES + 1) })).toThrow(RangeError);
    expect(challenge({ seeds: [] })).toThrow(RangeError);
    expect(challenge({ amount: 0 })).toThrow(RangeError);
    expect(challenge({ property: "fuel", seeds: lanes(2) })).toThrow(RangeError);
    expect(challenge({ property: "fuel", seeds: lanes(1) })).not.toThrow();
  });

  it("is answered by a digest or a reason, not by both and not by neither", () => {
    expect(answer({ digest: hash(4) })).not.toThrow();
    expect(answer({ digest: hash(4), device: "software" })).not.toThrow();
    expect(answer({ declined: "busy" })).not.toThrow();
    expect(answer({})).toThrow(RangeError);
    expect(answer({ digest: hash(4), declined: "busy" })).toThrow(RangeError);
    expect(answer({ declined: "busy", device: "hardware" })).toThrow(RangeError);
  });
});

/* oxlint-disable no-await-in-loop -- one after another, so that a failure names its case */
import { verify as nodeVerify, createPublicKey, webcrypto } from "node:crypto";
import { encode as dagCborEncode } from "@ipld/dag-cbor";
import { beforeAll, describe, expect, test } from "vitest";
import { type Delegation, delegationMessage, signatory } from "./delegation.ts";
import { signerFromSeed, verifierOf } from "./ed25519.ts";
import { bodyId, openEnvelope, seal, verified, verifiedSync } from "./envelope.ts";
import { failureKind } from "./failure-code.ts";
import { FailureError } from "./failure.ts";
import { header, isTestAsset, requireOrigin, testAsset } from "./header.ts";
import { CLOCK_SKEW_MS } from "./limits.ts";
import { acceptMessage } from "./messages/lease.ts";
import { cancelMessage, stopMessage } from "./messages/task.ts";
import { multicodecKey } from "./peer-id.ts";
import { encode } from "./schema.ts";
import { signedBytes, type Signer, type VerifySync } from "./signature.ts";
import { type MessageSample, messageSamples } from "./vectors/catalogue.contract.ts";
import { ASSET, type Cast, makeCast, ORIGIN, seedOf, START } from "./vectors/cast.contract.ts";
import { type Story, tellStory } from "./vectors/story.contract.ts";

const verify = verifierOf(webcrypto.subtle);
let cast: Cast;
let story: Story;
let samples: readonly MessageSample[];
beforeAll(async () => {
  cast = await makeCast();
  story = await tellStory(cast);
  samples = messageSamples(cast, story);
});

const verifySync: VerifySync = (key, message, signature) => {
  const spki = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), key]);
  return nodeVerify(null, message, createPublicKey({ key: spki, format: "der", type: "spki" }), signature);
};

async function failureOf(step: () => unknown): Promise<string> {
  try {
    await step();
  } catch (error) {
    if (error instanceof FailureError) return failureKind(error.code).name;
    throw error;
  }
  return "accepted";
}

describe("An envelope", () => {
  test("with any bit changed is refused, or no signature in it holds", async () => {
    const body = { ...story.head, lease: story.leaseId };
    const sealed = await seal(acceptMessage, body, [cast.provider, cast.requester]);
    for (let at = 0; at < sealed.length * 8; at += 1) {
      const changed = sealed.slice();
      changed[at >> 3]! ^= 1 << (at & 7);
      const name = await failureOf(async () => verified(openEnvelope(acceptMessage, changed), verify));
      expect(name, `bit ${at}`).toMatch(/malformed|unsupported|too-large|bad-signature/u);
    }
    for (let length = 0; length < sealed.length; length += 1) {
      expect(await failureOf(() => openEnvelope(acceptMessage, sealed.subarray(0, length)))).not.toBe(
        "accepted",
      );
    }
  });

  test("has the identity of its body, whoever signs it and how often", async () => {
    const body = { ...story.head, lease: story.leaseId };
    const once = openEnvelope(acceptMessage, await seal(acceptMessage, body, [cast.provider]));
    const twice = openEnvelope(
      acceptMessage,
      await seal(acceptMessage, body, [cast.requester, cast.providerSession]),
    );
    expect(once.id).toBe(twice.id);
    expect(once.id).toBe(bodyId(acceptMessage, body));
    expect(bodyId(acceptMessage, { ...body, lease: story.jobId })).not.toBe(once.id);
  });

  test("is verified alike at once and in time", async () => {
    const good = openEnvelope(
      acceptMessage,
      await seal(acceptMessage, { ...story.head, lease: story.leaseId }, [cast.provider]),
    );
    expect(verifiedSync(good, verifySync)).toBe(good);
    expect(await verified(good, verify)).toBe(good);
    const bad = { ...good, claims: good.claims.map((claim) => ({ ...claim, message: Uint8Array.of(1) })) };
    expect(await failureOf(() => verifiedSync(bad, verifySync))).toBe("bad-signature");
    expect(await failureOf(async () => verified(bad, verify))).toBe("bad-signature");
    expect(await failureOf(async () => verified({ ...good, claims: [] }, verify))).toBe("bad-signature");
  });

  test("of one type never opens as another", async () => {
    const sealed = await Promise.all(
      samples.map(async ({ type, body, signers }) =>
        seal(
          type,
          body,
          signers.map((role) => cast[role]),
        ),
      ),
    );
    for (const [at, data] of sealed.entries()) {
      for (const { type } of samples) {
        if (type.name === samples[at]!.type.name) continue;
        expect(await failureOf(() => openEnvelope(type, data))).toBe("malformed");
      }
    }
  });

  test("relabelled as another type holds no signature: for each pair of types", async () => {
    const names = [...new Set(samples.map(({ type }) => type.name))];
    for (const { type, body } of samples) {
      const encoded = encode(type.schema, body);
      const sig = await cast.provider.sign(signedBytes(type.name, encoded));
      const key = multicodecKey(cast.provider.key).subarray(2);
      for (const other of names) {
        expect(await verify(key, signedBytes(other, encoded), sig)).toBe(other === type.name);
      }
    }
  });

  test("of a cancel does not pass for a stop, though the fields are the same", async () => {
    const body = { ...story.head, lease: story.leaseId, seq: 1, atUnit: 0 };
    const sig = await cast.requester.sign(signedBytes("cancel", encode(cancelMessage.schema, body)));
    const relabelled = dagCborEncode({
      type: "stop",
      body: encode(stopMessage.schema, body),
      signatures: [{ key: multicodecKey(cast.requester.key), sig }],
    });
    const opened = openEnvelope(stopMessage, relabelled);
    expect(await failureOf(async () => verified(opened, verify))).toBe("bad-signature");
  });
});

describe("A delegation", () => {
  const hour = 3_600_000;

  async function delegated(
    fields: Partial<Delegation>,
    signers: readonly Signer[] = [cast.provider],
  ): Promise<Uint8Array> {
    const body = {
      root: cast.provider.key,
      session: cast.providerSession.key,
      notBefore: START,
      notAfter: START + hour,
      ...fields,
    };
    return seal(delegationMessage, body, signers);
  }

  test("lets a session act for its root, within its time and the skew of clocks", async () => {
    const signed = { key: cast.providerSession.key, delegation: await delegated({}) };
    for (const now of [START, START + hour, START - CLOCK_SKEW_MS, START + hour + CLOCK_SKEW_MS]) {
      const by = signatory(signed, now);
      expect([by.root, by.session]).toEqual([cast.provider.key, cast.providerSession.key]);
      await verified(by.delegation!, verify);
    }
    for (const now of [START - CLOCK_SKEW_MS - 1, START + hour + CLOCK_SKEW_MS + 1, 0]) {
      expect(await failureOf(() => signatory(signed, now))).toBe("expired");
    }
  });

  test("is not needed by a root, which acts for itself", () => {
    const by = signatory({ key: cast.provider.key }, START);
    expect(by).toEqual({ root: cast.provider.key, session: cast.provider.key });
  });

  test("of another session, root or signer lends nothing", async () => {
    const { key } = cast.providerSession;
    const cases = [
      await delegated({ session: cast.requesterSession.key }),
      await delegated({ root: cast.requester.key }),
      await delegated({}, [cast.requester]),
      await delegated({}, [cast.provider, cast.requester]),
      await delegated({}, [cast.providerSession]),
    ];
    for (const delegation of cases) {
      expect(await failureOf(() => signatory({ key, delegation }, START))).toBe("bad-signature");
    }
    const accept = await seal(acceptMessage, { ...story.head, lease: story.leaseId }, [cast.provider]);
    expect(await failureOf(() => signatory({ key, delegation: accept }, START))).toBe("malformed");
  });

  test("does not hang from another delegation", async () => {
    const middle = await signerFromSeed(
      webcrypto.subtle,
      seedOf("requesterSession"),
      await delegated({ session: cast.requesterSession.key }),
    );
    const nested = await delegated({ root: cast.requesterSession.key }, [middle]);
    expect(
      await failureOf(() => signatory({ key: cast.providerSession.key, delegation: nested }, START)),
    ).toBe("bad-signature");
  });

  test("whose signature was forged is read but does not verify", async () => {
    const good = await delegated({});
    const forged = good.slice();
    const at = forged.length - 40;
    forged[at]! ^= 1;
    const { delegation } = signatory({ key: cast.providerSession.key, delegation: forged }, START);
    expect(await failureOf(async () => verified(delegation!, verify))).toBe("bad-signature");
  });
});

describe("A header", () => {
  test("ties a message to one relay and its money", async () => {
    const head = header(ORIGIN, ASSET);
    requireOrigin(head, ORIGIN, ASSET);
    expect(await failureOf(() => requireOrigin(head, "relay.example/other", ASSET))).toBe("wrong-relay");
    expect(await failureOf(() => requireOrigin(head, ORIGIN, "eip155:1/slip44:60"))).toBe("wrong-asset");
  });

  test("tells test money by its name", () => {
    expect(testAsset(ORIGIN)).toBe(ASSET);
    expect([ASSET, "eip155:1/slip44:60", "Test:x", "best:x"].map(isTestAsset)).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  test("keeps an extension called like a property of every object", async () => {
    const ext = Object.fromEntries([
      ["__proto__", 1n],
      ["constructor", "x"],
    ]) as Record<string, bigint | string>;
    const sealed = await seal(acceptMessage, { ...story.head, ext, lease: story.leaseId }, [cast.provider]);
    const { body } = openEnvelope(acceptMessage, sealed);
    expect(Object.entries(body.ext)).toEqual([
      ["__proto__", 1n],
      ["constructor", "x"],
    ]);
    expect(Object.getPrototypeOf(body.ext)).toBe(Object.prototype);
  });
});

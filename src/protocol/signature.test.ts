/* oxlint-disable no-await-in-loop -- one after another, so that a failure names its case */
import {
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign as nodeSign,
  verify as nodeVerify,
  webcrypto,
} from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concatBytes, toHex } from "./bytes.ts";
import { peerIdFromSeed, signerFromSeed, verifierOf } from "./ed25519.ts";
import { keyFromPeerId } from "./peer-id.ts";
import { isSoundPoint, isSoundSignature, signedBytes } from "./signature.ts";
import { malleated } from "./vectors/negative.contract.ts";
import { fromHex } from "./vectors/json-form.contract.ts";

const verify = verifierOf(webcrypto.subtle);
const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27_742_317_777_372_353_535_851_937_790_883_648_493n;
const D = modulo(-121_665n * inverse(121_666n));

type Point = readonly [x: bigint, y: bigint];

function modulo(value: bigint): bigint {
  return ((value % P) + P) % P;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let b = modulo(base), e = exponent; e > 0n; e >>= 1n, b = (b * b) % P)
    if ((e & 1n) === 1n) result = (result * b) % P;
  return result;
}

function inverse(value: bigint): bigint {
  return power(value, P - 2n);
}

/** Addition on the curve −x² + y² = 1 + d·x²·y² (RFC 8032 §5.1.4), slow and obvious. */
function add([ax, ay]: Point, [bx, by]: Point): Point {
  const k = modulo(D * ax * bx * ay * by);
  return [modulo((ax * by + ay * bx) * inverse(1n + k)), modulo((ay * by + ax * bx) * inverse(1n - k))];
}

function multiply(point: Point, times: bigint): Point {
  let result: Point = [0n, 1n];
  for (let p = point, e = times; e > 0n; e >>= 1n, p = add(p, p))
    if ((e & 1n) === 1n) result = add(result, p);
  return result;
}

/** A point with this y, when there is one. */
function pointAt(y: bigint): Point | undefined {
  const square = modulo((y * y - 1n) * inverse(D * y * y + 1n));
  let x = power(square, (P + 3n) / 8n);
  if (modulo(x * x - square) !== 0n) x = modulo(x * power(2n, (P - 1n) / 4n));
  return modulo(x * x - square) === 0n ? [x, y] : undefined;
}

function littleEndian(value: bigint): Uint8Array {
  return Uint8Array.from(fromHex(value.toString(16).padStart(64, "0"))).toReversed();
}

function withSign(y: bigint, sign: 0 | 1): Uint8Array {
  return littleEndian(y | (BigInt(sign) << 255n));
}

/** The eight points whose eightfold is the neutral element: multiples of L times any point. */
function torsion(): readonly Point[] {
  for (let y = 2n; ; y += 1n) {
    const point = pointAt(y);
    const small = point === undefined ? undefined : multiply(point, L);
    if (small !== undefined && multiply(small, 4n)[1] !== 1n) {
      return Array.from({ length: 8 }, (_, times) => multiply(small, BigInt(times)));
    }
  }
}

function privateKey(seed: Uint8Array): KeyObject {
  const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
  return createPrivateKey({ key: der, format: "der", type: "pkcs8" });
}

const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });
const goodSignature = concatBytes(withSign(4n, 0), new Uint8Array(32));

function withS(s: bigint): Uint8Array {
  return concatBytes(goodSignature.subarray(0, 32), littleEndian(s));
}

describe("Ed25519", () => {
  test.each([
    [
      "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
      "",
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ],
    [
      "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
      "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
      "72",
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ],
    [
      "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
      "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
      "af82",
      "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ],
  ])("agrees with RFC 8032 for the seed %s", async (seed, key, message, signature) => {
    const signer = await signerFromSeed(webcrypto.subtle, fromHex(seed));
    expect(toHex(keyFromPeerId(signer.key))).toBe(key);
    expect(toHex(await signer.sign(fromHex(message)))).toBe(signature);
    expect(await verify(fromHex(key), fromHex(message), fromHex(signature))).toBe(true);
    expect(isSoundSignature(fromHex(key), fromHex(signature))).toBe(true);
  });

  test("signs and verifies like Node's own crypto", async () => {
    await fc.assert(
      fc.asyncProperty(seeds, fc.uint8Array({ maxLength: 100 }), fc.nat(63), async (seed, message, at) => {
        const signer = await signerFromSeed(webcrypto.subtle, seed);
        const signature = await signer.sign(message);
        const key = privateKey(seed);
        expect(toHex(signature)).toBe(nodeSign(null, message, key).toString("hex"));
        expect(isSoundSignature(keyFromPeerId(signer.key), signature)).toBe(true);
        const changed = signature.slice();
        changed[at]! ^= 1;
        for (const candidate of [signature, changed]) {
          expect(await verify(keyFromPeerId(signer.key), message, candidate)).toBe(
            nodeVerify(null, message, createPublicKey(key), candidate),
          );
        }
      }),
      { numRuns: 40 },
    );
  });

  test("takes seeds of 32 bytes and nothing else", async () => {
    await expect(signerFromSeed(webcrypto.subtle, new Uint8Array(31))).rejects.toThrow(RangeError);
    const seed = new Uint8Array(32).fill(3);
    expect(await peerIdFromSeed(webcrypto.subtle, seed)).toBe(
      (await signerFromSeed(webcrypto.subtle, seed)).key,
    );
  });

  test("verifies nothing under bytes that are no key, again and again", async () => {
    for (const key of [new Uint8Array(31), new Uint8Array(32).fill(255), withSign(2n, 0)]) {
      expect(await verify(key, new Uint8Array(), goodSignature)).toBe(false);
      expect(await verify(key, new Uint8Array(), goodSignature)).toBe(false);
    }
  });
});

describe("The signature law", () => {
  const key = withSign(9n, 0);

  test("refuses all eight points of small order, with either sign bit, as key and as R", () => {
    const points = torsion();
    expect(new Set(points.map(([x, y]) => `${x} ${y}`)).size).toBe(8);
    for (const [, y] of points) {
      for (const sign of [0, 1] as const) {
        const point = withSign(y, sign);
        expect(isSoundPoint(point), toHex(point)).toBe(false);
        expect(isSoundSignature(point, goodSignature)).toBe(false);
        expect(isSoundSignature(key, concatBytes(point, new Uint8Array(32)))).toBe(false);
      }
    }
    expect(isSoundSignature(key, goodSignature)).toBe(true);
  });

  test("refuses every y of p or more, which is another spelling of a smaller one", () => {
    for (let y = P; y < 2n ** 255n; y += 1n) {
      for (const sign of [0, 1] as const) expect(isSoundPoint(withSign(y, sign)), `${y - P}`).toBe(false);
    }
    expect(isSoundPoint(withSign(P - 2n, 0))).toBe(true);
    expect(isSoundPoint(withSign(P - 2n, 1))).toBe(true);
  });

  test("refuses S of the group order or more", () => {
    for (const s of [L, L + 1n, 2n * L, 2n ** 256n - 1n, 2n ** 255n, 2n ** 253n])
      expect(isSoundSignature(key, withS(s))).toBe(false);
    for (const s of [0n, 1n, L - 1n, L - 2n ** 128n]) expect(isSoundSignature(key, withS(s))).toBe(true);
  });

  test("refuses a good signature to whose S the order was added", async () => {
    await fc.assert(
      fc.asyncProperty(seeds, fc.uint8Array({ maxLength: 40 }), async (seed, message) => {
        const signer = await signerFromSeed(webcrypto.subtle, seed);
        const signature = await signer.sign(message);
        const raw = keyFromPeerId(signer.key);
        expect(isSoundSignature(raw, signature)).toBe(true);
        expect(isSoundSignature(raw, malleated(signature))).toBe(false);
      }),
      { numRuns: 30 },
    );
  });

  test("refuses other lengths", () => {
    expect(isSoundPoint(new Uint8Array(31).fill(9))).toBe(false);
    expect(isSoundPoint(new Uint8Array(33).fill(9))).toBe(false);
    expect(isSoundSignature(key, goodSignature.subarray(0, 63))).toBe(false);
    expect(isSoundSignature(key, concatBytes(goodSignature, Uint8Array.of(0)))).toBe(false);
  });
});

describe("Signed bytes", () => {
  test("of two different messages are never the same", () => {
    const type = fc.string({ minLength: 1, maxLength: 12 });
    const body = fc.uint8Array({ maxLength: 12 });
    fc.assert(
      fc.property(type, body, type, body, (typeA, bodyA, typeB, bodyB) => {
        const same = typeA === typeB && toHex(bodyA) === toHex(bodyB);
        expect(toHex(signedBytes(typeA, bodyA)) === toHex(signedBytes(typeB, bodyB))).toBe(same);
      }),
      { numRuns: 1_000 },
    );
  });

  test("frame tag and body by their lengths", () => {
    expect(toHex(signedBytes("job", Uint8Array.of(0xa0)))).toBe(
      `0000000d${Buffer.from("tabmesh/job/1").toString("hex")}00000001a0`,
    );
  });
});

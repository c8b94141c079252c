import { createHmac, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PPM } from "./audit-policy.ts";
import { fromHex } from "./vectors/json-form.contract.ts";
import { toHex } from "./bytes.ts";
import { drawnLeaves, drawSeed, type Hmac, plainHmac } from "./draw.ts";
import { type DrawRow, rateOf } from "./vectors/draw-vectors.contract.ts";

const { draws, refused }: { readonly draws: readonly DrawRow[]; readonly refused: readonly DrawRow[] } =
  JSON.parse(readFileSync(new URL("vectors/draw.json", import.meta.url), "utf8"));

/** The same function from another implementation. */
const nodeHmac: Hmac = (key, data) => createHmac("sha256", key).update(data).digest();

/** The seed once more, written out with Node's crypto alone. */
function nodeSeed(row: Pick<DrawRow, "secretHex" | "origin" | "entryIndex" | "entryHashHex">): Buffer {
  const mac = createHmac("sha256", Buffer.from(row.secretHex, "hex"));
  for (const text of ["tabmesh/draw/1", row.origin]) {
    const utf8 = Buffer.from(text, "utf8");
    const length = Buffer.alloc(2);
    length.writeUInt16BE(utf8.length);
    mac.update(length).update(utf8);
  }
  const index = Buffer.alloc(8);
  index.writeBigUInt64BE(BigInt(row.entryIndex));
  return mac.update(index).update(Buffer.from(row.entryHashHex, "hex")).digest();
}

/** The first 64 bits of a leaf's HMAC, as a number. */
function lotOf(seed: Uint8Array, leaf: number): bigint {
  const place = Buffer.alloc(8);
  place.writeBigUInt64BE(BigInt(leaf));
  return createHmac("sha256", seed).update(place).digest().readBigUInt64BE();
}

/** Whether lot / 2^64 < rate / 10^6, in whole numbers of any size. */
function isDrawn(lot: bigint, rate: number): boolean {
  return lot * 1_000_000n < BigInt(rate) * 2n ** 64n;
}

function expectedLeaves({ first, end, ratesPpm }: DrawRow, seed: Uint8Array): readonly number[] {
  const leaves: number[] = [];
  for (let leaf = first; leaf < end; leaf += 1)
    if (isDrawn(lotOf(seed, leaf), rateOf(ratesPpm, leaf - first))) leaves.push(leaf);
  return leaves;
}

function leavesBy(row: DrawRow, mac: Hmac): readonly number[] {
  const seed = drawSeed(fromHex(row.secretHex), row.origin, row.entryIndex, fromHex(row.entryHashHex), mac);
  return drawnLeaves(seed, row.first, row.end, (offset) => rateOf(row.ratesPpm, offset), mac);
}

/** What is drawn when the lot is this one. The rest of the 32 bytes, and those around them, count for nothing. */
function drawsLot(lot: bigint, rate: number): boolean {
  const around = Buffer.alloc(56, 0xa5);
  around.writeBigUInt64BE(lot, 16);
  const leaves = drawnLeaves(
    new Uint8Array(32),
    5,
    6,
    () => rate,
    () => around.subarray(16, 48),
  );
  return leaves.length === 1;
}

describe("The seed of a draw", () => {
  test.each(draws)("is the vector's: $why", (row) => {
    const seed = drawSeed(fromHex(row.secretHex), row.origin, row.entryIndex, fromHex(row.entryHashHex));
    expect(toHex(seed)).toBe(row.seedHex);
    expect(nodeSeed(row).toString("hex")).toBe(row.seedHex);
  });

  test("is another one for each secret, relay, place and entry", () => {
    const [secret, hash] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
    const seeds = [
      drawSeed(secret, "relay.example/log", 3, hash),
      drawSeed(hash, "relay.example/log", 3, hash),
      drawSeed(secret, "relay.example/lo", 3, hash),
      drawSeed(secret, "relay.example/log", 2 ** 32 + 3, hash),
      drawSeed(secret, "relay.example/log", 3, secret),
    ];
    expect(new Set(seeds.map(toHex)).size).toBe(seeds.length);
  });
});

function quarter(): number {
  return PPM / 4;
}

describe("The leaves that are drawn", () => {
  test.each(draws)("are the vector's, and what Node's crypto and whole numbers give: $why", (row) => {
    expect(leavesBy(row, plainHmac)).toEqual(row.leaves);
    expect(expectedLeaves(row, nodeSeed(row))).toEqual(row.leaves);
  });

  test.each(draws)("are the same by any implementation of HMAC: $why", (row) => {
    expect(leavesBy(row, nodeHmac)).toEqual(leavesBy(row, plainHmac));
  });

  test.each(refused)("are not those of the vector that is wrong: $why", (row) => {
    const right = leavesBy(row, plainHmac);
    expect(right.length).toBeGreaterThan(0);
    expect(right).not.toEqual(row.leaves);
  });

  test("are those of the draws in audit.json, whose entry and secrets are in the other vectors", () => {
    const stored: { messages: readonly { type: string; body: Record<string, never> }[] } = JSON.parse(
      readFileSync(new URL("vectors/audit.json", import.meta.url), "utf8"),
    );
    const bodies = stored.messages.filter(({ type }) => type === "draw").map(({ body }) => body);
    for (const [at, source] of (["relay", "requester"] as const).entries()) {
      const row = draws[at];
      const body = bodies.find((each) => each["source"] === source);
      expect([body?.["entryIndex"], body?.["leaves"]]).toEqual([row?.entryIndex, row?.leaves]);
      expect(body?.["entryHash"]).toEqual({ $hex: row?.entryHashHex });
    }
  });

  test("of a whole report do not depend on how it is cut", () => {
    const seed = new Uint8Array(randomBytes(32));
    const whole = drawnLeaves(seed, 0, 500, quarter);
    expect(whole.length).toBeGreaterThan(0);
    expect([...drawnLeaves(seed, 0, 123, quarter), ...drawnLeaves(seed, 123, 500, quarter)]).toEqual(whole);
  });

  test("are judged by the rate of their own place in the report", () => {
    const seed = new Uint8Array(32).fill(7);
    const asked: number[] = [];
    const odd = drawnLeaves(seed, 10, 16, (offset) => {
      asked.push(offset);
      return offset % 2 === 1 ? PPM : 0;
    });
    expect(odd).toEqual([11, 13, 15]);
    expect(asked).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

describe("A leaf is drawn exactly when its lot is below rate · 2^64", () => {
  // At 15,625 and its multiples, and at 64, the bound is a whole number: the lot on it is not drawn.
  const rates = [1, 2, 3, 7, 64, 10_000, 15_625, 39_215, 50_000, 250_000, 500_000, 999_999];

  test.each(rates)("at the lots around the bound of %i in a million", (rate) => {
    const bound = (BigInt(rate) * 2n ** 64n) / 1_000_000n;
    for (const distance of [-(2n ** 32n), -2n, -1n, 0n, 1n, 2n, 2n ** 32n]) {
      const lot = bound + distance;
      if (lot < 0n || lot >= 2n ** 64n) continue;
      expect(drawsLot(lot, rate), `${lot}`).toBe(isDrawn(lot, rate));
    }
  });

  test("at random lots and rates, and at lots whose upper half is the bound's", () => {
    const half = fc.nat({ max: 0xffff_ffff });
    const rateIn = fc.oneof(fc.constantFrom(0, 1, 50_000, PPM - 1, PPM), fc.nat({ max: PPM }));
    fc.assert(
      fc.property(half, half, rateIn, fc.boolean(), (high, low, rate, near) => {
        const upper = near ? ((BigInt(rate) * 2n ** 64n) / 1_000_000n) >> 32n : BigInt(high);
        const lot = ((upper << 32n) | BigInt(low)) & (2n ** 64n - 1n);
        expect(drawsLot(lot, rate)).toBe(isDrawn(lot, rate));
      }),
      { numRuns: 5_000 },
    );
  });

  test("so that nothing is drawn at a rate of 0, and everything at a million", () => {
    for (const lot of [0n, 1n, 2n ** 32n, 2n ** 63n, 2n ** 64n - 1n]) {
      expect(drawsLot(lot, 0)).toBe(false);
      expect(drawsLot(lot, PPM)).toBe(true);
    }
    const seed = new Uint8Array(randomBytes(32));
    expect(drawnLeaves(seed, 0, 10_000, () => 0)).toEqual([]);
    expect(drawnLeaves(seed, 0, 10_000, () => PPM)).toHaveLength(10_000);
  });
});

describe("The share of leaves that is drawn", () => {
  /** One miss in half a billion tries of a true binomial. */
  const SIGMAS = 6;
  const LEAVES = 40_000;

  test.each([10_000, 50_000, 250_000, 666_666])("is %i in a million, by any secret", (rate) => {
    const seed = drawSeed(randomBytes(32), "relay.example/log", 17, randomBytes(32), nodeHmac);
    const drawn = drawnLeaves(seed, 0, LEAVES, () => rate, nodeHmac).length;
    const share = rate / PPM;
    const sigma = Math.sqrt(LEAVES * share * (1 - share));
    expect(Math.abs(drawn - LEAVES * share), toHex(seed)).toBeLessThan(SIGMAS * sigma);
  });

  test("is the same for neighbours: one leaf's lot says nothing about the next", () => {
    const share = 0.25;
    const seed = drawSeed(randomBytes(32), "relay.example/log", 18, randomBytes(32), nodeHmac);
    const drawn = new Set(drawnLeaves(seed, 0, LEAVES, () => share * PPM, nodeHmac));
    const pairs = [...drawn].filter((leaf) => leaf % 2 === 0 && drawn.has(leaf + 1)).length;
    const both = share * share;
    const sigma = Math.sqrt((LEAVES / 2) * both * (1 - both));
    expect(Math.abs(pairs - (LEAVES / 2) * both), toHex(seed)).toBeLessThan(SIGMAS * sigma);
  });
});

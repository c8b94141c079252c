import { createHash } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { equalBytes, toHex } from "../../protocol/bytes.ts";
import { burnFunction, burnInput, upstreamBytes } from "../../protocol/challenge/challenge-work.ts";
import type { Property } from "../../protocol/property.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { createSandbox } from "../../sandbox/sandbox.ts";
import { requestFor } from "../../sandbox/wat.contract.ts";
import { signerOf } from "../books/books-scene.contract.ts";
import { ChallengeBank, type LaneComputer, type PreparedLane } from "./challenge-bank.ts";
import { LaneThreads } from "./lane-threads.ts";
import { MOST_USES } from "./limits.ts";

const threads = new LaneThreads();
afterAll(() => threads.stop());

/** Numbers in order, so that a failure can be seen again. */
function randomOf(): (count: number) => Uint8Array {
  let next = 0;
  return (count) => Uint8Array.from({ length: count }, () => (next += 1) & 0xff);
}

const peer = (name: string | number): PeerId => signerOf(`peer ${name}`).key;

/** Counts what the relay computes. */
function counted(): LaneComputer & { computed: number } {
  return {
    computed: 0,
    compute(work, amount, seed) {
      this.computed += 1;
      return threads.compute(work, amount, seed);
    },
  };
}

function open(
  computer: LaneComputer = counted(),
  sameOwner: (a: PeerId, b: PeerId) => boolean = (a, b) => a === b,
): ChallengeBank {
  return new ChallengeBank(computer, randomOf(), sameOwner);
}

async function taken(
  bank: ChallengeBank,
  property: Property,
  amount: number,
  count: number,
  who: PeerId,
): Promise<readonly PreparedLane[]> {
  let lanes: readonly PreparedLane[] | undefined;
  await expect
    .poll(() => (lanes = bank.take(property, amount, count, who)), { timeout: 20_000 })
    .toBeDefined();
  return lanes!;
}

describe("prepared challenges", () => {
  it("have the answers and the fuel that a sandbox has", async () => {
    const { cid, module } = burnFunction();
    const here = createSandbox();
    await here.load(cid, module);
    for (const [property, entry, amount] of [
      ["fuel", "burn", 1_000],
      ["memory", "fill", 1],
    ] as const) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const [lane] = await taken(open(), property, amount, 1, peer(1));
      // oxlint-disable-next-line no-await-in-loop
      const result = await here.run(
        requestFor("bytes-1", {
          function: { cid, abi: "bytes-1", entry },
          input: burnInput(lane!.seed, amount),
        }),
      );
      expect(result).toMatchObject({ kind: "done", fuel: lane!.fuel });
      expect(result.kind === "done" && equalBytes(result.output, lane!.output)).toBe(true);
    }
  });

  it("of bytes upstream have the hash of those bytes", async () => {
    const [lane] = await taken(open(), "upstream", 4_096, 1, peer(1));
    const hash = createHash("sha256").update(upstreamBytes(lane!.seed, 4_096)).digest();
    expect(equalBytes(hash, lane!.output)).toBe(true);
  });

  it("of kernels are the same for processor and graphics card", async () => {
    const computer = counted();
    const bank = open(computer);
    const [there] = await taken(bank, "webgpu-rows", 1, 1, peer(1));
    const [here] = await taken(bank, "wasm-rows", 1, 1, peer(2));
    expect(here).toBe(there);
    expect(there!.fuel).toBeGreaterThan(100_000_000n);
    expect(computer.computed).toBe(1);
  });

  it("serve several providers each, so that the relay computes a fraction", async () => {
    const computer = counted();
    const bank = open(computer);
    const seeds = new Set<string>();
    for (let who = 0; who < 4 * MOST_USES; who += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const [lane] = await taken(bank, "fuel", 100, 1, peer(who));
      seeds.add(toHex(lane!.seed));
    }
    expect(computer.computed).toBe(4);
    expect(seeds.size).toBe(4);
  });

  it("are never given twice to one provider or one owner, nor to two lanes of one challenge", async () => {
    const bank = open(counted(), (a, b) => a === b || (a !== peer(9) && b !== peer(9)));
    const seen = new Set<string>();
    for (const who of [1, 1, 2, 3]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      for (const { seed } of await taken(bank, "fuel-all", 100, 3, peer(who))) {
        expect(seen.has(toHex(seed))).toBe(false);
        seen.add(toHex(seed));
      }
    }
    const others = await taken(bank, "fuel", 100, 1, peer(9));
    expect(seen.has(toHex(others[0]!.seed))).toBe(true);
  });

  it("come again after the thread that computes them was lost", async () => {
    let fails = 1;
    const bank = open({
      compute: (work, amount, seed) => {
        fails -= 1;
        return fails >= 0 ? Promise.reject(new Error("gone")) : threads.compute(work, amount, seed);
      },
    });
    expect(await taken(bank, "fuel", 100, 1, peer(1))).toHaveLength(1);
    expect(fails).toBe(-1);
  });
});

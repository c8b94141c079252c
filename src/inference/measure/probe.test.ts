import { toHex } from "../../protocol/bytes.ts";
import { afterEach, describe, expect, it } from "vitest";
import { referenceBackend } from "../reference/reference-backend.ts";
import { createWasmBackend } from "../wasm/wasm-backend.ts";
import { createModelHost } from "../host/create-model-host.ts";
import { failureCode } from "../../protocol/failure-code.ts";
import { Probe, probeFuel } from "./probe.ts";

const seed = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
const probe = new Probe();
afterEach(() => probe.close());

/** Part of the wire format: relays of all versions know these answers. */
const KNOWN = {
  "wasm-rows": "8e74acc54f2b8a50",
  "wasm-row": "d50bff302258ba79",
} as const;

describe("a challenge to the kernels", () => {
  it.each(["wasm-rows", "wasm-row"] as const)("of %s has the reference's answer", async (kernels) => {
    const task = { seed: seed(3), passes: 2 };
    const expected = toHex(await probe.run(referenceBackend, kernels, task));
    expect(expected.slice(0, 16)).toBe(KNOWN[kernels]);
    expect(toHex(await probe.run(createWasmBackend(), kernels, task))).toBe(expected);
  });

  it("has another answer for each seed, number of passes and kind of kernel, and the same one again", async () => {
    const backend = createWasmBackend();
    const run = async (kernels: "wasm-rows" | "wasm-row", byte: number, passes: number): Promise<string> =>
      toHex(await probe.run(backend, kernels, { seed: seed(byte), passes }));
    const answers = [
      await run("wasm-rows", 1, 1),
      await run("wasm-rows", 2, 1),
      await run("wasm-rows", 1, 2),
      await run("wasm-row", 1, 1),
      await run("wasm-row", 1, 40),
      await run("wasm-row", 1, 41),
    ];
    expect(new Set(answers).size).toBe(6);
    expect(await run("wasm-row", 1, 40)).toBe(answers[4]);
  });

  it("costs the multiply-adds of what is computed", () => {
    expect(probeFuel("wasm-rows", 3)).toBe(3n * probeFuel("webgpu-rows", 1));
    expect(probeFuel("wasm-row", 65)).toBe(2n * probeFuel("wasm-rows", 1) + probeFuel("wasm-row", 1));
    // 2 layers of 4 · 512² and 3 · 512 · 544, and attention with itself.
    expect(probeFuel("wasm-row", 1)).toBe(2n * (4n * 512n * 512n + 3n * 512n * 544n) + 2n * 2n * 512n);
  });

  it("is computed by a host that does nothing else, and not on a card that is not open", async () => {
    const host = createModelHost();
    const done = await host.measure({ kernels: "wasm-rows", seed: seed(3), passes: 2 });
    expect(done).toMatchObject({ kind: "done", isSoftware: false });
    expect(done.kind === "done" && toHex(done.output).slice(0, 16)).toBe(KNOWN["wasm-rows"]);
    expect(await host.measure({ kernels: "webgpu-rows", seed: seed(3), passes: 1 })).toMatchObject({
      kind: "failed",
      code: failureCode("gpu-lost"),
    });
    const long = host.measure({ kernels: "wasm-rows", seed: seed(3), passes: 100_000 });
    expect(await host.measure({ kernels: "wasm-row", seed: seed(3), passes: 1 })).toMatchObject({
      code: failureCode("cancelled"),
    });
    await host.stop();
    expect(await long).toMatchObject({ kind: "failed", code: failureCode("cancelled") });
    await host.close();
  });
});

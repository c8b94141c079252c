import { readFile } from "node:fs/promises";
import { componentNew, preview1AdapterCommandPath } from "@bytecodealliance/jco";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { FailureError } from "../../protocol/failure.ts";
import { requestFor, text, wasiModule, wat } from "../wat.contract.ts";
import { compileComponent } from "./compile-component.ts";
import { decodeComponent } from "./decode/decode-component.ts";
import { linkComponent } from "./link/link-component.ts";
import { runComponent } from "./run-component.ts";
import { tries } from "../../protocol/tries.contract.ts";

/** A command that writes "hi", wrapped by the adapter that all preview 1 programs come with: every kind of definition. */
const HELLO = wasiModule(
  '(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))',
  `(i32.store (i32.const 8) (i32.const 16)) (i32.store (i32.const 12) (i32.const 2))
   (i32.store (i32.const 16) (i32.const 0x6968)) (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 4)))`,
);

let hello: Uint8Array<ArrayBuffer>;

beforeAll(async () => {
  const adapter = await readFile(preview1AdapterCommandPath());
  hello = new Uint8Array(await componentNew(await wat(HELLO), [["wasi_snapshot_preview1", adapter]]));
});

/** Runs it as far as it goes. Rejects only with what is neither a failure nor an outcome. */
async function attempt(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  try {
    const compiled = await compileComponent(bytes);
    const base = requestFor("wasi-p1", {
      limits: { fuel: 1_000_000n, memoryBytes: 2 ** 24, outputBytes: 1_000 },
    });
    const outcome = runComponent(compiled, {
      ...base,
      function: { cid: "c", abi: "component-1", entry: "" },
    });
    return outcome.kind === "done" ? text(outcome.output) : String(outcome.failure.code);
  } catch (error) {
    if (error instanceof FailureError) return String(error.code);
    throw error;
  }
}

describe("a corrupted component", () => {
  test("is a program like another when nothing is changed", async () => {
    expect(await attempt(hello)).toBe("hi");
  });

  test(
    "with flipped bits is refused, or runs to some end, and never crashes its host",
    { timeout: 60_000 },
    async () => {
      const flip = fc.record({ at: fc.nat(), bit: fc.nat({ max: 7 }) });
      await fc.assert(
        fc.asyncProperty(fc.array(flip, { minLength: 1, maxLength: 3 }), async (flips) => {
          const bytes = hello.slice();
          for (const { at, bit } of flips) {
            const place = at % bytes.length;
            bytes[place] = (bytes[place] ?? 0) ^ (1 << bit);
          }
          await attempt(bytes);
        }),
        { numRuns: tries(100) },
      );
    },
  );

  test("with flipped bits outside its core modules is refused or linked, never anything else", async () => {
    const { modules } = await compileComponent(hello);
    const { definitions } = decodeComponent(hello);
    const cores = definitions.filter((each) => each.kind === "core-module");
    const places = Array.from(hello.keys()).filter(
      (at) => !cores.some(({ start, end }) => at >= start && at < end),
    );
    let refused = 0;
    // Four of the bits of each byte in the long run, one in the short one.
    const stride = 8 / tries(4);
    for (const at of places)
      for (let bit = at % stride; bit < 8; bit += stride) {
        const bytes = hello.slice();
        bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
        try {
          linkComponent(decodeComponent(bytes), modules);
        } catch (error) {
          if (!(error instanceof FailureError)) throw error;
          refused += 1;
        }
      }
    expect(refused).toBeGreaterThan((tries(4) * places.length) / 4);
  });

  test("that is cut off anywhere is refused, unless a section ends there", () => {
    let whole = 0;
    for (let length = 0; length < hello.length; length += 7) {
      try {
        decodeComponent(hello.subarray(0, length));
        whole += 1;
      } catch (error) {
        expect(error).toBeInstanceOf(FailureError);
      }
    }
    expect(whole).toBeLessThan(30);
  });
});

import { describe, expect, it } from "vitest";
import { oddModel } from "../backend.contract.ts";
import { referenceBackend } from "../reference/reference-backend.ts";
import { createWasmBackend } from "../wasm/wasm-backend.ts";
import { generate } from "./generate.ts";
import { GREEDY } from "./sampling.ts";
import { firstLink } from "./transcript.ts";
import { type Transcript, verifyTranscript } from "./verify.ts";

const MODEL = oddModel({ name: "", shape: { vocabulary: 300, context: 200, layers: 1 } });
const LINK = firstLink(new Uint8Array(32));

/** Written by the reference, one token after another. */
async function written(prompt: readonly number[], most: number): Promise<Transcript> {
  const decoder = await referenceBackend.open(MODEL);
  const tokens = [...prompt];
  const links: Uint8Array[] = [];
  const request = { prompt, most, sampling: GREEDY, endTokens: [], link: LINK };
  for await (const each of generate(decoder, request)) {
    tokens.push(each.token);
    links.push(...each.links);
  }
  return { tokens, promptTokens: prompt.length, sampling: GREEDY, links };
}

describe.each(["baseline", "relaxed"] as const)("a greedy text checked by WebAssembly, %s", (build) => {
  it("holds, also over several batches", async () => {
    const transcript = await written([1, 2, 3], 190);
    const decoder = await createWasmBackend({ build }).open(MODEL);
    expect(await verifyTranscript(decoder, transcript, LINK)).toEqual({ kind: "holds", positions: 192 });
  });

  it("differs where a token is not the likeliest one, though all states are right", async () => {
    const { tokens, ...rest } = await written([5], 140);
    for (const instead of [0, 1, 299]) {
      const wrong = [...tokens.slice(0, -1), instead === tokens.at(-1) ? 2 : instead];
      const decoder = await createWasmBackend({ build }).open(MODEL);
      expect(await verifyTranscript(decoder, { ...rest, tokens: wrong }, LINK)).toEqual({
        kind: "differs",
        position: tokens.length - 2,
        what: "token",
      });
    }
  });
});

import { toHex } from "../../protocol/bytes.ts";
import type { OpenEncoder } from "../../relay/models/open-model.ts";
import { fuelText } from "../quantities.ts";
import { writeAll } from "../write-all.ts";

/** What stands for 1 in a vector. */
const ONE = 32_767;

interface EmbedFlags {
  readonly prompt: string;
  readonly backend: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Prints the vector of one text: decimals for a person, the exact integers as JSON. */
export async function embedText(
  { embedder, cid }: OpenEncoder,
  { prompt, backend, json, quiet }: EmbedFlags,
  loadMs: number,
  signal: AbortSignal,
): Promise<void> {
  const begun = performance.now();
  for await (const { vector, tokens, isCut, fuel, link } of embedder.embed([prompt], signal)) {
    const encodeMs = performance.now() - begun;
    const told = {
      ok: true,
      backend,
      dims: vector.length,
      one: ONE,
      vector: Array.from(vector),
      tokens: tokens.length,
      isCut,
      fuel: fuel.toString(),
      model: cid,
      hash: toHex(link),
      ms: { load: tenths(loadMs), encode: tenths(encodeMs) },
      memoryBytes: embedder.encoder.memoryBytes,
      peakResidentBytes: process.resourceUsage().maxRSS * 1024,
    };
    const decimals = Array.from(vector, (value) => (value / ONE).toFixed(5));
    await writeAll(
      process.stdout,
      json === true ? `${JSON.stringify(told)}\n` : `[${decimals.join(", ")}]\n`,
    );
    if (json !== true && quiet !== true)
      await writeAll(
        process.stderr,
        `${vector.length} values of ${tokens.length} tokens${isCut ? ", the rest left out" : ""}, ` +
          `${tenths(encodeMs)} ms, ${fuelText(fuel)}, ${backend}\n`,
      );
  }
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}

import { fuelText } from "../quantities.ts";
import { writeAll } from "../write-all.ts";
import {
  adapterTold,
  type LocalBackend,
  memoryTold,
  type OpenedLocally,
  startTold,
  tenths,
} from "./open-local.ts";

/** Length 1 in Q15. */
const ONE = 32_768;

interface EmbedFlags {
  readonly prompt: string;
  readonly backend: LocalBackend;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Prints the vector of one text: decimals for a person, the exact integers as JSON. */
export async function embedText(
  opened: OpenedLocally,
  { prompt, backend, json, quiet }: EmbedFlags,
  signal: AbortSignal,
): Promise<void> {
  const { vector, tokens, isCut, fuel, hash, encodeMs } = await opened.model.encode(prompt, signal);
  if (json === true) {
    const told = {
      ok: true,
      backend,
      ...adapterTold(opened),
      dims: vector.length,
      one: ONE,
      vector,
      tokens,
      isCut,
      fuel,
      model: opened.model.cid,
      hash,
      ms: { ...startTold(opened), encode: tenths(encodeMs) },
      ...memoryTold(opened),
    };
    await writeAll(process.stdout, `${JSON.stringify(told)}\n`);
    return;
  }
  const decimals = vector.map((value) => (value / ONE).toFixed(5));
  await writeAll(process.stdout, `[${decimals.join(", ")}]\n`);
  if (quiet !== true)
    await writeAll(
      process.stderr,
      `${vector.length} values of ${tokens} tokens${isCut ? ", the rest left out" : ""}, ` +
        `${tenths(encodeMs)} ms, ${fuelText(BigInt(fuel))}, ${opened.computedBy}\n`,
    );
}

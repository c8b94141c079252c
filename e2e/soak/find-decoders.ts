import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const SOURCE = join(import.meta.dirname, "..", "..", "src");
/** How a decoder is declared: types of exports are written out everywhere. Pieces of decoders have other names. */
const DECLARED = /^export const (\w+(?:Schema|Message|Json)): (?:Schema|MessageType|JsonShape)</gmu;

export interface Decoder {
  /** As in "src/protocol/tariff.ts: tariffSchema". */
  readonly name: string;
  /** The schema, message type or JSON shape itself. */
  readonly value: unknown;
}

/** Every decoder that some file of the source exports, without tests. */
export async function findDecoders(): Promise<readonly Decoder[]> {
  const found: Decoder[] = [];
  for await (const path of glob("**/*.ts", { cwd: SOURCE })) {
    if (/\.(?:test|contract|bench)\.ts$/u.test(path)) continue;
    const file = join(SOURCE, path);
    const names = [...(await readFile(file, "utf8")).matchAll(DECLARED)].map(([, name = ""]) => name);
    if (names.length === 0) continue;
    const exports = (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>;
    for (const name of names) found.push({ name: `src/${path}: ${name}`, value: exports[name] });
  }
  return found;
}

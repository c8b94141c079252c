/** Committed artefacts: a module with its SHA-256 beside it, in the format of sha256sum. For Node. */
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

export interface Artefact {
  readonly wasm: Uint8Array<ArrayBuffer>;
  /** The digest that was recorded when the module was built. */
  readonly recordedSha256: string;
}

export async function readArtefact(target: URL): Promise<Artefact> {
  const wasm = Uint8Array.from(await readFile(target));
  const recorded = await readFile(`${fileURLToPath(target)}.sha256`, "utf8");
  return { wasm, recordedSha256: recorded.slice(0, 64) };
}

/** Rewrites a module and its digest, and answers with one line about it. */
export async function writeArtefact(target: URL, wasm: Uint8Array): Promise<string> {
  const name = target.pathname.split("/").at(-1) ?? "";
  await writeFile(target, wasm);
  await writeFile(`${fileURLToPath(target)}.sha256`, `${sha256(wasm)}  ${name}\n`);
  return `${name}: ${wasm.length} bytes, sha256 ${sha256(wasm)}\n`;
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/**
 * Wraps a core module as a component. For Node:
 *
 *     node examples/wrap-component.ts core.wasm text.wit utf8 component.wasm
 */
import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { componentEmbed, componentNew } from "@bytecodealliance/jco";

/** @param encoding of strings in the module's memory */
export async function wrapComponent(
  core: Uint8Array,
  wit: URL,
  encoding: "utf8" | "utf16",
): Promise<Uint8Array> {
  const embedded = await componentEmbed({
    binary: core,
    witSource: await readFile(wit, "utf8"),
    stringEncoding: encoding,
  });
  return componentNew(embedded, []);
}

if (import.meta.main) {
  const [core = "", wit = "", encoding = "", target = ""] = process.argv.slice(2);
  if (target === "" || (encoding !== "utf8" && encoding !== "utf16"))
    throw new TypeError("usage: node wrap-component.ts CORE.wasm WORLD.wit utf8|utf16 COMPONENT.wasm");
  const component = await wrapComponent(await readFile(core), pathToFileURL(resolve(wit)), encoding);
  await writeFile(target, component);
}

/** Wraps a core module as a component, as `jco embed` and `jco new` do. For Node. */
import { readFile } from "node:fs/promises";
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

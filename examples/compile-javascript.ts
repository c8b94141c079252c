import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { componentize } from "@bytecodealliance/componentize-js";

/** What the sandbox has not: a component that imports it is refused. */
const DISABLED = ["http", "fetch-event"] as const;

/** A component that holds a JavaScript engine and the source; 12 MB. @param wit of its world */
export async function compileJavaScript(source: URL, wit: URL): Promise<Uint8Array<ArrayBuffer>> {
  // The package knows the option, its types do not; the path of a WIT file it cannot read everywhere.
  const world = { witWorld: await readFile(wit, "utf8") };
  const { component } = await componentize({
    ...world,
    sourcePath: fileURLToPath(source),
    disableFeatures: [...DISABLED],
  });
  return new Uint8Array(component);
}

import { readFile } from "node:fs/promises";
import { componentize } from "@bytecodealliance/componentize-js";

/** What the sandbox has not: a component that imports it is refused. */
const DISABLED = ["http", "fetch-event"] as const;

/** A component that holds a JavaScript engine and the source; 12 MB. @param wit of its world */
export async function compileJavaScript(source: URL, wit: URL): Promise<Uint8Array<ArrayBuffer>> {
  const [script, world] = await Promise.all([readFile(source, "utf8"), readFile(wit, "utf8")]);
  const { component } = await componentize(script, world, {
    sourcePath: source.pathname,
    disableFeatures: [...DISABLED],
  });
  return new Uint8Array(component);
}

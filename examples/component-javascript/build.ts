/** `node examples/component-javascript/build.ts` writes summarise.wasm, which is too large to be kept here. */
import { writeFile } from "node:fs/promises";
import { compileJavaScript } from "../compile-javascript.ts";

const component = await compileJavaScript(
  new URL("summarise.js", import.meta.url),
  new URL("text.wit", import.meta.url),
);
await writeFile(new URL("summarise.wasm", import.meta.url), component);
process.stdout.write(`summarise.wasm: ${component.length} bytes\n`);

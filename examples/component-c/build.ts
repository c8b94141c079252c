/** `node examples/component-c/build.ts` rewrites summarise.wasm; it needs clang and lld. */
import { writeFile } from "node:fs/promises";
import { writeArtefact } from "../artefact.ts";
import { compileC, findToolchain } from "../compile-c.ts";
import { wrapComponent } from "../wrap-component.ts";

const toolchain = await findToolchain("bare");
if (toolchain === undefined) {
  process.stdout.write("summarise.wasm: left as it is, for clang or wasm-ld is missing\n");
} else {
  const core = await compileC(new URL("summarise.c", import.meta.url), "bare");
  const component = await wrapComponent(core, new URL("text.wit", import.meta.url), "utf8");
  process.stdout.write(await writeArtefact(new URL("summarise.wasm", import.meta.url), component));
  await writeFile(new URL("summarise.wasm.toolchain", import.meta.url), `${toolchain}\n`);
}

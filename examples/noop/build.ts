/** `node examples/noop/build.ts` rewrites noop.wasm and, where clang can, noop-c.wasm. */
import { writeFile } from "node:fs/promises";
import { writeArtefact } from "../artefact.ts";
import { compileAssemblyScript } from "../compile-assemblyscript.ts";
import { compileC, findToolchain } from "../compile-c.ts";

const wasm = await compileAssemblyScript(new URL("noop.as.ts", import.meta.url));
process.stdout.write(await writeArtefact(new URL("noop.wasm", import.meta.url), wasm));

const toolchain = await findToolchain("bare");
if (toolchain === undefined) {
  process.stdout.write("noop-c.wasm: left as it is, for clang or wasm-ld is missing\n");
} else {
  const target = new URL("noop-c.wasm", import.meta.url);
  process.stdout.write(
    await writeArtefact(target, await compileC(new URL("noop.c", import.meta.url), "bare")),
  );
  await writeFile(new URL("noop-c.wasm.toolchain", import.meta.url), `${toolchain}\n`);
}

/** `npx node examples/pipeline/build.ts` rewrites rank.wasm, mind.wasm and, where there is Debian's clang with wasi-libc, split.wasm. */
import { writeFile } from "node:fs/promises";
import { writeArtefact } from "../artefact.ts";
import { compileAssemblyScript } from "../compile-assemblyscript.ts";
import { compileC, findToolchain } from "../compile-c.ts";

const sources = [
  [new URL("rank.as.ts", import.meta.url), new URL("rank.wasm", import.meta.url)],
  [new URL("mind.as.ts", import.meta.url), new URL("mind.wasm", import.meta.url)],
] as const;
for (const [source, target] of sources) {
  // oxlint-disable-next-line no-await-in-loop -- the compiler does one at a time
  process.stdout.write(await writeArtefact(target, await compileAssemblyScript(source)));
}

const toolchain = await findToolchain("wasi");
if (toolchain === undefined) {
  process.stdout.write(
    "split.wasm: left as it is; apt-get install clang lld wasi-libc libclang-rt-14-dev-wasm32\n",
  );
} else {
  const target = new URL("split.wasm", import.meta.url);
  process.stdout.write(
    await writeArtefact(target, await compileC(new URL("split.c", import.meta.url), "wasi")),
  );
  await writeFile(new URL("split.wasm.toolchain", import.meta.url), `${toolchain}\n`);
}

/** `npx node examples/pipeline/build.ts` rewrites rank.wasm and, where there is Debian's clang with wasi-libc, split.wasm. */
import { writeFile } from "node:fs/promises";
import { writeArtefact } from "../artefact.ts";
import { compileAssemblyScript } from "../compile-assemblyscript.ts";
import { compileC, findToolchain } from "../compile-c.ts";

const rank = await compileAssemblyScript(new URL("rank.as.ts", import.meta.url));
process.stdout.write(await writeArtefact(new URL("rank.wasm", import.meta.url), rank));

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

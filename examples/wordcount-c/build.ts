/** `node examples/wordcount-c/build.ts` rewrites wordcount.wasm; it needs Debian's clang, lld and wasi-libc. */
import { writeFile } from "node:fs/promises";
import { writeArtefact } from "../artefact.ts";
import { compileC, findToolchain } from "../compile-c.ts";

const toolchain = await findToolchain("wasi");
if (toolchain === undefined) {
  process.stdout.write(
    "wordcount.wasm: left as it is; apt-get install clang lld wasi-libc libclang-rt-14-dev-wasm32\n",
  );
} else {
  const target = new URL("wordcount.wasm", import.meta.url);
  process.stdout.write(
    await writeArtefact(target, await compileC(new URL("wordcount.c", import.meta.url), "wasi")),
  );
  await writeFile(new URL("wordcount.wasm.toolchain", import.meta.url), `${toolchain}\n`);
}

/** `node bench/kernels/build.ts` compiles the kernels; it needs Debian's clang and lld. */
import { writeFile } from "node:fs/promises";
import { writeArtefact } from "../../examples/artefact.ts";
import { compileC, findToolchain } from "../../examples/compile-c.ts";
import { KERNELS, kernelUrl } from "./kernels.ts";

const toolchain = await findToolchain("bare");
if (toolchain === undefined) {
  process.stdout.write("the kernels are left as they are; apt-get install clang lld\n");
} else {
  for (const { name } of KERNELS) {
    const wasm = await compileC(kernelUrl(name, "c"), "bare");
    process.stdout.write(await writeArtefact(kernelUrl(name, "wasm"), wasm));
  }
  await writeFile(new URL("toolchain", import.meta.url), `${toolchain}\n`);
}

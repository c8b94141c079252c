/** `node examples/component-assemblyscript/build.ts` rewrites summarise.wasm. */
import { writeArtefact } from "../artefact.ts";
import { compileAssemblyScript } from "../compile-assemblyscript.ts";
import { wrapComponent } from "../wrap-component.ts";

const core = await compileAssemblyScript(new URL("summarise.as.ts", import.meta.url));
const component = await wrapComponent(core, new URL("text.wit", import.meta.url), "utf16");
process.stdout.write(await writeArtefact(new URL("summarise.wasm", import.meta.url), component));

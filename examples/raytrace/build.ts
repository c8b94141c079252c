/** `node examples/raytrace/build.ts` compiles the tracer and rewrites raytrace.wasm and its SHA-256. */
import { writeArtefact } from "../artefact.ts";
import { compileAssemblyScript } from "../compile-assemblyscript.ts";

const wasm = await compileAssemblyScript(new URL("tracer/raytrace.as.ts", import.meta.url));
process.stdout.write(await writeArtefact(new URL("raytrace.wasm", import.meta.url), wasm));

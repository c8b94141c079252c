/** Compiles an AssemblyScript function the one way the committed artefacts are made. For Node. */
import { fileURLToPath } from "node:url";
import { main } from "assemblyscript/asc";

/** No garbage collector and no imports: an instance lives for one task, and a failed allocation traps. */
const FLAGS = ["--runtime", "stub", "--use", "abort=", "-O3", "--noAssert", "--converge"] as const;

/** The module's bytes, which depend only on the source and on the locked compiler. Throws with the diagnostics. */
export async function compileAssemblyScript(source: URL): Promise<Uint8Array> {
  const outputs = new Map<string, Uint8Array>();
  const diagnostics: string[] = [];
  const { error } = await main([fileURLToPath(source), ...FLAGS, "--outFile", "out.wasm"], {
    writeFile: (name, contents) => {
      outputs.set(name, typeof contents === "string" ? new TextEncoder().encode(contents) : contents);
    },
    stderr: { write: (text) => diagnostics.push(String(text)) > 0 },
  });
  const wasm = outputs.get("out.wasm");
  if (error !== null || wasm === undefined) {
    throw new Error(`asc failed on ${source.pathname}\n${diagnostics.join("")}`, { cause: error });
  }
  return wasm;
}

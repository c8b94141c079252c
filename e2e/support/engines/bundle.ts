import { fileURLToPath } from "node:url";
import { build } from "vite";

/** One script without imports, of an entry beside this file. */
export async function bundle(entry: "jsc-main.ts" | "worker-main.ts"): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: "error",
    build: {
      write: false,
      minify: false,
      target: "es2023",
      lib: { entry: fileURLToPath(new URL(entry, import.meta.url)), formats: ["es"] },
    },
  });
  const outputs = Array.isArray(built) ? built : "output" in built ? [built] : [];
  const [chunk] = outputs.flatMap(({ output }) => output);
  if (chunk?.type !== "chunk") throw new Error(`${entry} was not built to one script`);
  return chunk.code;
}

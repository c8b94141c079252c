/**
 * Compiles the kernels: `node src/inference/wasm/build.contract.ts` rewrites modules/. For Node, with clang, wasm-ld and wabt;
 * the bytes depend on their versions, which are recorded beside.
 */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import loadWabt from "wabt";

export const BUILDS = ["baseline", "relaxed"] as const;
export type Build = (typeof BUILDS)[number];

const SOURCE = fileURLToPath(new URL("kernels/llama.c", import.meta.url));
const COMPILER_FLAGS = [
  "--target=wasm32",
  "-ffreestanding",
  "-O3",
  "-msimd128",
  "-mbulk-memory",
  "-Wall",
  "-Wextra",
  "-Werror",
  "-c",
] as const;
/** The stack holds no array larger than a tile of sums. */
const LINKER_FLAGS = ["--no-entry", "--import-memory", "--strip-all", "-z", "stack-size=16384"] as const;

const run = promisify(execFile);

/** What decides the bytes, as one line; undefined when something is missing. */
export async function findKernelToolchain(): Promise<string | undefined> {
  try {
    const { stdout: clang } = await run("clang", ["--version"]);
    const { stdout: lld } = await run("wasm-ld", ["--version"]);
    return [clang.split("\n")[0] ?? "", lld.trim()].join("; ");
  } catch {
    return undefined;
  }
}

export async function compileKernels(build: Build): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), "tabmesh-kernels-"));
  const object = join(folder, "out.o");
  const target = join(folder, "out.wasm");
  try {
    const variant = build === "relaxed" ? ["-DRELAXED"] : [];
    await run("clang", [...COMPILER_FLAGS, ...variant, "-o", object, SOURCE]);
    // Not through clang: that runs whatever wasm-opt it finds.
    await run("wasm-ld", [...LINKER_FLAGS, "-o", target, object]);
    const bytes = Uint8Array.from(await readFile(target));
    return build === "relaxed" ? await withRelaxedDot(bytes) : bytes;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Puts the instruction in the place of calls of the import `instruction.dot`, which clang had no name for. */
async function withRelaxedDot(bytes: Uint8Array): Promise<Uint8Array> {
  const wabt = await loadWabt();
  const features = { simd: true, relaxed_simd: true, bulk_memory: true, mutable_globals: true };
  const module = wabt.readWasm(bytes, { ...features, readDebugNames: false });
  module.generateNames();
  module.applyNames();
  const text = module.toText({ foldExprs: false, inlineExport: false });
  module.destroy();
  const line = /^.*\(import "instruction" "dot" \(func (\$\S+).*$/m.exec(text);
  if (line?.[1] === undefined) throw new Error("no product is left to an instruction");
  const patched = text
    .replace(line[0], "")
    .replaceAll(`call ${line[1]}\n`, "i32x4.relaxed_dot_i8x16_i7x16_add_s\n");
  const parsed = wabt.parseWat("kernels.wat", patched, features);
  const { buffer } = parsed.toBinary({ write_debug_names: false });
  parsed.destroy();
  return Uint8Array.from(buffer);
}

/** The file that embeds a module. */
export function moduleSource(build: Build, bytes: Uint8Array, toolchain: string): string {
  return [
    `/** Made by build.contract.ts from kernels/ with ${toolchain}. Base64. */`,
    "// oxfmt-ignore",
    `export const ${build}Module: string = "${Buffer.from(bytes).toString("base64")}";`,
    "",
  ].join("\n");
}

export function moduleUrl(build: Build): URL {
  return new URL(`modules/${build}.ts`, import.meta.url);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const toolchain = await findKernelToolchain();
  if (toolchain === undefined) throw new Error("clang or wasm-ld is missing");
  for (const build of BUILDS) {
    // oxlint-disable-next-line no-await-in-loop -- one compiler at a time
    const bytes = await compileKernels(build);
    // oxlint-disable-next-line no-await-in-loop
    await writeFile(moduleUrl(build), moduleSource(build, bytes, toolchain));
    process.stdout.write(`${build}: ${bytes.length} bytes\n`);
  }
}

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
/** Each is a file of kernels/, and a module of its own. */
export const PROGRAMS = ["llama", "encoder"] as const;
export type Program = (typeof PROGRAMS)[number];

const COMPILER_FLAGS = [
  "--target=wasm32",
  "-ffreestanding",
  "-O3",
  "-msimd128",
  "-mbulk-memory",
  "-mmutable-globals",
  "-Wall",
  "-Wextra",
  "-Werror",
  // Headers serve several programs.
  "-Wno-unused-function",
  "-c",
] as const;
/** The stack holds no array larger than a tile of sums. */
const LINKER_FLAGS = [
  "--no-entry",
  "--import-memory",
  "--max-memory=4294967296",
  "--strip-all",
  "-z",
  "stack-size=16384",
] as const;

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

export async function compileKernels(program: Program, build: Build): Promise<Uint8Array> {
  const source = fileURLToPath(new URL(`kernels/${program}.c`, import.meta.url));
  const folder = await mkdtemp(join(tmpdir(), "tabmesh-kernels-"));
  const object = join(folder, "out.o");
  const target = join(folder, "out.wasm");
  try {
    const variant = build === "relaxed" ? ["-DRELAXED"] : [];
    await run("clang", [...COMPILER_FLAGS, ...variant, "-o", object, source]);
    // Not through clang: that runs whatever wasm-opt it finds.
    await run("wasm-ld", [...LINKER_FLAGS, "-o", target, object]);
    const bytes = Uint8Array.from(await readFile(target));
    return await patched(bytes);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const FEATURES = { simd: true, relaxed_simd: true, bulk_memory: true, mutable_globals: true } as const;

/** Does by text what this clang cannot. */
async function patched(bytes: Uint8Array): Promise<Uint8Array> {
  const wabt = await loadWabt();
  const module = wabt.readWasm(bytes, { ...FEATURES, readDebugNames: false });
  module.generateNames();
  module.applyNames();
  const text = module.toText({ foldExprs: false, inlineExport: false });
  module.destroy();
  const parsed = wabt.parseWat("kernels.wat", withOffsets(withRelaxedDot(text)), FEATURES);
  const { buffer } = parsed.toBinary({ write_debug_names: false });
  parsed.destroy();
  return Uint8Array.from(buffer);
}

/** The instruction in the place of calls of the import `instruction.dot`: clang has no name for it. */
function withRelaxedDot(text: string): string {
  const line = /^.*\(import "instruction" "dot" \(func (\$\S+).*$/m.exec(text);
  if (line?.[1] === undefined) return text;
  return text.replace(line[0], "").replaceAll(`call ${line[1]}\n`, "i32x4.relaxed_dot_i8x16_i7x16_add_s\n");
}

/** Constants that are added to addresses become part of the load: no address of the kernels wraps at 2^32, as clang must fear. */
function withOffsets(text: string): string {
  return text.replaceAll(
    /i32\.const (\d+)\n\s*i32\.add\n(\s*)(v128\.load[0-9a-z_]*)( align=\d+)?\n/g,
    (_, offset: string, space: string, load: string, alignment: string | undefined) =>
      `${space}${load} offset=${offset}${alignment ?? ""}\n`,
  );
}

/** The file that embeds a module. */
export function moduleSource(program: Program, build: Build, bytes: Uint8Array, toolchain: string): string {
  const name = program === "llama" ? `${build}Module` : `${build}EncoderModule`;
  return [
    `/** Made by build.contract.ts from kernels/ with ${toolchain}. Base64. */`,
    "// oxfmt-ignore",
    `export const ${name}: string = "${Buffer.from(bytes).toString("base64")}";`,
    "",
  ].join("\n");
}

export function moduleUrl(program: Program, build: Build): URL {
  return new URL(`modules/${program === "llama" ? build : `encoder-${build}`}.ts`, import.meta.url);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const toolchain = await findKernelToolchain();
  if (toolchain === undefined) throw new Error("clang or wasm-ld is missing");
  for (const program of PROGRAMS)
    for (const build of BUILDS) {
      // oxlint-disable-next-line no-await-in-loop -- one compiler at a time
      const bytes = await compileKernels(program, build);
      // oxlint-disable-next-line no-await-in-loop
      await writeFile(moduleUrl(program, build), moduleSource(program, build, bytes, toolchain));
      process.stdout.write(`${program}, ${build}: ${bytes.length} bytes\n`);
    }
}

/**
 * Compiles a C function with clang, where there is one that can: the bytes depend on the versions of clang, lld and
 * wasi-libc, so each artefact records the toolchain that made it. For Node.
 */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { sha256 } from "./artefact.ts";

/** `bare` has no library and the ABI "bytes-1"; `wasi` is a WASI preview 1 command with wasi-libc. */
export type CKind = "bare" | "wasi";

const FLAGS = {
  bare: ["--target=wasm32", "-nostdlib", "-Wl,--no-entry"],
  wasi: ["--target=wasm32-wasi", "--sysroot=/usr"],
} as const;

/** Where Debian's wasi-libc has its library. */
const WASI_LIBC = "/usr/lib/wasm32-wasi/libc.a";

/** Without the folders of npm's programs: clang would run the wasm-opt that it finds there over what it has linked. */
const PATH = (process.env["PATH"] ?? "")
  .split(delimiter)
  .filter((folder) => !folder.endsWith(join("node_modules", ".bin")))
  .join(delimiter);

const execute = promisify(execFile);

function run(program: string, args: readonly string[]): Promise<{ readonly stdout: string }> {
  return execute(program, args, { env: { ...process.env, PATH } });
}

/** What decides the bytes, as one line; undefined when something is missing. */
export async function findToolchain(kind: CKind): Promise<string | undefined> {
  try {
    const { stdout: clang } = await run("clang", ["--version"]);
    const { stdout: lld } = await run("wasm-ld", ["--version"]);
    const parts = [clang.split("\n")[0] ?? "", lld.trim()];
    if (kind === "wasi") parts.push(`wasi-libc ${sha256(await readFile(WASI_LIBC)).slice(0, 16)}`);
    return parts.join("; ");
  } catch {
    return undefined;
  }
}

/** The module's bytes. Throws with the compiler's words when it fails. */
export async function compileC(source: URL, kind: CKind): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), "tabmesh-c-"));
  const target = join(folder, "out.wasm");
  try {
    const strict = ["-O2", "-Wall", "-Wextra", "-Werror", "-Wl,--strip-all"];
    await run("clang", [...FLAGS[kind], ...strict, "-o", target, fileURLToPath(source)]);
    return Uint8Array.from(await readFile(target));
  } finally {
    await rm(folder, { recursive: true });
  }
}

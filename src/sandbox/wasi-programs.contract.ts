/* The programs of the WASI test suite with what they expect, in the folder beside the repository. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { TaskArgs, TaskFile } from "./task.ts";

const SUITE = new URL("../../../shared/conformance/wasi-p1/", import.meta.url);

export const HAS_WASI_SUITE: boolean = existsSync(SUITE);

export interface WasiExpectation {
  readonly args?: readonly string[];
  readonly env?: Record<string, string>;
  /** Folder that is the program's root directory. */
  readonly root?: string;
  readonly exit_code?: number;
  readonly stdout?: string;
}

/** Names, as in "c/clock_getres.wasm", and where they are; none where the suite is missing. */
export function wasiPrograms(): readonly (readonly [name: string, program: URL])[] {
  if (!HAS_WASI_SUITE) return [];
  return ["assemblyscript/", "c/"].flatMap((folder) =>
    readdirSync(new URL(folder, SUITE))
      .filter((name) => name.endsWith(".wasm"))
      .map((name) => [`${folder}${name}`, new URL(folder + name, SUITE)] as const),
  );
}

export function wasiExpectation(program: URL): WasiExpectation {
  const file = new URL(program.href.replace(/\.wasm$/, ".json"));
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
}

/** What the program is given. */
export function wasiArgs(program: URL, { args = [], env = {}, root }: WasiExpectation): TaskArgs {
  return { args, env, files: root === undefined ? [] : filesOf(new URL(`${root}/`, program)) };
}

function filesOf(folder: URL, path = ""): readonly TaskFile[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const below = new URL(`${entry.name}${entry.isDirectory() ? "/" : ""}`, folder);
    if (entry.isDirectory()) return filesOf(below, `${path}${entry.name}/`);
    return [{ path: `${path}${entry.name}`, bytes: new Uint8Array(readFileSync(below)) }];
  });
}

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { draw } from "../../../e2e/soak/chance.ts";
import { generateProgram } from "./generate-program.contract.ts";
import { writeProgram } from "./program.contract.ts";

export interface CorruptSubject {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const ROOT = new URL("../../../", import.meta.url);
const SUITE = new URL("../shared/conformance/wasi-p1/", ROOT);

/** Larger ones cost too much time per mutation. */
const MOST_BYTES = 120_000;
const GENERATED = 24;

/** Modules made by compilers, modules made at random, and modules of the WASI suite where it is. */
export function corruptSubjects(): readonly CorruptSubject[] {
  const folders = ["examples/noop/", "examples/raytrace/", "examples/wordcount-c/", "bench/kernels/"];
  const found = [
    ...folders.map((folder) => new URL(folder, ROOT)),
    ...["assemblyscript/", "c/"].map((folder) => new URL(folder, SUITE)),
  ].flatMap((folder) => (existsSync(folder) ? modulesIn(folder) : []));
  const generated = Array.from({ length: GENERATED }, (_, round) => ({
    name: `program ${round}`,
    bytes: writeProgram(
      generateProgram(draw("corrupt-subjects", round), { tailCalls: true, vectors: round % 2 === 0 }),
    ),
  }));
  return [...found.filter(({ bytes }) => bytes.length <= MOST_BYTES), ...generated];
}

function modulesIn(folder: URL): CorruptSubject[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".wasm"))
    .map((name) => ({ name, bytes: new Uint8Array(readFileSync(new URL(name, folder))) }));
}

/** An interpreter of 270 kB, which meets every limit of size by another way. */
export function largeSubject(): CorruptSubject {
  const url = new URL("node_modules/wasmoon/dist/glue.wasm", ROOT);
  return { name: "glue.wasm", bytes: new Uint8Array(readFileSync(url)) };
}

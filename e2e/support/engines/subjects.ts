import { existsSync, readdirSync, readFileSync } from "node:fs";
import { encodeScene, tileInputs } from "../../../examples/raytrace/scene.ts";
import { toHex } from "../../../src/protocol/bytes.ts";
import { tries } from "../../../src/protocol/tries.contract.ts";
import { foldings } from "../../../src/sandbox/proof/constants.contract.ts";
import { escapes } from "../../../src/sandbox/proof/escapes.contract.ts";
import { generateProgram } from "../../../src/sandbox/proof/generate-program.contract.ts";
import { tortures } from "../../../src/sandbox/proof/nan-torture.contract.ts";
import { writeProgram } from "../../../src/sandbox/proof/program.contract.ts";
import { wat } from "../../../src/sandbox/wat.contract.ts";
import { draw } from "../../soak/chance.ts";
import { ENGINE_CASES } from "../engine-cases.ts";
import type { Subject } from "./answers.ts";

const ROOT = new URL("../../../", import.meta.url);
/** Programs of the WASI test suite, in the folder beside the repository. */
const SUITE = new URL("../shared/conformance/wasi-p1/", ROOT);
const GENERATED: number = tries(200);

type Wanted = Partial<Omit<Subject, "module">> & { readonly says: string; readonly module: Uint8Array };

function subject({ module, ...rest }: Wanted): Subject {
  return {
    module: toHex(module),
    abi: "bytes-1",
    entry: "",
    args: [],
    env: {},
    files: [],
    input: "",
    fuel: "1000000000",
    memoryBytes: 64 * 1024 * 1024,
    outputBytes: 1024 * 1024,
    ...rest,
  };
}

function read(url: URL): Uint8Array {
  return new Uint8Array(readFileSync(url));
}

function exampleSubjects(): Subject[] {
  const folder = new URL("examples/raytrace/", ROOT);
  const scene = encodeScene(JSON.parse(readFileSync(new URL("scenes/studio.json", folder), "utf8")));
  const picture = { width: 96, height: 54, tilesX: 4, tilesY: 2, samples: 4 };
  const raytrace = read(new URL("raytrace.wasm", folder));
  const words = "the quick brown fox\njumps over\n".repeat(200);
  return [
    ...tileInputs(scene, picture).map(({ bytes }, tile) =>
      subject({ says: `raytrace, tile ${tile}`, module: raytrace, input: toHex(bytes) }),
    ),
    ...["noop.wasm", "noop-c.wasm"].map((name) =>
      subject({ says: name, module: read(new URL(`examples/noop/${name}`, ROOT)), input: "0102030405" }),
    ),
    subject({
      says: "wordcount",
      module: read(new URL("examples/wordcount-c/wordcount.wasm", ROOT)),
      abi: "wasi-p1",
      input: toHex(new TextEncoder().encode(words)),
    }),
  ];
}

function filesBelow(folder: URL, path = ""): { path: string; hex: string }[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const below = new URL(`${entry.name}${entry.isDirectory() ? "/" : ""}`, folder);
    if (entry.isDirectory()) return filesBelow(below, `${path}${entry.name}/`);
    return [{ path: `${path}${entry.name}`, hex: toHex(read(below)) }];
  });
}

interface Expectation {
  readonly args?: readonly string[];
  readonly env?: Record<string, string>;
  readonly root?: string;
}

function wasiSubjects(): Subject[] {
  if (!existsSync(SUITE)) return [];
  return ["assemblyscript/", "c/"].flatMap((folder) =>
    readdirSync(new URL(folder, SUITE))
      .filter((name) => name.endsWith(".wasm"))
      .map((name) => {
        const program = new URL(folder + name, SUITE);
        const file = new URL(program.href.replace(/\.wasm$/u, ".json"));
        const wanted: Expectation = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
        return subject({
          says: `WASI suite, ${folder}${name}`,
          module: read(program),
          abi: "wasi-p1",
          args: wanted.args ?? [],
          env: wanted.env ?? {},
          files: wanted.root === undefined ? [] : filesBelow(new URL(`${wanted.root}/`, program)),
        });
      }),
  );
}

function abiOf(text: string): Subject["abi"] {
  return text.includes("wasi_snapshot_preview1") ? "wasi-p1" : "bytes-1";
}

async function caseSubjects(): Promise<Subject[]> {
  const cases = await Promise.all(
    ENGINE_CASES.map(async ({ says, wat: text, fuel, memoryBytes, outputBytes }) =>
      subject({
        says,
        module: await wat(text),
        abi: abiOf(text),
        input: "01",
        ...(fuel === undefined ? {} : { fuel: fuel.toString() }),
        ...(memoryBytes === undefined ? {} : { memoryBytes }),
        ...(outputBytes === undefined ? {} : { outputBytes }),
      }),
    ),
  );
  const attempts = (await escapes()).map(({ says, module, abi, entry = "", limits, input }) =>
    subject({
      says,
      module,
      abi: abi ?? "bytes-1",
      entry,
      input: toHex(input ?? new Uint8Array(0)),
      fuel: (limits?.fuel ?? 3_000_000n).toString(),
      ...(limits?.memoryBytes === undefined ? {} : { memoryBytes: limits.memoryBytes }),
    }),
  );
  return [...cases, ...attempts];
}

function programSubjects(): Subject[] {
  const features = { tailCalls: true, vectors: true };
  return [
    ...[...tortures(), ...foldings()].map(({ says, program }) =>
      subject({ says, module: writeProgram(program) }),
    ),
    ...Array.from({ length: GENERATED }, (_, round) =>
      subject({
        says: `program ${round}`,
        module: writeProgram(generateProgram(draw("engines", round), features)),
      }),
    ),
  ];
}

/** What all engines must do alike: examples, programs of the WASI suite, every way to end, attempts to escape, floats. */
export async function engineSubjects(): Promise<readonly Subject[]> {
  return [...exampleSubjects(), ...wasiSubjects(), ...(await caseSubjects()), ...programSubjects()];
}

import { BYTES_IMPORTS } from "../abi/bytes-1.ts";
import { WASI_IMPORTS } from "../abi/wasi-p1.ts";
import type { Abi } from "../task.ts";
import type { ModuleOutline, OutlineExport, OutlineImport } from "./module-outline.ts";

/** What an interface asks of a module. Types in letters, see signatureOf. */
interface Interface {
  readonly abi: Abi;
  readonly imports: ReadonlyMap<string, string>;
  /** Besides a memory named "memory"; the first is what a job calls where it names no other. */
  readonly exports: readonly (readonly [name: string, type: string])[];
}

const INTERFACES: readonly Interface[] = [
  { abi: "wasi-p1", imports: WASI_IMPORTS, exports: [["_start", ":"]] },
  {
    abi: "bytes-1",
    imports: BYTES_IMPORTS,
    exports: [
      ["tabmesh_run", "ii:I"],
      ["tabmesh_alloc", "i:i"],
    ],
  },
];

/** How a module and one interface go together. */
export interface InterfaceFit {
  readonly abi: Abi;
  readonly fits: boolean;
  /** What it imports that the interface does not offer. */
  readonly importProblems: readonly string[];
  /** What it does not export that the interface asks for. */
  readonly exportProblems: readonly string[];
}

/** @param entry exported function that the job would call; "" for the interface's usual one */
export function fitsOf(outline: ModuleOutline, entry: string): readonly InterfaceFit[] {
  return INTERFACES.map(({ abi, imports, exports }) => {
    const importProblems = outline.imports.flatMap((each) => importProblem(each, imports) ?? []);
    const wanted = exports.map(
      ([name, type], place) => [place === 0 && entry !== "" ? entry : name, type] as const,
    );
    const exportProblems = [
      ...(outline.exports.some(isMemory) ? [] : ["there is no exported memory"]),
      ...wanted.flatMap(([name, type]) => exportProblem(outline, name, type) ?? []),
    ];
    return { abi, fits: importProblems.length + exportProblems.length === 0, importProblems, exportProblems };
  });
}

function isMemory({ name, kind }: OutlineExport): boolean {
  return kind === "memory" && name === "memory";
}

/** Interfaces that offer what is imported. */
export function abisOffering(each: OutlineImport): readonly Abi[] {
  return INTERFACES.filter(({ imports }) => importProblem(each, imports) === undefined).map(({ abi }) => abi);
}

/** Why an import is on no interface's list. */
export function refusalOfImport(each: OutlineImport): string {
  const problems = INTERFACES.flatMap(({ imports }) => importProblem(each, imports) ?? []);
  // That the type differs says more than that the name is unknown elsewhere.
  return problems.find((problem) => problem !== nameOf(each)) ?? nameOf(each);
}

function nameOf({ module, name, kind }: OutlineImport): string {
  if (module === "" && kind === "instance") return name;
  return kind === "function" ? `${module}.${name}` : `${module}.${name}, a ${kind}`;
}

function importProblem(each: OutlineImport, imports: ReadonlyMap<string, string>): string | undefined {
  const wanted = imports.get(`${each.module}.${each.name}`);
  if (wanted === undefined || each.kind !== "function") return nameOf(each);
  if (typeText(wanted) === each.type) return undefined;
  return `${nameOf(each)} has the type ${each.type}, not ${typeText(wanted)}`;
}

function exportProblem({ exports }: ModuleOutline, name: string, wanted: string): string | undefined {
  const found = exports.find((each) => each.name === name && each.kind === "function");
  if (found === undefined) return `there is no exported function ${name}`;
  if (found.type === typeText(wanted)) return undefined;
  return `${name} has the type ${found.type}, not ${typeText(wanted)}`;
}

const LETTERS: ReadonlyMap<string, string> = new Map([
  ["i", "i32"],
  ["I", "i64"],
  ["f", "f32"],
  ["F", "f64"],
  ["v", "v128"],
]);

/** A type in letters as it is written for people: "ii:I" is "(i32, i32) -> i64". */
function typeText(letters: string): string {
  const [parameters = [], results = []] = letters
    .split(":")
    .map((list) => Array.from(list, (letter) => LETTERS.get(letter) ?? "ref"));
  return `(${parameters.join(", ")}) -> ${results.length === 1 ? results[0] : `(${results.join(", ")})`}`;
}

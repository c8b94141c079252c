import type { Inspection } from "../../provider/workbench.ts";
import { bytesText } from "./model-words.ts";
import { countText, counted } from "./quantities.ts";

/** What an interface is called here. */
const ABI_NAMES: ReadonlyMap<string, string> = new Map([
  ["wasi-p1", "WASI program"],
  ["bytes-1", "bytes in, bytes out"],
  ["component-1", "component"],
]);

export function abiWords(abi: string): string {
  return ABI_NAMES.get(abi) ?? abi;
}

/** Time a task took: "0.8 ms", "12 ms", "3.4 s". */
export function tookText(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

const PAGE_BYTES = 65_536;

/** What a function is, fact by fact. */
export function functionFacts(inspection: Inspection): readonly (readonly [name: string, value: string])[] {
  const { bytes, kind, interfaces, outline, imports, meteredBytes } = inspection;
  const fitting = interfaces.filter(({ fits }) => fits).map(({ abi }) => abiWords(abi));
  const [memory] = outline.memories;
  const most = memory?.maximum;
  return [
    ["Kind", fitting.length > 0 ? fitting.join(", ") : kind === "unknown" ? "not WebAssembly" : kind],
    ["Size", bytesText(bytes)],
    ...(meteredBytes === undefined ? [] : ([["With its meter", bytesText(meteredBytes)]] as const)),
    ["Functions", countText(outline.functions - outline.importedFunctions)],
    ["Asks for", imports.length === 0 ? "nothing from outside" : counted(imports.length, "import")],
    ...(memory === undefined
      ? []
      : ([
          [
            "Memory",
            `${bytesText(memory.minimum * PAGE_BYTES)} to start${most === undefined ? "" : `, at most ${bytesText(most * PAGE_BYTES)}`}`,
          ],
        ] as const)),
  ];
}

/** The verdict in a chip and a sentence. */
export function verdictSentence({ verdict, kind }: Inspection): string {
  if (verdict === "accepted")
    return "It fits. Every tab of this relay can run it, and meter it to the instruction.";
  return kind === "unknown"
    ? "This is not a WebAssembly file. Compile your program to .wasm first."
    : "The sandbox does not take it. Here is everything that stands against it:";
}

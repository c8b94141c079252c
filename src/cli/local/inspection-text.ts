import type { Inspection } from "../../relay/threads/function-file.ts";
import { bytesText, countText } from "../quantities.ts";

/** An inspection as a person reads it: tables in aligned columns. */

const PAGE_BYTES = 65_536;
const SHOWN_EXPORTS = 40;

/** Characters that could steer a terminal are shown as what they are: names in a module are a stranger's text. */
function shown(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (letter) => {
    return `\\u{${(letter.codePointAt(0) ?? 0).toString(16)}}`;
  });
}

function table(title: string, rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "";
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length)),
  );
  const lines = rows.map((row) => {
    const cells = row.map((cell, column) => cell.padEnd(widths[column] ?? 0));
    return `  ${cells.join("  ")}`.trimEnd();
  });
  return `${title}\n${lines.join("\n")}\n`;
}

function pagesText(pages: number): string {
  return `${countText(pages, "page")} (${bytesText(pages * PAGE_BYTES)})`;
}

function memoryText({ outline }: Inspection): string {
  const texts = outline.memories.map(({ imported, minimum, maximum }) => {
    const most = maximum === undefined ? "no maximum" : `at most ${pagesText(maximum)}`;
    return `${imported ? "imported, " : ""}${pagesText(minimum)} to start, ${most}`;
  });
  return texts.length === 0 ? "none" : texts.join("; ");
}

function tablesText({ outline }: Inspection): string {
  const texts = outline.tables.map(({ imported, minimum, maximum }) => {
    const most = maximum === undefined ? "no maximum" : `at most ${maximum}`;
    return `${imported ? "imported, " : ""}${minimum} to start, ${most}`;
  });
  return texts.length === 0 ? "none" : texts.join("; ");
}

function growthText(before: number, after: number): string {
  const percent = Math.round((after / Math.max(1, before) - 1) * 100);
  return `${bytesText(after)} (${percent >= 0 ? "+" : ""}${percent} %)`;
}

function facts(inspection: Inspection): string {
  const { outline, bytes, cid, meteredBytes } = inspection;
  const { codeBytes, dataBytes, customBytes, functions, importedFunctions, features, coreModules } = outline;
  return table("facts", [
    ["CID", cid],
    [
      "size",
      `${bytesText(bytes)}: code ${bytesText(codeBytes)}, data ${bytesText(dataBytes)}, custom ${bytesText(customBytes)}`,
    ],
    ...(meteredBytes === undefined ? [] : [["metered", growthText(bytes, meteredBytes)]]),
    ...(coreModules === undefined ? [] : [["modules", String(coreModules)]]),
    ["functions", `${functions - importedFunctions} of its own, ${importedFunctions} imported`],
    ["memory", memoryText(inspection)],
    ["tables", tablesText(inspection)],
    ["start", outline.hasStart ? "a start function" : "no start function"],
    [
      "names",
      outline.hasNames ? "functions are named, so traps have readable stacks" : "functions have no names",
    ],
    ["extensions", features.length === 0 ? "none" : features.join(", ")],
    ...(outline.isComplete ? [] : [["unread", "some of it could not be read; parts may be missing here"]]),
  ]);
}

function importRows({ imports }: Inspection): readonly (readonly string[])[] {
  return imports.map(({ module, name, kind, type, abis }) => [
    shown(module === "" ? name : `${module}.${name}`),
    type === "" ? kind : type,
    abis.length === 0 ? "REFUSED" : abis.join(", "),
  ]);
}

function exportRows({ outline }: Inspection): readonly (readonly string[])[] {
  const rows = outline.exports
    .slice(0, SHOWN_EXPORTS)
    .map(({ name, kind, type }) => [shown(name), kind, type]);
  const left = outline.exports.length - rows.length;
  return left === 0 ? rows : [...rows, [`and ${left} more`, "", ""]];
}

function interfaceRows({ interfaces }: Inspection): readonly (readonly string[])[] {
  return interfaces.map(({ abi, fits, importProblems, exportProblems }) => {
    const [first = "", ...others] = [
      ...importProblems.map((problem) => `it imports ${problem}`),
      ...exportProblems,
    ].map(shown);
    const more = others.length === 0 ? "" : `, and ${others.length} more`;
    return [abi, fits ? "fits" : "does not fit", `${first}${more}`];
  });
}

/** @param file as the person called it @param profile number of the profile that judged */
export function inspectionText(file: string, inspection: Inspection, profile: number): string {
  const { verdict, reasons, kind } = inspection;
  const fitting = inspection.interfaces.filter(({ fits }) => fits).map(({ abi }) => abi);
  const as = fitting.length === 0 ? "" : ` as ${fitting.join(", ")}`;
  const noun = kind === "component" ? " (a component)" : "";
  return [
    `${file}${noun}: ${verdict} by profile ${profile}${as}\n`,
    table(
      "reasons",
      reasons.map(({ code, name, detail }) => [`[${code} ${name}]`, shown(detail)]),
    ),
    ...(kind === "unknown" ? [] : [facts(inspection)]),
    table("imports", importRows(inspection)),
    table("exports", exportRows(inspection)),
    table("interfaces", interfaceRows(inspection)),
  ]
    .filter((part) => part !== "")
    .join("\n");
}

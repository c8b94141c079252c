import { FailureError } from "../../../protocol/failure.ts";
import { ByteReader } from "../../decode/byte-reader.ts";
import { ByteWriter } from "../../decode/byte-writer.ts";
import { MAX_ENTRIES, MAX_IMPORTS } from "../../limits.ts";
import { type GlobalEntry, readImportedGlobals, readGlobalEntries, sectionsOf } from "./module-globals.ts";

/**
 * Makes the core modules of a component count on one tank.
 *
 * A metered module counts in globals that it defines and exports. Modules of a component call each other in ways that no
 * host sees: through functions passed on as imports, and through entries of tables that they share. To move what is left
 * from one module's globals to the other's at each such call is impossible, so all modules are given the same globals
 * instead: they import them. Then nothing needs to be moved, the stack's limit holds for the whole chain of calls, and
 * core modules are linked to each other directly, at the engine's speed.
 *
 * Imported globals have the lowest indices, and the code is not to be renumbered, so the module's own globals become
 * imports as well, in their order, behind those that it imports anyway: every index stays. A second, tiny module defines
 * them with the initial values that they had.
 */
export interface SharedModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly gauges: readonly GaugeGlobal[];
  /** Defines the module's own globals, named by their place; absent when it has none. */
  readonly ownGlobals: Uint8Array<ArrayBuffer> | undefined;
  /** Globals that the module imported before, which initial values may refer to. */
  readonly importedGlobals: readonly { readonly module: string; readonly name: string }[];
}

export interface GaugeGlobal {
  /** As the metered module exports it, "tabmesh:fuel" for example. */
  readonly name: string;
  readonly initial: number | bigint;
}

/** Names under which a rewritten module imports its globals. No core module of a component can use them: see decodeModule. */
export const OWN_GLOBALS = "tabmesh:own";
export const GAUGES = "tabmesh:gauges";

const GAUGE_PREFIX = "tabmesh:";

const SECTION = { type: 1, import: 2, global: 6, export: 7 } as const;
const GLOBAL_KIND = 3;

/** @param metered a module as meterModule leaves it: its gauges are the last globals */
export function shareGauges(metered: Uint8Array): SharedModule {
  const sections = sectionsOf(metered);
  const importedGlobals = readImportedGlobals(metered, sections);
  const entries = readGlobalEntries(metered, sections);
  const names = gaugeNames(metered, sections);
  const gaugeEntries = entries.slice(entries.length - names.size);
  const own = entries.slice(0, entries.length - names.size);
  const gauges = gaugeEntries.map((entry, i) => {
    const name = names.get(importedGlobals.length + own.length + i);
    if (name === undefined) throw new TypeError("the gauges of a metered module are not its last globals");
    return { name, initial: entry.initial };
  });
  if (own.some(({ refersToFunction }) => refersToFunction))
    throw new FailureError(
      "invalid-module",
      "a global that holds a function from the start is not supported in components",
    );
  const added = new ByteWriter(64);
  own.forEach((entry, i) => writeImport(added, metered, OWN_GLOBALS, String(i), entry));
  gaugeEntries.forEach((entry, i) => writeImport(added, metered, GAUGES, gauges[i]?.name ?? "", entry));
  return {
    bytes: rewrite(metered, sections, entries.length, added.finish()),
    gauges,
    ownGlobals: own.length === 0 ? undefined : ownGlobalsModule(metered, importedGlobals, own),
    importedGlobals: importedGlobals.map(({ module, name }) => ({ module, name })),
  };
}

function gaugeNames(bytes: Uint8Array, sections: ReturnType<typeof sectionsOf>): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  const section = sections.find(({ id }) => id === SECTION.export);
  if (section === undefined) return names;
  const reader = new ByteReader(bytes, section.start, section.end);
  const count = reader.count("exports", MAX_ENTRIES * 2);
  for (let i = 0; i < count; i += 1) {
    const name = reader.name("name of an export");
    const kind = reader.u8("kind of an export");
    const index = reader.u32("index of an export");
    if (kind === GLOBAL_KIND && name.startsWith(GAUGE_PREFIX) && !name.includes("/")) names.set(index, name);
  }
  return names;
}

function writeName(writer: ByteWriter, name: string): void {
  const encoded = new TextEncoder().encode(name);
  writer.u32(encoded.length);
  writer.bytes(encoded);
}

function writeImport(
  writer: ByteWriter,
  bytes: Uint8Array,
  module: string,
  name: string,
  entry: GlobalEntry,
): void {
  writeName(writer, module);
  writeName(writer, name);
  writer.u8(GLOBAL_KIND);
  writer.copy(bytes, entry.start, entry.start + 2);
}

/** The module with its globals as imports, and no global section. */
function rewrite(
  metered: Uint8Array,
  sections: ReturnType<typeof sectionsOf>,
  count: number,
  added: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(metered.length + added.length + 64);
  writer.copy(metered, 0, 8);
  let imported = false;
  for (const { id, start, end } of sections) {
    if (!imported && id > SECTION.type) {
      imported = true;
      const original = id === SECTION.import ? new ByteReader(metered, start, end) : undefined;
      writeSection(writer, SECTION.import, () => {
        writer.u32((original?.count("imports", MAX_IMPORTS) ?? 0) + count);
        if (original !== undefined) writer.copy(metered, original.at, end);
        writer.bytes(added);
      });
      if (id === SECTION.import) continue;
    }
    if (id !== SECTION.global) writeSection(writer, id, () => writer.copy(metered, start, end));
  }
  return writer.finish();
}

function writeSection(writer: ByteWriter, id: number, writeContent: () => void): void {
  writer.u8(id);
  const sized = writer.beginSized();
  writeContent();
  writer.endSized(sized);
}

/** A module that imports what the first values may refer to, and exports the globals. */
function ownGlobalsModule(
  metered: Uint8Array,
  imported: readonly { readonly module: string; readonly name: string; readonly type: readonly number[] }[],
  own: readonly GlobalEntry[],
): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(256);
  writer.copy(metered, 0, 8);
  if (imported.length > 0)
    writeSection(writer, SECTION.import, () => {
      writer.u32(imported.length);
      for (const { module, name, type } of imported) {
        writeName(writer, module);
        writeName(writer, name);
        writer.bytes([GLOBAL_KIND, ...type]);
      }
    });
  writeSection(writer, SECTION.global, () => {
    writer.u32(own.length);
    for (const { start, end } of own) writer.copy(metered, start, end);
  });
  writeSection(writer, SECTION.export, () => {
    writer.u32(own.length);
    own.forEach((_, i) => {
      writeName(writer, String(i));
      writer.u8(GLOBAL_KIND);
      writer.u32(imported.length + i);
    });
  });
  return writer.finish();
}

import { type ByteReader, refuseModule } from "../../decode/byte-reader.ts";
import type { Sort, SortIndex } from "./component-shape.ts";

const CORE_SORTS: ReadonlyMap<number, Sort> = new Map([
  [0x00, "core func"],
  [0x01, "core table"],
  [0x02, "core memory"],
  [0x03, "core global"],
  [0x11, "core module"],
  [0x12, "core instance"],
]);

const SORTS: ReadonlyMap<number, Sort> = new Map([
  [0x01, "func"],
  [0x03, "type"],
  [0x04, "component"],
  [0x05, "instance"],
]);

export function readCoreSort(reader: ByteReader): Sort {
  const at = reader.at;
  const byte = reader.u8("core sort");
  return CORE_SORTS.get(byte) ?? refuseModule(`core sort ${byte} is not supported`, at);
}

export function readSort(reader: ByteReader): Sort {
  const at = reader.at;
  const byte = reader.u8("sort");
  if (byte === 0) return readCoreSort(reader);
  return (
    SORTS.get(byte) ?? refuseModule(byte === 2 ? "values are not supported" : `unknown sort ${byte}`, at)
  );
}

export function readSortIndex(reader: ByteReader): SortIndex {
  return { sort: readSort(reader), index: reader.u32("index") };
}

/** The name of an import or export. Its two forms mean the same. */
export function readExternName(reader: ByteReader): string {
  const at = reader.at;
  const form = reader.u8("form of a name");
  if (form > 1) refuseModule("names with attributes are not supported", at);
  return reader.name("name of an import or export");
}

export type Alias =
  | { readonly kind: "alias-export"; readonly sort: Sort; readonly instance: number; readonly name: string }
  | {
      readonly kind: "alias-core-export";
      readonly sort: Sort;
      readonly instance: number;
      readonly name: string;
    }
  | { readonly kind: "alias-outer"; readonly sort: Sort; readonly depth: number; readonly index: number };

export function readAlias(reader: ByteReader): Alias {
  const sort = readSort(reader);
  const at = reader.at;
  const target = reader.u8("target of an alias");
  if (target === 2)
    return { kind: "alias-outer", sort, depth: reader.u32("depth"), index: reader.u32("index") };
  if (target > 1) refuseModule(`unknown target ${target} of an alias`, at);
  const kind = target === 0 ? "alias-export" : "alias-core-export";
  return { kind, sort, instance: reader.u32("instance"), name: reader.name("name of an alias") };
}

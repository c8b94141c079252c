import { MAX_BODY_BYTES, MAX_ENTRIES, MAX_FUNCTIONS } from "../limits.ts";
import { type ByteReader, refuseModule } from "./byte-reader.ts";
import { readConstant } from "./constant.ts";
import type { ShapeDraft } from "./module-shape.ts";
import { readReferenceType } from "./value-types.ts";

/** Element segments. Flags: bit 0 passive or declarative, bit 1 explicit table (or declarative), bit 2 expressions. */
export function readElements(reader: ByteReader, draft: ShapeDraft): void {
  const count = reader.count("element segments", MAX_ENTRIES);
  for (let i = 0; i < count; i += 1) readElementSegment(reader, draft);
  draft.elementSegments = count;
}

function readElementSegment(reader: ByteReader, draft: ShapeDraft): void {
  const at = reader.at;
  const flags = reader.u32("flags of an element segment");
  if (flags > 7) refuseModule(`unknown flags ${flags} of an element segment`, at);
  const active = (flags & 1) === 0;
  const expressions = (flags & 4) !== 0;
  if (active) {
    const table = (flags & 2) !== 0 ? reader.u32("table") : 0;
    if (table >= draft.tables.length) refuseModule(`table ${table} does not exist`, at);
    readConstant(reader, draft);
  }
  if ((flags & 3) !== 0) readElementKind(reader, expressions);
  // Every item takes at least one byte, so the section's size bounds the count.
  const items = reader.count("elements", reader.end - reader.at);
  for (let i = 0; i < items; i += 1) {
    if (expressions) readConstant(reader, draft);
    else reader.index("function", draft.functionTypes.length);
  }
}

function readElementKind(reader: ByteReader, expressions: boolean): void {
  const at = reader.at;
  if (expressions) readReferenceType(reader, "type of an element segment");
  else if (reader.u8("kind of an element segment") !== 0)
    refuseModule("unknown kind of an element segment", at);
}

/** The count itself is compared with the data section by the engine. */
export function readDataCount(reader: ByteReader): void {
  reader.count("data segments", MAX_ENTRIES);
}

export function readData(reader: ByteReader, draft: ShapeDraft): void {
  const count = reader.count("data segments", MAX_ENTRIES);
  for (let i = 0; i < count; i += 1) {
    const at = reader.at;
    const flags = reader.u32("flags of a data segment");
    if (flags > 2) refuseModule(`unknown flags ${flags} of a data segment`, at);
    if (flags === 2 && reader.u32("memory") !== 0)
      refuseModule("several memories are not part of profile 1", at);
    if (flags !== 1) {
      if (draft.memory === undefined) refuseModule("a data segment without a memory", at);
      readConstant(reader, draft);
    }
    reader.skip(reader.u32("size of a data segment"), "data segment");
  }
  draft.dataSegments = count;
}

export function readBodies(reader: ByteReader, draft: ShapeDraft): void {
  const count = reader.count("bodies", MAX_FUNCTIONS);
  const defined = draft.functionTypes.length - draft.importedFunctions;
  if (count !== defined) refuseModule(`${count} bodies for ${defined} functions`, reader.at);
  for (let i = 0; i < count; i += 1) {
    const size = reader.count("bytes in a body", MAX_BODY_BYTES);
    const start = reader.at;
    reader.skip(size, "body");
    draft.bodies.push({ start, end: reader.at });
  }
}

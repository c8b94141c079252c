import { type ByteReader, refuseModule } from "../../decode/byte-reader.ts";
import type { CanonOptions } from "./component-shape.ts";

export type Canon =
  | {
      readonly kind: "lift";
      readonly coreFunc: number;
      readonly options: CanonOptions;
      readonly type: number;
    }
  | { readonly kind: "lower"; readonly func: number; readonly options: CanonOptions }
  | { readonly kind: "resource-new" | "resource-drop" | "resource-rep"; readonly type: number };

/** Functions made by the Canonical ABI. Those of async components and of threads are refused. */
export function readCanon(reader: ByteReader): Canon {
  const at = reader.at;
  const form = reader.u8("canonical definition");
  switch (form) {
    case 0x00: {
      checkFunctionSort(reader);
      const coreFunc = reader.u32("core function");
      const options = readOptions(reader);
      return { kind: "lift", coreFunc, options, type: reader.u32("type") };
    }
    case 0x01: {
      checkFunctionSort(reader);
      const func = reader.u32("function");
      return { kind: "lower", func, options: readOptions(reader) };
    }
    case 0x02:
      return { kind: "resource-new", type: reader.u32("type") };
    case 0x03:
      return { kind: "resource-drop", type: reader.u32("type") };
    case 0x04:
      return { kind: "resource-rep", type: reader.u32("type") };
    default:
      return refuseModule(`canonical definition 0x${form.toString(16)} ${reasonOf(form)}`, at);
  }
}

function reasonOf(form: number): string {
  if (form >= 0x26 && form <= 0x42) return "uses threads, which are refused: results would depend on timing";
  return form >= 0x05 && form <= 0x25 ? "belongs to async components, which are not supported" : "is unknown";
}

function checkFunctionSort(reader: ByteReader): void {
  const at = reader.at;
  if (reader.u8("sort of a canonical definition") !== 0)
    refuseModule("a canonical definition of no function", at);
}

const ENCODINGS = ["utf8", "utf16", "latin1+utf16"] as const;

function readOptions(reader: ByteReader): CanonOptions {
  const seen = new Set<number>();
  const indices: (number | undefined)[] = [undefined, undefined, undefined];
  let encoding: CanonOptions["encoding"] = "utf8";
  const count = reader.count("canonical options", 8);
  for (let i = 0; i < count; i += 1) {
    const at = reader.at;
    const option = reader.u8("canonical option");
    if (option > 5)
      refuseModule(option > 7 ? `unknown option ${option}` : "async functions are not supported", at);
    const slot = option < 3 ? 0 : option;
    if (seen.has(slot)) refuseModule("a canonical option is given twice", at);
    seen.add(slot);
    if (option < 3) encoding = ENCODINGS[option] ?? "utf8";
    else indices[option - 3] = reader.u32("index of a canonical option");
  }
  const [memory, realloc, postReturn] = indices;
  if (realloc !== undefined && memory === undefined) refuseModule("an allocator without a memory", reader.at);
  return { encoding, memory, realloc, postReturn };
}

/* oxlint-disable typescript/switch-exhaustiveness-check -- what has no case of its own is treated alike */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { transpile } from "@bytecodealliance/jco";
import type { ValueType, VariantType } from "./types/value-type.ts";
import { asArray, asBytes, asCase, asNumber, type Value } from "./values/value.ts";

type Exports = Readonly<Record<string, unknown>>;

/** The same component as jco runs it: JavaScript that it writes, in files of a folder that is removed afterwards. */
export async function withJco<T>(bytes: Uint8Array, use: (exports: Exports) => T): Promise<T> {
  const { files } = await transpile(bytes, {
    name: "component",
    instantiation: "sync",
    noTypescript: true,
    quiet: true,
  });
  const folder = await mkdtemp(join(tmpdir(), "tabmesh-jco-"));
  try {
    const cores = new Map<string, WebAssembly.Module>();
    for (const [name, content] of Object.entries(files)) {
      if (name.endsWith(".wasm")) cores.set(name, new WebAssembly.Module(new Uint8Array(content)));
    }
    const script = Object.entries(files).find(([name]) => name.endsWith(".js"));
    const path = join(folder, "component.mjs");
    await writeFile(path, script?.[1] ?? "");
    const loaded: unknown = await import(/* @vite-ignore */ pathToFileURL(path).href);
    const instantiate: unknown = memberOf(loaded, "instantiate");
    if (typeof instantiate !== "function") throw new TypeError("jco wrote no instantiate");
    const exports: unknown = instantiate((name: string) => cores.get(name), {});
    if (!isRecord(exports)) throw new TypeError("jco made no exports");
    return use(exports);
  } finally {
    await rm(folder, { recursive: true });
  }
}

export function isRecord(value: unknown): value is Exports {
  return typeof value === "object" && value !== null;
}

export function memberOf(value: unknown, name: string): unknown {
  return isRecord(value) ? value[name] : undefined;
}

/** A value as jco's JavaScript takes it. */
export function toJco(type: ValueType, value: Value | undefined): unknown {
  switch (type.kind) {
    case "list":
      if (type.element.kind === "u8") return asBytes(value);
      return asArray(value).map((item) => toJco(type.element, item));
    case "tuple":
      return asArray(value).map((item, i) => toJco(at(type.fields, i).type, item));
    case "record":
      return Object.fromEntries(
        type.fields.map((field, i) => [field.name, toJco(field.type, asArray(value)[i])]),
      );
    case "enum":
      return at(type.cases, asCase(value).tag).name;
    case "variant":
    case "result":
      return taggedToJco(type, value);
    case "option": {
      const inner = at(type.cases, 1).type;
      if (isTagged(type)) return taggedToJco(type, value);
      const { tag, payload } = asCase(value);
      return tag === 0 || inner === undefined ? undefined : toJco(inner, payload);
    }
    case "flags":
      return Object.fromEntries(type.names.map((name, i) => [name, ((asNumber(value) >>> i) & 1) === 1]));
    default:
      return value;
  }
}

function taggedToJco(type: VariantType, value: Value | undefined): unknown {
  const { tag, payload } = asCase(value);
  const found = at(type.cases, tag);
  return {
    tag: resultTag(type, found.name),
    val: found.type === undefined ? undefined : toJco(found.type, payload),
  };
}

/** jco writes an option as an object with a tag where undefined would not tell it from the option within. */
function isTagged(type: VariantType): boolean {
  const inner = at(type.cases, 1).type;
  return inner?.kind === "option" && !isTagged(inner);
}

/** jco calls an error `err`. */
function resultTag(type: VariantType, name: string): string {
  return type.kind === "result" && name === "error" ? "err" : name;
}

function at<T>(items: readonly T[], i: number): T {
  const found = items[i];
  if (found === undefined) throw new RangeError(`there is no item ${i}`);
  return found;
}

/** The other way round. */
export function fromJco(type: ValueType, given: unknown): Value {
  switch (type.kind) {
    case "list": {
      const items = itemsOf(given);
      if (type.element.kind === "u8") return Uint8Array.from(items, Number);
      return items.map((item) => fromJco(type.element, item));
    }
    case "tuple":
      return type.fields.map((field, i) => fromJco(field.type, itemsOf(given)[i]));
    case "record":
      return type.fields.map((field) => fromJco(field.type, memberOf(given, field.name)));
    case "enum":
      return { tag: type.cases.findIndex(({ name }) => name === given), payload: undefined };
    case "variant":
    case "result":
      return taggedFromJco(type, given);
    case "option": {
      const inner = at(type.cases, 1).type;
      if (isTagged(type)) return taggedFromJco(type, given);
      if (given === undefined || given === null || inner === undefined) return { tag: 0, payload: undefined };
      return { tag: 1, payload: fromJco(inner, given) };
    }
    case "flags":
      return type.names.reduce((bits, name, i) => bits + (memberOf(given, name) === true ? 2 ** i : 0), 0);
    default:
      if (typeof given === "boolean" || typeof given === "number") return given;
      if (typeof given === "bigint" || typeof given === "string") return given;
      throw new TypeError("jco returned something else");
  }
}

function itemsOf(given: unknown): readonly unknown[] {
  if (Array.isArray(given)) return given;
  if (given instanceof BigInt64Array || given instanceof BigUint64Array) return [...given];
  if (ArrayBuffer.isView(given) && !(given instanceof DataView) && Symbol.iterator in given)
    return Array.from(Object.values(given));
  throw new TypeError("jco returned no list");
}

function taggedFromJco(type: VariantType, given: unknown): Value {
  const wanted = memberOf(given, "tag");
  const tag = type.cases.findIndex(({ name }) => resultTag(type, name) === wanted);
  const payload = at(type.cases, tag).type;
  return { tag, payload: payload === undefined ? undefined : fromJco(payload, memberOf(given, "val")) };
}

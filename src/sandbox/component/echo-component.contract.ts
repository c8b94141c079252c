/* oxlint-disable typescript/switch-exhaustiveness-check -- what has no case of its own is treated alike */
import { component, type Encoding, REALLOC } from "./build-component.contract.ts";
import type { CoreType, ValueType } from "./types/value-type.ts";

/** Where the flat function writes its result. */
const AREA = 1024;

/** Declares types that WIT wants to have names. */
class WitTypes {
  readonly #declared: string[] = [];

  get text(): string {
    return this.#declared.join("\n");
  }

  use(type: ValueType): string {
    switch (type.kind) {
      case "list":
        return `list<${this.use(type.element)}>`;
      case "tuple":
        return `tuple<${type.fields.map((field) => this.use(field.type)).join(", ")}>`;
      case "record":
        return this.#declare(
          "record",
          type.fields.map((field) => `${field.name}: ${this.use(field.type)}`),
        );
      case "variant":
        return this.#declare(
          "variant",
          type.cases.map((each) =>
            each.type === undefined ? each.name : `${each.name}(${this.use(each.type)})`,
          ),
        );
      case "enum":
        return this.#declare(
          "enum",
          type.cases.map(({ name }) => name),
        );
      case "flags":
        return this.#declare("flags", type.names);
      case "option":
        return `option<${this.#optional(type.cases[1]?.type)}>`;
      case "result":
        return this.#result(type.cases[0]?.type, type.cases[1]?.type);
      default:
        return type.kind;
    }
  }

  #result(ok: ValueType | undefined, error: ValueType | undefined): string {
    if (error !== undefined) return `result<${this.#optional(ok)}, ${this.use(error)}>`;
    return ok === undefined ? "result" : `result<${this.use(ok)}>`;
  }

  #optional(type: ValueType | undefined): string {
    return type === undefined ? "_" : this.use(type);
  }

  #declare(kind: string, members: readonly string[]): string {
    const name = `t${this.#declared.length}`;
    this.#declared.push("");
    this.#declared[Number(name.slice(1))] = `${kind} ${name} { ${members.map(escaped).join(", ")} }`;
    return name;
  }
}

/** Names that are words of WIT are written with a percent sign. */
function escaped(member: string): string {
  return `%${member}`;
}

function loadOf(have: CoreType, want: CoreType, value: string): string {
  if (have === want) return value;
  if (want === "f64") return `(f64.reinterpret_i64 ${value})`;
  const low = have === "i64" ? `(i32.wrap_i64 ${value})` : value;
  return want === "f32" ? `(f32.reinterpret_i32 ${low})` : low;
}

const STORES: Readonly<Record<string, string>> = {
  bool: "i32.store8",
  s8: "i32.store8",
  u8: "i32.store8",
  s16: "i32.store16",
  u16: "i32.store16",
  s32: "i32.store",
  u32: "i32.store",
  char: "i32.store",
  s64: "i64.store",
  u64: "i64.store",
  f32: "f32.store",
  f64: "f64.store",
};

function put(op: string, at: number, value: string): string {
  return `(${op} (i32.const ${at}) ${value})`;
}

/** Instructions that write a value, given flat, to memory. */
function storeFlat(type: ValueType, at: number, flat: readonly string[]): string {
  switch (type.kind) {
    case "string":
    case "list":
      return put("i32.store", at, flat[0] ?? "") + put("i32.store", at + 4, flat[1] ?? "");
    case "record":
    case "tuple": {
      let used = 0;
      return type.fields
        .map((field) => {
          const own = flat.slice(used, used + field.type.flat.length);
          used += field.type.flat.length;
          return storeFlat(field.type, at + field.offset, own);
        })
        .join("\n");
    }
    case "variant":
    case "enum":
    case "option":
    case "result": {
      const [tag = "", ...rest] = flat;
      const op = ["", "i32.store8", "i32.store16", "", "i32.store"][type.tagBytes] ?? "";
      const cases = type.cases.map((each, i) => {
        if (each.type === undefined) return "";
        const own = each.type.flat.map((want, k) => loadOf(type.flat[k + 1] ?? want, want, rest[k] ?? ""));
        const store = storeFlat(each.type, at + type.payloadOffset, own);
        return `(if (i32.eq ${tag} (i32.const ${i})) (then ${store}))`;
      });
      return [put(op, at, tag), ...cases].join("\n");
    }
    case "flags":
      return put(["", "i32.store8", "i32.store16", "", "i32.store"][type.size] ?? "", at, flat[0] ?? "");
    default:
      return put(STORES[type.kind] ?? "", at, flat[0] ?? "");
  }
}

/** Whether a value and one byte more can be passed flat. */
export function passesFlat(type: ValueType): boolean {
  return type.flat.length <= 16;
}

/**
 * A component that returns what it is given, in an interface `t:t/i`. `memory` takes it through memory, since it takes too
 * much besides to be passed flat; `flat`, where the type allows it, takes it as core values and writes them to memory.
 */
export async function echoComponent(type: ValueType, encoding: Encoding): Promise<Uint8Array> {
  const wit = new WitTypes();
  const use = wit.use(type);
  const flat = passesFlat(type);
  const parameters = type.flat.map((each) => `(param ${each})`).join(" ");
  const core = `(module
    (memory (export "memory") 4)
    ${REALLOC}
    (func (export "t:t/i#memory") (param i32) (result i32) (local.get 0))
    ${
      flat
        ? `(func (export "t:t/i#flat") ${parameters} (result i32)
             ${storeFlat(
               type,
               AREA,
               type.flat.map((_, i) => `(local.get ${i})`),
             )}
             (i32.const ${AREA}))`
        : ""
    })`;
  const pad = Array.from({ length: 16 }, () => "u32").join(", ");
  const both = `tuple<${use}, u8>`;
  return component(
    `package t:t;
     interface i {
       ${wit.text}
       memory: func(v: ${both}, pad: tuple<${pad}>) -> ${both};
       ${flat ? `%flat: func(v: ${use}) -> ${both};` : ""}
     }
     world w { export i; }`,
    core,
    encoding,
  );
}

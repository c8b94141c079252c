import { FailureError } from "../../../protocol/failure.ts";
import { MAX_PRINTED_TYPE } from "../limits.ts";
import type { FunctionType, ValueType } from "./value-type.ts";

/**
 * A type in one line, close to how WIT writes it, with names of resources in full. Two types print alike exactly when
 * the Canonical ABI treats them alike and their cases and fields have the same names.
 */
export function printFunctionType({ parameters, result }: FunctionType): string {
  const printer = new Printer();
  printer.list(parameters, ({ type }) => printer.type(type));
  if (result === undefined) return `func(${printer.take()})`;
  const before = printer.take();
  printer.type(result);
  return `func(${before}) -> ${printer.take()}`;
}

/** Types may share parts, and what is small in the file may be endless in print. */
class Printer {
  #text = "";

  take(): string {
    const text = this.#text;
    this.#text = "";
    return text;
  }

  #add(text: string): void {
    this.#text += text;
    if (this.#text.length > MAX_PRINTED_TYPE)
      throw new FailureError("invalid-module", `a type takes more than ${MAX_PRINTED_TYPE} characters`);
  }

  list<T>(items: readonly T[], print: (item: T) => void): void {
    for (const [i, item] of items.entries()) {
      if (i > 0) this.#add(", ");
      print(item);
    }
  }

  #optional(type: ValueType | undefined): void {
    if (type === undefined) this.#add("_");
    else this.type(type);
  }

  type(type: ValueType): void {
    switch (type.kind) {
      case "list":
        this.#add("list<");
        this.type(type.element);
        return this.#add(">");
      case "record":
        this.#add("record { ");
        this.list(type.fields, (field) => this.#labelled(field.name, field.type));
        return this.#add(" }");
      case "variant":
        this.#add("variant { ");
        this.list(type.cases, (each) => this.#labelled(each.name, each.type));
        return this.#add(" }");
      case "tuple":
        this.#add("tuple<");
        this.list(type.fields, (field) => this.type(field.type));
        return this.#add(">");
      case "enum":
        return this.#add(`enum { ${type.cases.map(({ name }) => name).join(", ")} }`);
      case "option":
        this.#add("option<");
        this.#optional(type.cases[1]?.type);
        return this.#add(">");
      case "result":
        this.#add("result<");
        this.list(type.cases, (each) => this.#optional(each.type));
        return this.#add(">");
      case "flags":
        return this.#add(`flags { ${type.names.join(", ")} }`);
      case "own":
      case "borrow":
        return this.#add(`${type.kind}<${type.resource.name}>`);
      case "bool":
      case "s8":
      case "u8":
      case "s16":
      case "u16":
      case "s32":
      case "u32":
      case "s64":
      case "u64":
      case "f32":
      case "f64":
      case "char":
      case "string":
        return this.#add(type.kind);
      default:
        return type satisfies never;
    }
  }

  #labelled(name: string, type: ValueType | undefined): void {
    this.#add(name);
    if (type === undefined) return;
    this.#add(": ");
    this.type(type);
  }
}

import { readFile } from "node:fs/promises";
import type { Value } from "../../plan/json-value.ts";
import type { Plan } from "../../plan/plan.ts";
import { printType } from "../../plan/text/type-text.ts";
import type { ValueType } from "../../plan/value-type.ts";
import { readValue } from "../../plan/values.ts";
import { FailureError } from "../../protocol/failure.ts";
import { usageError } from "../plain-error.ts";

/** What the command line gives for the parameters of a plan. */

/** A value of the type, as JSON has it. */
function exampleValue(type: ValueType): unknown {
  switch (type.type) {
    case "text":
      return "words";
    case "bytes":
      return "AAECAw==";
    case "number":
      return 3;
    case "boolean":
      return true;
    case "nothing":
      return null;
    case "json":
      return { a: 1 };
    case "list":
      return type.of.type === "text" ? ["a", "b"] : [exampleValue(type.of)];
    case "record":
      return Object.fromEntries(
        Object.entries(type.fields).map(([name, field]) => [name, exampleValue(field)]),
      );
    case "optional":
      return exampleValue(type.of);
    default:
      return type satisfies never;
  }
}

/** Something that is of the type, as one would write it behind "=". */
export function exampleOf(type: ValueType): string {
  if (type.type === "text") return "words";
  if (type.type === "bytes") return "@FILE";
  if (type.type === "optional") return exampleOf(type.of);
  const text = JSON.stringify(exampleValue(type));
  return type.type === "list" || type.type === "record" || type.type === "json" ? `'${text}'` : text;
}

/** As in "--param question=words --param urls='["a","b"]'", for all that a plan takes. */
export function exampleParams({ graph }: Plan): string {
  return Object.entries(graph.params)
    .map(([name, type]) => `--param ${name}=${exampleOf(type)}`)
    .join(" ");
}

/** One parameter from what stands behind "=". Text and bytes are taken as they are, everything else is JSON. */
function readParam(name: string, type: ValueType, given: Uint8Array): Value {
  try {
    return readValue(type, given);
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    throw usageError(
      `The parameter ${name} takes ${printType(type)}: ${error.detail}.`,
      `For example --param ${name}=${exampleOf(type)}`,
    );
  }
}

function suggestion(name: string, known: readonly string[]): string {
  return known.length === 0
    ? "The plan takes no parameters."
    : `The plan takes ${known.join(", ")}; is ${known.find((each) => each.startsWith(name.slice(0, 2))) ?? known[0]} meant?`;
}

/**
 * All parameters of a plan. "@FILE" stands for what is in a file, "@@" for one @.
 * @throws PlainError that says what is missing, unknown or of another type, with an example
 */
export async function paramsOf(
  plan: Plan,
  given: readonly (readonly [name: string, value: string])[],
): Promise<Readonly<Record<string, Value>>> {
  const { params } = plan.graph;
  const known = Object.keys(params);
  const values: Record<string, Value> = {};
  for (const [name, text] of given) {
    const type = Object.hasOwn(params, name) ? params[name] : undefined;
    if (type === undefined)
      throw usageError(`The plan ${plan.name} has no parameter ${name}.`, suggestion(name, known));
    if (Object.hasOwn(values, name)) throw usageError(`The parameter ${name} is given twice.`);
    // oxlint-disable-next-line no-await-in-loop -- the first that is wrong is told
    values[name] = readParam(name, type, await bytesOf(text));
  }
  const missing = known.filter((name) => !Object.hasOwn(values, name) && params[name]?.type !== "optional");
  const [first] = missing;
  if (first !== undefined)
    throw usageError(
      `The plan ${plan.name} needs ${missing.length === 1 ? `the parameter ${first}` : `the parameters ${missing.join(", ")}`}.`,
      `For example ${exampleParams(plan)}`,
    );
  for (const name of known) if (!Object.hasOwn(values, name)) values[name] = null;
  return values;
}

async function bytesOf(text: string): Promise<Uint8Array> {
  if (text.startsWith("@@")) return new TextEncoder().encode(text.slice(1));
  if (text.startsWith("@")) return new Uint8Array(await readFile(text.slice(1)));
  return new TextEncoder().encode(text);
}

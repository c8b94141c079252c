import type { Plan } from "../../plan/plan.ts";
import type { ValueType } from "../../plan/value-type.ts";
import { FailureError } from "../../protocol/failure.ts";
import { fromBase64 } from "../../protocol/base64.ts";
import { decodeUtf8, encodeUtf8 } from "../../protocol/text.ts";

/** What a caller, or an event, gives to a run. */
export interface RunInput {
  /** For the parameter `request`: what was called and how. */
  readonly request?: Readonly<Record<string, unknown>>;
  /** For the parameter `event`: what fired, and when. */
  readonly event?: Readonly<Record<string, unknown>>;
  /** For the parameter `body`; of JSON also for parameters of the names in it. */
  readonly body?: Uint8Array;
  /** Media type of the body, without its parameters. */
  readonly contentType?: string;
  /** Texts by name, as in a query. */
  readonly texts?: Readonly<Record<string, string>>;
}

function malformed(name: string, why: string): FailureError {
  return new FailureError("malformed", `parameter ${name} ${why}`);
}

function parsed(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed(name, "is no JSON");
  }
}

/** A text as the type has it. */
function fromText(name: string, type: ValueType, text: string): unknown {
  switch (type.type) {
    case "text":
      return text;
    case "bytes":
      return encodeUtf8(text);
    case "number": {
      const value = Number(text);
      if (text.trim() === "" || !Number.isFinite(value)) throw malformed(name, "is no number");
      return value;
    }
    case "optional":
      return fromText(name, type.of, text);
    case "boolean":
    case "nothing":
    case "json":
    case "list":
    case "record":
      return parsed(name, text);
    default:
      return type satisfies never;
  }
}

function textOf(name: string, bytes: Uint8Array): string {
  try {
    return decodeUtf8(bytes);
  } catch {
    throw malformed(name, "is no UTF-8");
  }
}

function bodyAs(type: ValueType, body: Uint8Array): unknown {
  return type.type === "bytes" ? body : fromText("body", type, textOf("body", body));
}

/** Fields of a JSON object by their names; nothing else. */
export function fieldsOfJson(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : {};
}

/** What stands in a record of a type; other fields are left out. */
function shaped(type: ValueType, value: Readonly<Record<string, unknown>>): unknown {
  if (type.type !== "record") return value;
  return Object.fromEntries(Object.keys(type.fields).map((name) => [name, value[name] ?? null]));
}

function bodyFields({ body, contentType }: RunInput): Readonly<Record<string, unknown>> {
  if (body === undefined || body.length === 0 || contentType !== "application/json") return {};
  return fieldsOfJson(parsed("body", textOf("body", body)));
}

/** Bytes stand in JSON as base64. */
function fromOwner(type: ValueType, value: unknown): unknown {
  return type.type === "bytes" && typeof value === "string" ? fromBase64(value) : value;
}

function given(
  name: string,
  type: ValueType,
  input: RunInput,
  fields: Readonly<Record<string, unknown>>,
): unknown {
  const { request, event, body, texts = {} } = input;
  if (name === "request" && request !== undefined) return shaped(type, request);
  if (name === "event" && event !== undefined) return shaped(type, event);
  if (name === "body" && body !== undefined) return bodyAs(type, body);
  const text = Object.hasOwn(texts, name) ? texts[name] : undefined;
  if (text !== undefined) return fromText(name, type, text);
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

/**
 * Parameters of a run: what the owner has fixed, and of the others what the caller or the event gives. Nothing that the plan does not
 * ask for comes in, and nobody but the owner changes what it has fixed.
 * @param fixed JSON objects of the owner's, the first one that names a parameter counts
 * @throws FailureError `malformed` naming the parameter that is missing or is not of its type
 */
export function runParams(
  { graph }: Plan,
  fixed: readonly string[],
  input: RunInput,
): Readonly<Record<string, unknown>> {
  const owners = fixed.map((text) => fieldsOfJson(parsed("params", text)));
  const fields = bodyFields(input);
  const params: [string, unknown][] = [];
  for (const [name, type] of Object.entries(graph.params)) {
    const owner = owners.find((each) => Object.hasOwn(each, name));
    const value = owner === undefined ? given(name, type, input, fields) : fromOwner(type, owner[name]);
    if (value !== undefined) params.push([name, value]);
    else if (type.type === "optional") params.push([name, null]);
    else throw malformed(name, "is missing");
  }
  return Object.fromEntries(params);
}

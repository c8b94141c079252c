/** What a relay says of itself in /openapi.json, as far as inputs and verdicts follow from it. */

export interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema: JsonSchema;
}

/** The part of JSON Schema that the document uses. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: "object" | "array" | "integer" | "boolean" | "string";
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
}

type Content = Readonly<Record<string, { readonly schema?: JsonSchema }>>;

interface OperationObject {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
}

export interface OpenApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>> };
}

export interface Operation {
  /** As in "POST /v1/jobs/{job}/close". */
  readonly name: string;
  readonly method: string;
  /** With `{name}` for each part that is a parameter. */
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** Content types that it takes; empty when it takes no body. */
  readonly takes: readonly string[];
  /** What it answers with by content type; empty where it answers with nothing. */
  readonly gives: Content;
}

export function operationsOf(document: OpenApiDocument): readonly Operation[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [], requestBody, responses }]) => ({
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path,
      parameters,
      takes: Object.keys(requestBody?.content ?? {}),
      gives: responses["200"]?.content ?? {},
    })),
  );
}

/** A path of the route table, as in "/v1/jobs/:job" or "/tile/:place{.+}", as the document writes it. */
export function templateOf(path: string): string {
  return path.replaceAll(/:(\w+)(?:\{[^}]*\})?/gu, "{$1}");
}

/** What of a value is not as its schema says; undefined when nothing is. */
export function misfit(
  schema: JsonSchema,
  value: unknown,
  schemas: OpenApiDocument["components"]["schemas"],
  at = "answer",
): string | undefined {
  if (schema.$ref !== undefined) {
    const found = schemas[schema.$ref.replace("#/components/schemas/", "")];
    return found === undefined ? `${at}: no schema ${schema.$ref}` : misfit(found, value, schemas, at);
  }
  if ("const" in schema && value !== schema.const) return `${at} is not ${String(schema.const)}`;
  if (schema.enum !== undefined && !schema.enum.includes(value)) return `${at} is none of its values`;
  switch (schema.type) {
    case "object":
      return misfitObject(schema, value, schemas, at);
    case "array":
      if (!Array.isArray(value)) return `${at} is no list`;
      for (const [index, item] of value.entries()) {
        const problem = misfit(schema.items ?? {}, item, schemas, `${at}[${index}]`);
        if (problem !== undefined) return problem;
      }
      return undefined;
    case "integer":
      return Number.isSafeInteger(value) && Number(value) >= (schema.minimum ?? Number(value))
        ? undefined
        : `${at} is no whole number`;
    case "boolean":
      return typeof value === "boolean" ? undefined : `${at} is neither true nor false`;
    case "string":
      if (typeof value !== "string") return `${at} is no text`;
      return schema.pattern === undefined || new RegExp(schema.pattern, "u").test(value)
        ? undefined
        : `${at} has another form`;
    case undefined:
      return undefined;
    default:
      return `${at} is of a kind that is not known here: ${String(schema.type satisfies never)}`;
  }
}

function misfitObject(
  { properties = {}, required = [] }: JsonSchema,
  value: unknown,
  schemas: OpenApiDocument["components"]["schemas"],
  at: string,
): string | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return `${at} is no object`;
  const fields = new Map<string, unknown>(Object.entries(value));
  for (const name of required) if (!fields.has(name)) return `${at} has no ${name}`;
  for (const [name, schema] of Object.entries(properties)) {
    if (!fields.has(name)) continue;
    const problem = misfit(schema, fields.get(name), schemas, `${at}.${name}`);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

import { MESSAGE_TYPE } from "../../protocol/relay-api.ts";
import { type Json, text } from "./open-api-schemas.ts";

/** An answer in JSON, of a shape of open-api-schemas.ts. */
export function view(name: string): Json {
  return { "application/json": { schema: { $ref: `#/components/schemas/${name}` } } };
}

export const messageBody: Json = { [MESSAGE_TYPE]: { schema: { type: "string", format: "binary" } } };
export const rawBody: Json = { "application/octet-stream": { schema: { type: "string", format: "binary" } } };
export const textBody: Json = { "text/plain": { schema: text } };

/** What one path answers to one method. */
export interface Operation {
  readonly method: "get" | "post" | "put" | "head";
  readonly path: string;
  readonly summary: string;
  readonly answer: Json | undefined;
  readonly body?: Json;
  readonly query?: Readonly<Record<string, Json>>;
  readonly required?: readonly string[];
}

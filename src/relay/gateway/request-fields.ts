import { GatewayError, invalidRequest } from "./gateway-error.ts";

/**
 * The fields of a request, each read once by name. What is left over at the end is refused by name, so that nothing a
 * client asked for is passed over in silence. `null` counts as absent, as clients send it for what they leave out.
 */
export class RequestFields {
  readonly #fields: ReadonlyMap<string, unknown>;
  readonly #read = new Set<string>();
  readonly #at: string;

  /** @param at where the fields stand, as in "messages[0]."; empty for the request itself. */
  constructor(value: unknown, at = "") {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw invalidRequest(at.replace(/\.$/u, "") || "body", "It has to be a JSON object.", "invalid_type");
    this.#fields = new Map(Object.entries(value));
    this.#at = at;
  }

  /** The value as it came; undefined when absent or null. */
  take(name: string): unknown {
    this.#read.add(name);
    return this.#fields.get(name) ?? undefined;
  }

  /** A field that changes nothing in the answer. */
  pass(...names: readonly string[]): void {
    for (const name of names) this.#read.add(name);
  }

  param(name: string): string {
    return `${this.#at}${name}`;
  }

  fail(name: string, what: string, code?: string): never {
    throw invalidRequest(this.param(name), `'${this.param(name)}' ${what}`, code);
  }

  text(name: string): string | undefined {
    const value = this.take(name);
    if (value === undefined || typeof value === "string") return value;
    return this.fail(name, "has to be a string.", "invalid_type");
  }

  requiredText(name: string): string {
    return this.text(name) ?? this.fail(name, "is required.", "missing_required_parameter");
  }

  flag(name: string): boolean {
    const value = this.take(name) ?? false;
    return typeof value === "boolean" ? value : this.fail(name, "has to be true or false.", "invalid_type");
  }

  number(name: string, fallback: number, min: number, max: number): number {
    const value = this.take(name) ?? fallback;
    if (typeof value !== "number" || !(value >= min && value <= max))
      return this.fail(name, `has to be a number from ${min} to ${max}.`);
    return value;
  }

  whole(name: string, min: number, max: number): number | undefined {
    const value = this.take(name);
    if (value === undefined) return undefined;
    if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max)
      return this.fail(name, `has to be a whole number from ${min} to ${max}.`);
    return value;
  }

  /** A parameter that this gateway has not: only a value that asks for nothing is let through. */
  refuseUnless(name: string, isNeutral: (value: unknown) => boolean): void {
    const value = this.take(name);
    if (value !== undefined && !isNeutral(value))
      this.fail(name, "is not supported here, and the answer would not be what it asks for.", UNSUPPORTED);
  }

  /** @throws GatewayError naming the first field that nobody has read. */
  end(): void {
    for (const [name, value] of this.#fields)
      if (!this.#read.has(name) && value !== null) this.fail(name, "is not known here.", "unknown_parameter");
  }
}

export const UNSUPPORTED = "unsupported_parameter";

/** @throws GatewayError 400 for what is no JSON. */
export function parseBody(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new GatewayError(400, "invalid_request_error", "The body is not JSON in UTF-8.", {
      code: "invalid_json",
      cause: error,
    });
  }
}

import type { HostObject } from "../host/host-function.ts";
import type { ResourceType } from "../types/resource-type.ts";

/**
 * A value of the component model between lifting and lowering: bool as boolean, integers of up to 32 bits and floats
 * as number, 64-bit integers as bigint (signed or unsigned as their type says), char and string as string, `list<u8>`
 * as bytes and other lists as arrays, record and tuple as the array of their members, variant, enum, option and result
 * as a case, flags as a number with bit i for name i, handles as what they stand for.
 */
export type Value = boolean | number | bigint | string | Uint8Array | readonly Value[] | Case | Resource;

export interface Case {
  readonly tag: number;
  readonly payload: Value | undefined;
}

/** What a handle stands for: a number of the component that made the resource, or an object of the host. */
export class Resource {
  readonly type: ResourceType;
  readonly representation: HostObject | number;

  constructor(type: ResourceType, representation: HostObject | number) {
    this.type = type;
    this.representation = representation;
  }
}

/** A case that carries nothing. */
export function bare(tag: number): Case {
  return { tag, payload: undefined };
}

export const NONE: Case = bare(0);
export const OK: Case = bare(0);

export function some(payload: Value): Case {
  return { tag: 1, payload };
}

export function ok(payload: Value): Case {
  return { tag: 0, payload };
}

export function error(payload: Value): Case {
  return { tag: 1, payload };
}

/** A value is not of the form that its type has: a bug of the host, never of a component. */
export function mismatch(wanted: string): never {
  throw new TypeError(`a value is not of the type ${wanted}`);
}

export function asNumber(value: Value | undefined): number {
  return typeof value === "number" ? value : mismatch("number");
}

export function asBigint(value: Value | undefined): bigint {
  return typeof value === "bigint" ? value : mismatch("bigint");
}

export function asString(value: Value | undefined): string {
  return typeof value === "string" ? value : mismatch("string");
}

export function asBytes(value: Value | undefined): Uint8Array {
  return value instanceof Uint8Array ? value : mismatch("list<u8>");
}

export function asResource(value: Value | undefined): Resource {
  return value instanceof Resource ? value : mismatch("handle");
}

export function isArray(value: Value | undefined): value is readonly Value[] {
  return Array.isArray(value);
}

export function asArray(value: Value | undefined): readonly Value[] {
  return isArray(value) ? value : mismatch("list");
}

export function asCase(value: Value | undefined): Case {
  if (typeof value === "object" && "tag" in value) return value;
  return mismatch("variant");
}

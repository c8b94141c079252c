import { compareKeys } from "../protocol/schema.ts";
import { encodeUtf8 } from "../protocol/text.ts";

/** Names that maps of a plan may have. */
export interface NameRule {
  readonly pattern: RegExp;
  /** Completes "… has to be". */
  readonly what: string;
}

export const NODE_NAMES: NameRule = {
  pattern: /^(?!__proto__$)[A-Za-z0-9_-]{1,64}$/u,
  what: 'letters, digits, "-" and "_", 64 at most',
};
export const NAMES: NameRule = {
  pattern: /^(?!(?:true|false|null|__proto__)$)[A-Za-z_][A-Za-z0-9_]{0,63}$/u,
  what: 'letters, digits and "_", beginning with a letter, 64 at most, and not true, false or null',
};
/** Fields of JSON: anything short. */
export const FIELD_NAMES: NameRule = { pattern: /^(?!__proto__$)[^]{0,64}$/u, what: "64 characters at most" };

/** Order of names wherever they are printed, as in bytes: shorter first, then bytewise. */
export function byKey(a: string, b: string): number {
  return compareKeys(encodeUtf8(a), encodeUtf8(b));
}

import type { Schema } from "../../protocol/schema.ts";
import { PlanError, type PlanProblem } from "../plan-error.ts";
import type { Located } from "./located.ts";

/** What a text form is made of: JSON without anything that JSON has two spellings for. */
export type TextValue =
  | null
  | boolean
  | number
  | string
  | readonly TextValue[]
  | { readonly [name: string]: TextValue };

/** One shape of data as people write it, both ways. */
export interface Form<T> {
  write(value: T): TextValue;
  /** @throws PlanError naming line, column and what would be right. */
  read(from: Located): T;
}

/** One shape of data in both its forms: bytes that have one spelling, and text for people. */
export interface Shape<T> {
  readonly wire: Schema<T>;
  readonly text: Form<T>;
  /** What an absent field stands for in text; on the wire every field is there. */
  readonly fallback?: { readonly value: T };
}

/** A field that may be absent in both forms. */
export interface OptionalShape<T> {
  readonly optional: Shape<T>;
}

export function optionalShape<T>(shape: Shape<T>): OptionalShape<T> {
  return { optional: shape };
}

/** `shape`, which people may leave out where it is `value`. */
export function withFallback<T>(shape: Shape<T>, value: T): Shape<T> {
  return { ...shape, fallback: { value } };
}

/** @throws PlanError at a place in the text. */
export function refuse({ at }: Pick<Located, "at">, message: string, path = ""): never {
  throw new PlanError([{ path, message, at }]);
}

/** Words that a reading of text complains with, at the place that it was read from. */
export function readAt<T>(from: Located, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof PlanError) throw error;
    return refuse(from, error instanceof Error ? error.message : String(error));
  }
}

interface Inside {
  readonly node?: string;
  readonly field?: string;
}

/** The same complaint, said of something inside of something. */
export function within<T>(place: Inside, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof PlanError)) throw error;
    throw new PlanError(error.problems.map((problem) => placed(problem, place)));
  }
}

function placed(problem: PlanProblem, { node, field }: Inside): PlanProblem {
  if (problem.node !== undefined) return problem;
  const path = [field, problem.path].filter((part) => part !== undefined && part !== "").join(".");
  return { ...problem, path, ...(node === undefined ? {} : { node }) };
}

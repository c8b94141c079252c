import { FAILURE_KINDS } from "../../src/protocol/failure-code.ts";
import { cidOf, RAW } from "../../src/protocol/cid.ts";
import { FailureError } from "../../src/protocol/failure.ts";
import type { JsonShape } from "../../src/protocol/json-shape.ts";
import { peerIdFromKey } from "../../src/protocol/peer-id.ts";

/** Fields of the largest view, with room. */
const MOST_STEPS = 2_000;

type Path = readonly (string | number)[];

/** What a shape wants in the place of something else, by how it says so. */
const WANTED: readonly (readonly [RegExp, (words: string) => unknown])[] = [
  [/is not an object$/u, () => ({})],
  [/is not a list$/u, () => [null]],
  [/is not true or false$/u, () => true],
  [/is not a CID$/u, () => cidOf(RAW, Uint8Array.of(1))],
  [/is not a site id$/u, () => `site-${"a".repeat(20)}`],
  [/is not base64$/u, () => "AQID"],
  [/is not a peer id$/u, () => peerIdFromKey(new Uint8Array(32).fill(7))],
  [/is not text of at most \d+ characters$/u, () => "a"],
  [/is not a whole number from 0 to \d+$/u, () => 1],
  [/is not one of (.*)$/u, (words) => words.split(", ")[0]],
  [/is not a decimal$/u, () => "7"],
  [/is not a failure code$/u, () => FAILURE_KINDS[0]?.code],
  [/is not (\d+) hexadecimal digits$/u, (digits) => "0".repeat(Number(digits))],
];

function parsePath(at: string): Path {
  return [...at.matchAll(/\[(\d+)\]|([^.[\]]+)/gu)].map(([, index, name]) =>
    index === undefined ? (name ?? "") : Number(index),
  );
}

function withValue(root: unknown, [step, ...rest]: Path, value: unknown): unknown {
  if (step === undefined) return value;
  if (typeof step === "number") {
    const list: readonly unknown[] = Array.isArray(root) ? root : [];
    return list.with(step, withValue(list[step], rest, value));
  }
  const fields: Readonly<Record<string, unknown>> =
    typeof root === "object" && root !== null ? { ...root } : {};
  return { ...fields, [step]: withValue(fields[step], rest, value) };
}

/** The same value, which tells of every field that is asked for and not there: also of those that may be absent. */
function probed(value: unknown, path: Path, missing: (path: Path) => void): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value))
    return value.map((item: unknown, index) => probed(item, [...path, index], missing));
  const fields = new Map<PropertyKey, unknown>(
    Object.entries(value).map(([name, item]) => [name, probed(item, [...path, name], missing)]),
  );
  return new Proxy(Object.fromEntries(fields), {
    getOwnPropertyDescriptor(target, name) {
      if (!fields.has(name)) missing([...path, String(name)]);
      return Reflect.getOwnPropertyDescriptor(target, name);
    },
  });
}

/**
 * A value that a shape takes, with all of its fields: found by asking the shape what is wrong with it, until nothing is.
 * @throws Error when it says something that is not understood here.
 */
export function growJson(shape: JsonShape<unknown>): unknown {
  let value: unknown = null;
  for (let step = 0; step < MOST_STEPS; step += 1) {
    const missing: Path[] = [];
    let problem: string | undefined;
    try {
      shape.read(probed(value, [], (path) => missing.push(path)));
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      problem = error.detail;
    }
    const [absent] = missing;
    if (absent !== undefined) value = withValue(value, absent, null);
    else if (problem === undefined) return value;
    else value = mended(value, problem);
  }
  throw new Error("the shape is never content");
}

function mended(value: unknown, problem: string): unknown {
  for (const [pattern, wanted] of WANTED) {
    const found = pattern.exec(problem);
    if (found === null) continue;
    const at = problem.slice(0, found.index).trim();
    return withValue(value, at === "answer" ? [] : parsePath(at), wanted(found[1] ?? ""));
  }
  throw new Error(`nobody knows what this asks for: ${problem}`);
}

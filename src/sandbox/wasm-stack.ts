/** Frames that are told of, and letters of a function's name: a recursion without end has thousands, C++ names are long. */
const MOST_FRAMES = 50;
const MOST_LETTERS = 200;

/**
 * The WASM frames of an exception, innermost first, as "name #index" with the name from the module's "name" section
 * (only "#index" where it has none). Indices are those of the module as it was: metering renumbers nothing.
 *
 * V8 writes `at name (wasm://wasm/1a2b:wasm-function[12]:0x34)`, SpiderMonkey `name@file:wasm-function[12]:0x34`,
 * JavaScriptCore `name@1a2b:wasm-function[12]` or, formerly,
 * `1a2b.wasm-function[name]@[wasm code]`. How many frames there are differs too: this is for people and
 * stays on the machine where it happened. Nothing that is hashed, signed or compared may hold it.
 */
export function wasmStack(error: unknown): readonly string[] {
  if (!(error instanceof Error) || error.stack === undefined) return [];
  const frames: string[] = [];
  for (const line of error.stack.split("\n")) {
    const frame = frameOf(line);
    if (frame === undefined) continue;
    frames.push(frame);
    if (frames.length === MOST_FRAMES) break;
  }
  return frames;
}

function frameOf(line: string): string | undefined {
  const [, place] = /wasm-function\[([^\]]*)\]/u.exec(line) ?? [];
  if (place === undefined) return undefined;
  if (!/^\d+$/u.test(place)) return place.slice(0, MOST_LETTERS);
  const name = /^\s*at (.+) \(/u.exec(line)?.[1] ?? /^([^@]+)@/u.exec(line)?.[1];
  const isUnnamed = name === undefined || name === "(null)" || name.includes("wasm-function[");
  return isUnnamed ? `#${place}` : `${name.slice(0, MOST_LETTERS)} #${place}`;
}

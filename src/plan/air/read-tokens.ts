import { AirError, type AirPosition } from "./air-tree.ts";

export type AirToken = AirPosition &
  (
    | { readonly kind: "open" | "close" | "open-list" | "close-list" | "end" }
    | { readonly kind: "text"; readonly text: string }
    | { readonly kind: "word"; readonly text: string }
  );

const MARKS: Readonly<Record<string, "open" | "close" | "open-list" | "close-list">> = {
  "(": "open",
  ")": "close",
  "[": "open-list",
  "]": "close-list",
};

/** A word goes on to the next space or bracket; what stands in brackets right behind it belongs to its path, as in `x.$.[0]`. */
const WORD = /(?:\.\[[^\]\s]*\]|[^\s()[\]";])+/y;
const SPACE = /(?:\s|;[^\n]*)+/y;
const TEXT = /"((?:[^"\\\n]|\\.)*)"/y;

/** @throws AirError where a text does not end. */
export function readTokens(source: string): readonly AirToken[] {
  const tokens: AirToken[] = [];
  let at = 0;
  let line = 1;
  let lineStart = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(source);
  };
  while (at < source.length) {
    const space = take(SPACE);
    if (space !== null) {
      const lines = space[0].split("\n");
      if (lines.length > 1) {
        line += lines.length - 1;
        lineStart = at + space[0].lastIndexOf("\n") + 1;
      }
      at += space[0].length;
      continue;
    }
    const position = { line, column: at - lineStart + 1 };
    const mark = MARKS[source[at] ?? ""];
    const text = take(TEXT);
    const word = take(WORD);
    if (mark !== undefined) {
      tokens.push({ ...position, kind: mark });
      at += 1;
    } else if (text !== null) {
      tokens.push({ ...position, kind: "text", text: (text[1] ?? "").replaceAll(/\\(.)/g, "$1") });
      at += text[0].length;
    } else if (word !== null) {
      tokens.push({ ...position, kind: "word", text: word[0] });
      at += word[0].length;
    } else {
      throw new AirError(position, "a text that begins here does not end on its line");
    }
  }
  tokens.push({ line, column: at - lineStart + 1, kind: "end" });
  return tokens;
}

/** Operators between two values, by how tightly they bind: a higher number first. All bind from left to right. */
export const BINARY: ReadonlyMap<string, number> = new Map([
  ["??", 1],
  ["||", 2],
  ["&&", 3],
  ["==", 4],
  ["!=", 4],
  ["<", 5],
  ["<=", 5],
  [">", 5],
  [">=", 5],
  ["++", 6],
  ["+", 7],
  ["-", 7],
  ["*", 8],
  ["/", 8],
  ["%", 8],
]);

/** Operators before one value, as they are written, by the name that they have as a call. */
export const PREFIX: ReadonlyMap<string, string> = new Map([
  ["!", "not"],
  ["-", "negate"],
]);

/** How tightly the rest binds: `a ? b : c` least, then the operators above, then those before a value, then `.`, `[…]`. */
export const TERNARY = 0;
export const UNARY = 9;
export const POSTFIX = 10;

/** What the log must know by now. @throws RangeError when it does not: the log contradicts itself. */
export function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new RangeError(`the log has no such ${what}`);
  return value;
}

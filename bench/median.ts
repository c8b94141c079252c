/** The middle value; of two middle ones the higher. */
export function median(values: readonly number[]): number {
  const middle = values.toSorted((a, b) => a - b)[values.length >> 1];
  if (middle === undefined) throw new RangeError("nothing was measured");
  return middle;
}

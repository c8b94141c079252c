/**
 * Does something for each item, with so many begun at once, in their order, and gives the results in their order. Whoever
 * ends it early, or by a step that fails, ends what is under way too.
 */
export async function* inOrder<T, R>(
  items: readonly T[],
  act: (item: T) => Promise<R>,
  atOnce: number,
): AsyncGenerator<R, void> {
  const underWay: Promise<R>[] = [];
  for (const item of items) {
    const step = act(item);
    // One that fails while an earlier one is waited for is heard of in its turn, or by nobody.
    step.catch(() => undefined);
    underWay.push(step);
    // oxlint-disable-next-line no-await-in-loop -- in their order
    if (underWay.length >= atOnce) yield* first(underWay);
  }
  // oxlint-disable-next-line no-await-in-loop
  while (underWay.length > 0) yield* first(underWay);
}

async function* first<R>(underWay: Promise<R>[]): AsyncGenerator<R, void> {
  const step = underWay.shift();
  if (step !== undefined) yield await step;
}

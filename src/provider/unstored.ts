/** Numbers of tasks and outcomes that differ from what is on the disk. */
export class Unstored {
  readonly tasks: Set<number> = new Set();
  readonly inputs: Set<number> = new Set();
  readonly outcomes: Set<number> = new Set();
  /** Tasks whose stored input is not needed any more. */
  readonly freed: Set<number> = new Set();

  /** What is to be written now; nothing is left here. */
  take(): Unstored {
    const taken = new Unstored();
    taken.back(this);
    for (const set of [this.tasks, this.inputs, this.outcomes, this.freed]) set.clear();
    return taken;
  }

  /** It was not written. */
  back(taken: Unstored): void {
    for (const each of taken.tasks) this.tasks.add(each);
    for (const each of taken.inputs) this.inputs.add(each);
    for (const each of taken.outcomes) this.outcomes.add(each);
    for (const each of taken.freed) this.freed.add(each);
  }
}

/** What there still is of `keys`. */
export function known<T>(keys: Iterable<number>, all: ReadonlyMap<number, T>): readonly T[] {
  return [...keys].map((key) => all.get(key)).filter((each) => each !== undefined);
}

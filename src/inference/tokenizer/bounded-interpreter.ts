import { Interpreter } from "@huggingface/jinja";

/**
 * What a template may do, in characters: a step costs STEP, what it makes as many as it has, an element of a list ELEMENT.
 * A conversation of the largest size in the longest template known takes a tenth of it; all of it takes a second or two.
 */
const MOST_WORK: number = 2 ** 27;
const STEP = 128;
const ELEMENT = 64;

/** Steps within steps: templates in use nest some fifty deep, and threads of all browsers have room for many more. */
const MOST_DEPTH = 400;

type Evaluate = Interpreter["evaluate"];

/**
 * Runs templates of strangers, which could run for ever, nest without end, or double a text until memory is gone. Each ends at
 * the same step wherever it runs.
 */
export class BoundedInterpreter extends Interpreter {
  #work = 0;
  #depth = 0;

  /** @throws RangeError */
  override evaluate(...step: Parameters<Evaluate>): ReturnType<Evaluate> {
    if (this.#depth >= MOST_DEPTH) throw new RangeError(`it nests more than ${MOST_DEPTH} steps`);
    this.#count(STEP);
    this.#depth += 1;
    try {
      const made = super.evaluate(...step);
      const value: unknown = made.value;
      if (typeof value === "string") this.#count(value.length);
      else if (Array.isArray(value)) this.#count(ELEMENT * value.length);
      else if (value instanceof Map) this.#count(ELEMENT * value.size);
      return made;
    } finally {
      this.#depth -= 1;
    }
  }

  #count(characters: number): void {
    this.#work += characters;
    if (this.#work > MOST_WORK) throw new RangeError("it does more than a template may");
  }
}

import { FailureError } from "../../protocol/failure.ts";
import { isBytes, isList, isRecord, type Value } from "../json-value.ts";
import { MAX_EXPRESSION_WORK } from "../limits.ts";

/** @throws FailureError `expression-failed` */
export function failed(detail: string): never {
  throw new FailureError("expression-failed", detail);
}

/** Counts what an evaluation does, so that no plan keeps whoever coordinates it busy. */
export class Work {
  #left: number;
  readonly #most: number;

  constructor(most: number = MAX_EXPRESSION_WORK) {
    this.#left = most;
    this.#most = most;
  }

  /** @throws FailureError `expression-failed` when that is more than is left. */
  spend(units: number): void {
    this.#left -= units;
    if (!(this.#left >= 0))
      failed(`it takes more than ${this.#most} units of work; do less in one expression`);
  }

  /** Pays for all of a value as if it were copied. */
  spendFor(value: Value): void {
    this.spend(1);
    if (typeof value === "string" || isBytes(value)) this.spend(value.length);
    else if (isList(value)) for (const each of value) this.spendFor(each);
    else if (isRecord(value))
      for (const [name, each] of Object.entries(value)) {
        this.spend(name.length);
        this.spendFor(each);
      }
  }
}

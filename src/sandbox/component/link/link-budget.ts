import { refuseModule } from "../../decode/byte-reader.ts";
import { MAX_LINK_STEPS } from "../limits.ts";

/** Counts the definitions looked at: a component that instantiates others twice each would double with every level. */
export class LinkBudget {
  #left = MAX_LINK_STEPS;

  take(at: number): void {
    this.#left -= 1;
    if (this.#left < 0) refuseModule(`linking takes more than ${MAX_LINK_STEPS} steps`, at);
  }
}

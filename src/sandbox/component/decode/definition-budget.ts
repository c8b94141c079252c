import { refuseModule } from "../../decode/byte-reader.ts";
import { MAX_CORE_MODULES, MAX_DEFINITIONS } from "../limits.ts";

/** Counts what a component defines, nested components included. */
export class DefinitionBudget {
  #definitions = 0;
  #modules = 0;

  take(at: number): void {
    this.#definitions += 1;
    if (this.#definitions > MAX_DEFINITIONS) refuseModule(`more than ${MAX_DEFINITIONS} definitions`, at);
  }

  takeModule(at: number): void {
    this.#modules += 1;
    if (this.#modules > MAX_CORE_MODULES) refuseModule(`more than ${MAX_CORE_MODULES} core modules`, at);
  }
}

import type { CompiledComponent } from "./component/compile-component.ts";
import { compileComponent, preciseComponent } from "./component/compile-component.ts";
import { isComponent } from "./component/decode/decode-component.ts";
import { type CompiledFunction, compileFunction, preciseForm } from "./compile-function.ts";

/** A function of any interface, ready to run. */
export type Compiled = CompiledFunction | CompiledComponent;

/** Compiles a core module or a component, as the bytes say. @throws FailureError `invalid-module`, `import-refused` */
export function compileAny(bytes: Uint8Array<ArrayBuffer>): Promise<Compiled> {
  return isComponent(bytes) ? compileComponent(bytes) : compileFunction(bytes);
}

export function isCompiledComponent(compiled: Compiled): compiled is CompiledComponent {
  return "plan" in compiled;
}

/** The same in the precise form, in which a task runs again after a trap. */
export function preciseFormOf(compiled: Compiled): Promise<Compiled> {
  return isCompiledComponent(compiled) ? preciseComponent(compiled) : preciseForm(compiled);
}

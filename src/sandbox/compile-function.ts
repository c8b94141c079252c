import { FailureError } from "../protocol/failure.ts";
import { type ModuleShape, signatureOf } from "./decode/module-shape.ts";
import { maximumPages, meterModule } from "./meter.ts";

/** A function ready to run any number of times, and what must be known of it before. */
export interface CompiledFunction {
  /** In the fast form; see MeterForm. */
  readonly module: WebAssembly.Module;
  /** The module as it was, from which the precise form is made when a task needs it. */
  readonly source: Uint8Array<ArrayBuffer>;
  /** Size of the metered module: what holding it costs, roughly. */
  readonly meteredBytes: number;
  readonly imports: readonly FunctionImport[];
  /** Types in letters (see signatureOf) of the exported functions, by name. */
  readonly exportedFunctions: ReadonlyMap<string, string>;
  readonly minimumPages: number;
  readonly maximumPages: number;
}

interface FunctionImport {
  readonly module: string;
  readonly name: string;
  /** Type in letters; "" when it is not a function. */
  readonly signature: string;
}

/**
 * Checks, meters and compiles a module. The engine sees the original as well: the rewriter's own exports would
 * otherwise make a few invalid modules valid.
 *
 * @throws FailureError `invalid-module`
 */
export async function compileFunction(bytes: Uint8Array<ArrayBuffer>): Promise<CompiledFunction> {
  const metered = meterModule(bytes);
  if (!WebAssembly.validate(bytes))
    throw new FailureError("invalid-module", "the engine's type check failed");
  return {
    module: await compile(metered.bytes),
    source: bytes,
    meteredBytes: metered.bytes.length,
    imports: importsOf(metered.shape),
    exportedFunctions: exportedFunctionsOf(metered.shape),
    minimumPages: metered.shape.memory?.minimumPages ?? 0,
    maximumPages: maximumPages(metered.shape),
  };
}

const PRECISE = new WeakMap<CompiledFunction, Promise<CompiledFunction>>();

/** The same function in the precise form, made when first asked for and held as long as the fast one. */
export function preciseForm(compiled: CompiledFunction): Promise<CompiledFunction> {
  const known = PRECISE.get(compiled);
  if (known !== undefined) return known;
  const made = compile(meterModule(compiled.source, { form: "precise" }).bytes).then((module) =>
    Object.assign({}, compiled, { module }),
  );
  PRECISE.set(compiled, made);
  return made;
}

async function compile(bytes: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(bytes);
  } catch (error) {
    if (!(error instanceof WebAssembly.CompileError)) throw error;
    throw new FailureError("invalid-module", `the engine refuses the metered module: ${error.message}`, {
      cause: error,
    });
  }
}

function importsOf(shape: ModuleShape): readonly FunctionImport[] {
  return shape.imports.map(({ module, name, typeIndex }) => {
    const type = shape.types[typeIndex];
    return { module, name, signature: type === undefined ? "" : signatureOf(type) };
  });
}

function exportedFunctionsOf(shape: ModuleShape): ReadonlyMap<string, string> {
  const functions = new Map<string, string>();
  for (const { name, kind, index } of shape.exports) {
    const type = kind === "function" ? shape.types[shape.functionTypes[index] ?? 0] : undefined;
    if (type !== undefined) functions.set(name, signatureOf(type));
  }
  return functions;
}

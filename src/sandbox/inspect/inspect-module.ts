import { type Cid, cidOf, RAW } from "../../protocol/cid.ts";
import { type FailureCode, failureCode, failureKind, type FailureName } from "../../protocol/failure-code.ts";
import { FailureError } from "../../protocol/failure.ts";
import { type Compiled, compileAny, isCompiledComponent } from "../compile-any.ts";
import type { Abi } from "../task.ts";
import { abisOffering, fitsOf, type InterfaceFit, refusalOfImport } from "./interfaces.ts";
import { componentFit, inspectComponent } from "./component-outline.ts";
import { type ModuleOutline, outlineOf, type OutlineImport } from "./module-outline.ts";
import { refusalOfFeature, withoutPlace } from "./refused-features.ts";

export interface Reason {
  readonly code: FailureCode;
  readonly name: string;
  readonly detail: string;
}

export interface InspectedImport extends OutlineImport {
  /** Interfaces that offer it; with none it is refused. */
  readonly abis: readonly Abi[];
}

/** All that can be said of a function without running it. */
export interface Inspection {
  readonly cid: Cid;
  readonly bytes: number;
  readonly kind: "module" | "component" | "unknown";
  readonly verdict: "accepted" | "refused";
  /** Why it is refused: everything that was found, the first thing first. Empty when it is accepted. */
  readonly reasons: readonly Reason[];
  readonly outline: ModuleOutline;
  readonly imports: readonly InspectedImport[];
  readonly interfaces: readonly InterfaceFit[];
  /** Size of the metered module; absent when the profile refuses the module. */
  readonly meteredBytes?: number;
}

const MAGIC = [0x00, 0x61, 0x73, 0x6d];
const COMPONENT = [0x0d, 0, 1, 0];

function kindOf(bytes: Uint8Array): Inspection["kind"] {
  const has = (expected: readonly number[], at: number): boolean =>
    expected.every((byte, i) => bytes[at + i] === byte);
  if (!has(MAGIC, 0)) return "unknown";
  return has(COMPONENT, 4) ? "component" : "module";
}

/** @param entry exported function that a job would call; "" for the interface's usual one */
export async function inspectModule(bytes: Uint8Array, entry = ""): Promise<Inspection> {
  const kind = kindOf(bytes);
  const compiled = await compiledOrReason(bytes);
  const isRefused = "code" in compiled;
  const parts =
    kind === "component" ? componentParts(bytes, compiled, entry) : moduleParts(bytes, kind, entry);
  const { outline, imports, interfaces } = parts;
  const first = isRefused ? [compiled, ...featureReasons(outline, compiled.detail)] : [];
  const said = new Set(first.map(({ name, detail }) => `${name} ${detail}`));
  const others = kind === "unknown" ? [] : interfaceReasons(imports, interfaces);
  const reasons = [...first, ...others.filter(({ name, detail }) => !said.has(`${name} ${detail}`))];
  return {
    cid: cidOf(RAW, bytes),
    bytes: bytes.length,
    kind,
    verdict: reasons.length === 0 ? "accepted" : "refused",
    reasons,
    outline,
    imports,
    interfaces,
    ...(isRefused ? {} : { meteredBytes: compiled.meteredBytes }),
  };
}

interface Parts {
  readonly outline: ModuleOutline;
  readonly imports: readonly InspectedImport[];
  readonly interfaces: readonly InterfaceFit[];
}

function moduleParts(bytes: Uint8Array, kind: Inspection["kind"], entry: string): Parts {
  const outline = outlineOf(kind === "module" ? bytes : new Uint8Array(0));
  const imports = outline.imports.map((each) => ({ ...each, abis: abisOffering(each) }));
  return { outline, imports, interfaces: kind === "module" ? fitsOf(outline, entry) : [] };
}

function componentParts(bytes: Uint8Array, compiled: Compiled | Reason, entry: string): Parts {
  const plan = "code" in compiled || !isCompiledComponent(compiled) ? undefined : compiled.plan;
  const { outline, imports } = inspectComponent(bytes, plan);
  return { outline, imports, interfaces: [componentFit(imports, plan, entry)] };
}

function reason(name: FailureName, detail: string): Reason {
  return { code: failureCode(name), name, detail };
}

async function compiledOrReason(bytes: Uint8Array): Promise<Compiled | Reason> {
  try {
    return await compileAny(new Uint8Array(bytes));
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    return { code: error.code, name: failureKind(error.code).name, detail: error.detail };
  }
}

/** The reader stops at the first thing it refuses; these are the others. */
function featureReasons(outline: ModuleOutline, first: string): readonly Reason[] {
  const refusals = outline.features.flatMap((feature) => {
    const refusal = refusalOfFeature(feature);
    return refusal === undefined || refusal === withoutPlace(first) ? [] : [`${feature}: ${refusal}`];
  });
  return refusals.map((detail) => reason("invalid-module", detail));
}

function interfaceReasons(
  imports: readonly InspectedImport[],
  interfaces: readonly InterfaceFit[],
): readonly Reason[] {
  if (interfaces.some(({ fits }) => fits)) return [];
  const refused = imports.filter(({ abis }) => abis.length === 0);
  const possible = interfaces.filter(({ importProblems }) => importProblems.length === 0);
  const mixed = refused.length === 0 && possible.length === 0;
  return [
    ...refused.map((each) => reason("import-refused", refusalOfImport(each))),
    ...(mixed ? [reason("import-refused", "no one interface offers all that it imports")] : []),
    ...possible.flatMap(({ abi, exportProblems }) =>
      exportProblems.map((problem) => reason("export-missing", `${abi}: ${problem}`)),
    ),
  ];
}

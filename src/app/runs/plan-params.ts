import type { Plan } from "../../plan/plan.ts";
import type { ValueType } from "../../plan/value-type.ts";
import type { PlanParams } from "../../sdk/index.ts";

/** What a person has typed or chosen for a parameter. */
export type ParamDraft =
  | { readonly kind: "typed"; readonly text: string }
  | { readonly kind: "file"; readonly name: string; readonly bytes: Uint8Array };

export type ParamDrafts = Readonly<Record<string, ParamDraft>>;

export const UNTYPED: ParamDraft = { kind: "typed", text: "" };

/** How a parameter is asked for. */
export type ParamField = "text" | "lines" | "number" | "boolean" | "file" | "json" | "nothing";

export function fieldFor(type: ValueType): ParamField {
  switch (type.type) {
    case "text":
      return "text";
    case "number":
      return "number";
    case "boolean":
      return "boolean";
    case "bytes":
      return "file";
    case "nothing":
      return "nothing";
    case "list":
      return type.of.type === "text" ? "lines" : "json";
    case "json":
    case "record":
    case "optional":
      return "json";
    default:
      return type satisfies never;
  }
}

export type ReadParam =
  | { readonly kind: "ready"; readonly value: unknown }
  | { readonly kind: "wrong"; readonly problem: string };

/** What the run is given for a parameter. Whether JSON is of the type is for the run to say. */
export function readParam(type: ValueType, draft: ParamDraft): ReadParam {
  if (draft.kind === "file") return { kind: "ready", value: draft.bytes };
  const { text } = draft;
  const field = fieldFor(type);
  switch (field) {
    case "text":
      return { kind: "ready", value: text };
    case "lines":
      return { kind: "ready", value: text.split("\n").filter((line) => line.trim() !== "") };
    case "number": {
      const value = Number(text);
      return text.trim() !== "" && Number.isFinite(value)
        ? { kind: "ready", value }
        : { kind: "wrong", problem: "Type a number." };
    }
    case "boolean":
      return { kind: "ready", value: text === "true" };
    case "file":
      return { kind: "wrong", problem: "Choose a file." };
    case "nothing":
      return { kind: "ready", value: null };
    case "json":
      return readJson(type, text);
    default:
      return field satisfies never;
  }
}

function readJson(type: ValueType, text: string): ReadParam {
  if (text.trim() === "")
    return type.type === "optional"
      ? { kind: "ready", value: null }
      : { kind: "wrong", problem: "Type its JSON." };
  try {
    const value: unknown = JSON.parse(text);
    return { kind: "ready", value };
  } catch {
    return { kind: "wrong", problem: "This is not JSON yet." };
  }
}

export type ReadParams =
  | { readonly kind: "ready"; readonly params: PlanParams }
  | { readonly kind: "wrong"; readonly name: string; readonly problem: string };

export function readParams(plan: Plan, drafts: ParamDrafts): ReadParams {
  const params: [string, unknown][] = [];
  for (const [name, type] of Object.entries(plan.graph.params)) {
    const read = readParam(type, drafts[name] ?? UNTYPED);
    if (read.kind === "wrong") return { kind: "wrong", name, problem: read.problem };
    params.push([name, read.value]);
  }
  return { kind: "ready", params: Object.fromEntries(params) };
}

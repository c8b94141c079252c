import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { canonicalJson, parseJson } from "../../plan/json-value.ts";
import type { Graph, NodeId, Source } from "../../plan/plan.ts";
import { giveTo } from "./connections.ts";
import type { GraphPlace } from "./find-node.ts";
import { type Option, SelectField, TextField } from "./fields.tsx";
import type { PlanDraft } from "./plan-draft.ts";
import { isNothing, NOTHING } from "./plan-edits.ts";
import { typeOf } from "./plan-lore.ts";
import { printType } from "../../plan/text/type-text.ts";

export interface SourceFieldProps {
  readonly draft: PlanDraft;
  readonly label: string;
  readonly source: Source;
  /** The graph whose names can be chosen. */
  readonly graph: Graph;
  readonly place: GraphPlace | undefined;
  /** The node that is given the value, and where; absent for the result of a graph. */
  readonly taker?: { readonly id: NodeId; readonly slot: string };
  readonly problem?: string | undefined;
  readonly onSource: (source: Source) => void;
}

const CONSTANT = "constant";
const NONE = "none";

/** Where a value comes from: a parameter, another step, or a constant. What does not fit cannot be chosen, and says why. */
export function SourceField(props: SourceFieldProps): JSX.Element {
  const { draft, label, source, graph, taker, problem, onSource } = props;
  const { plan } = draft;
  const options = useMemo(() => optionsOf(props), [plan, taker?.id, taker?.slot]);
  const value = valueOf(source);
  const isConstant = value === CONSTANT;
  return (
    <div class="edit-source">
      <SelectField
        label={label}
        value={value}
        options={[
          { value: NONE, label: "nothing yet" },
          { value: CONSTANT, label: "a constant" },
          ...group("Parameters", options.params),
          ...group("Steps", options.nodes),
        ]}
        problem={isConstant ? undefined : problem}
        onChoose={(chosen) => onSource(sourceOf(chosen, source, graph))}
      />
      {isConstant && (
        <TextField
          label={`${label}: constant`}
          isCode
          hint="JSON. A word without quotes is taken as text."
          value={source.from === "constant" ? source.json : ""}
          problem={problem}
          onText={(text) => {
            onSource({ from: "constant", json: jsonOf(text) });
            return undefined;
          }}
        />
      )}
    </div>
  );
}

function group(
  name: string,
  options: readonly Option[],
): readonly { group: string; options: readonly Option[] }[] {
  return options.length === 0 ? [] : [{ group: name, options }];
}

function valueOf(source: Source): string {
  if (isNothing(source)) return NONE;
  if (source.from === "constant") return CONSTANT;
  return source.from === "param" ? `param ${source.param}` : `node ${source.node}`;
}

function sourceOf(value: string, before: Source, graph: Graph): Source {
  if (value === NONE) return NOTHING;
  if (value === CONSTANT)
    return before.from === "constant" && !isNothing(before) ? before : { from: "constant", json: '""' };
  const name = value.slice(value.indexOf(" ") + 1);
  return value.startsWith("param ") && name in graph.params
    ? { from: "param", param: name }
    : { from: "node", node: name };
}

/** The one spelling of a constant. What is no JSON is meant as text. */
function jsonOf(text: string): string {
  try {
    return canonicalJson(parseJson(text));
  } catch {
    return canonicalJson(text);
  }
}

interface Offered {
  readonly params: readonly Option[];
  readonly nodes: readonly Option[];
}

function optionsOf({ draft, graph, place, taker }: SourceFieldProps): Offered {
  const { plan } = draft;
  const option = (value: string, name: string, source: Source): Option => {
    const type = typeOf(plan, place, source);
    const label = type === undefined ? name : `${name} · ${printType(type)}`;
    if (taker === undefined) return { value, label };
    const outcome = giveTo(plan, taker.id, taker.slot, source);
    return outcome.kind === "connected"
      ? { value, label }
      : { value, label: `${label} – ${outcome.why}`, isDisabled: true };
  };
  return {
    params: Object.keys(graph.params).map((param) =>
      option(`param ${param}`, param, { from: "param", param }),
    ),
    nodes: Object.keys(graph.nodes)
      .filter((id) => id !== taker?.id)
      .map((node) => option(`node ${node}`, node, { from: "node", node })),
  };
}

import type { JSX } from "preact";
import type { Capability, Place } from "../../plan/plan.ts";
import { parseExpression } from "../../plan/expression/parse-expression.ts";
import { printExpression } from "../../plan/expression/print-expression.ts";
import { AgentFields } from "./agent-fields.tsx";
import { CalleeFields } from "./callee-fields.tsx";
import { EffectFields } from "./effect-fields.tsx";
import { usualEffect } from "./usual-effects.ts";
import { CheckList, NumberField, SelectField, TextField } from "./fields.tsx";
import { wiredExpression } from "./expression-names.ts";
import type { KindFieldsProps, Of } from "./kind-props.ts";
import { NOTHING } from "./plan-edits.ts";
import { TypeField } from "./type-field.tsx";

const MOST = 65_536;
const DAY_MS = 86_400_000;

/** What only nodes of its kind have. */
export function KindFields(props: KindFieldsProps): JSX.Element | null {
  const { node, onNode, draft, models, problemAt } = props;
  switch (node.kind) {
    case "call":
      return (
        <>
          <CalleeFields
            label={node.callee.kind === "model" ? "Model" : "Function"}
            callee={node.callee}
            functions={draft.functions}
            models={models}
            problem={problemAt("callee")}
            onCallee={(callee) => onNode("callee", { ...node, callee })}
          />
          <TypeField
            label="Its value is"
            type={node.output}
            onType={(output) => onNode("output", { ...node, output })}
          />
        </>
      );
    case "effect":
      return (
        <>
          <EffectFields
            capability={node.capability}
            problemAt={problemAt}
            onCapability={(capability) =>
              onNode("capability", {
                ...node,
                capability,
                ...(capability.kind === node.capability.kind
                  ? {}
                  : { ...usualEffect(capability.kind), place: placeOf(capability, node.place) }),
              })
            }
          />
          <TypeField
            label="Its value is"
            type={node.output}
            onType={(output) => onNode("output", { ...node, output })}
          />
        </>
      );
    case "agent":
      return <AgentFields {...props} node={node} />;
    case "expr":
      return <ExpressionField {...props} node={node} />;
    case "map":
      return (
        <div class="edit-pair">
          <NumberField
            label="Elements at most"
            value={node.max}
            most={MOST}
            problem={problemAt("max")}
            onNumber={(max) => onNode("max", { ...node, max })}
          />
          <NumberField
            label="At a time"
            value={node.parallel}
            most={1_024}
            problem={problemAt("parallel")}
            onNumber={(parallel) => onNode("parallel", { ...node, parallel })}
          />
        </div>
      );
    case "reduce":
      return (
        <NumberField
          label="Elements at most"
          value={node.max}
          most={MOST}
          onNumber={(max) => onNode("max", { ...node, max })}
        />
      );
    case "loop":
      return (
        <NumberField
          label="Turns at most"
          hint="Its result is {done, value}: with done it ends."
          value={node.max}
          most={MOST}
          onNumber={(max) => onNode("max", { ...node, max })}
        />
      );
    case "retry":
      return (
        <div class="edit-pair">
          <NumberField
            label="Attempts"
            value={node.attempts}
            most={64}
            onNumber={(attempts) => onNode("attempts", { ...node, attempts })}
          />
          <Milliseconds
            label="First wait"
            ms={node.backoffMs}
            onMs={(backoffMs) => onNode("backoffMs", { ...node, backoffMs })}
          />
        </div>
      );
    case "timeout":
    case "delay":
      return (
        <Milliseconds
          label={node.kind === "delay" ? "Waits" : "At most"}
          ms={node.ms}
          onMs={(ms) => onNode("ms", { ...node, ms })}
        />
      );
    case "select":
      return <SelectFields {...props} node={node} />;
    case "observe":
      return <ObserveFields {...props} node={node} />;
    case "stream":
      return <StreamFields {...props} node={node} />;
    case "branch":
    case "attempt":
    case "subplan":
    case "fail":
      return null;
    default:
      return node satisfies never;
  }
}

/** Stores are kept by the relay alone. */
function placeOf({ kind }: Capability, place: Place): Place {
  if (kind.startsWith("kv-")) return { at: "relay" };
  return place.at === "relay" ? { at: "any" } : place;
}

function Milliseconds(props: {
  readonly label: string;
  readonly ms: number;
  readonly onMs: (ms: number) => void;
}): JSX.Element {
  return (
    <NumberField
      label={props.label}
      unit="s"
      value={props.ms / 1_000}
      least={0}
      most={DAY_MS / 1_000}
      step={0.1}
      onNumber={(value) => props.onMs(Math.round(value * 1_000))}
    />
  );
}

function ExpressionField({ draft, id, node, onNode, problemAt }: Of<"expr">): JSX.Element {
  return (
    <TextField
      label="Expression"
      isCode
      rows={3}
      hint='As in split(text, "\n")[0]. Names of steps and parameters are found by themselves.'
      value={printExpression(node.expression)}
      problem={problemAt("expression")}
      onText={(text) => {
        try {
          onNode(
            "expression",
            wiredExpression(draft.plan, id, { ...node, expression: parseExpression(text) }),
          );
          return undefined;
        } catch (error) {
          return error instanceof RangeError ? `${error.message}.` : "This is no expression.";
        }
      }}
    />
  );
}

const RULES = [
  { value: "first", label: "those that end first" },
  { value: "equal", label: "those whose values are equal" },
  { value: "quorum", label: "a quorum of all" },
] as const;
const MOST_WAYS = 16;

function SelectFields({ node, onNode }: Of<"select">): JSX.Element {
  const [first] = node.of;
  return (
    <>
      <SelectField
        label="Takes"
        value={node.rule}
        options={RULES}
        onChoose={(value) =>
          onNode("rule", { ...node, rule: RULES.find((each) => each.value === value)?.value ?? "first" })
        }
      />
      <div class="edit-pair">
        <NumberField
          label="So many"
          value={node.k}
          most={node.of.length}
          onNumber={(k) => onNode("k", { ...node, k })}
        />
        <NumberField
          label="Of ways"
          value={node.of.length}
          least={Math.max(node.k, 1)}
          most={MOST_WAYS}
          onNumber={(count) =>
            onNode("of", {
              ...node,
              of: Array.from(
                { length: count },
                (_, index) => node.of[index] ?? { params: first?.params ?? {}, nodes: {}, result: NOTHING },
              ),
            })
          }
        />
      </div>
    </>
  );
}

function ObserveFields({ node, beside, onNode }: Of<"observe">): JSX.Element {
  return (
    <>
      <CheckList
        legend="Steps it looks at"
        names={beside}
        chosen={node.of}
        onChange={(of) => onNode("of", { ...node, of })}
      />
      <div class="edit-pair">
        <NumberField
          label="At least"
          value={node.atLeast}
          least={0}
          most={Math.max(node.of.length, 1)}
          onNumber={(atLeast) => onNode("atLeast", { ...node, atLeast })}
        />
        <Milliseconds label="Waits" ms={node.ms} onMs={(ms) => onNode("ms", { ...node, ms })} />
      </div>
    </>
  );
}

function StreamFields({ node, onNode }: Of<"stream">): JSX.Element {
  return (
    <>
      <NumberField
        label="Values at most"
        value={node.max}
        most={MOST}
        onNumber={(max) => onNode("max", { ...node, max })}
      />
      <button
        class="button button-quiet button-small"
        type="button"
        onClick={() => onNode("more", { ...node, of: [...node.of, NOTHING] })}
      >
        Add a value
      </button>
    </>
  );
}

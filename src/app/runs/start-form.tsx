import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import type { RelayInfo } from "../../protocol/relay-api.ts";
import type { MicroCredits } from "../../protocol/units.ts";
import { Amount } from "../components/amount.tsx";
import { FileButton } from "../components/file-button.tsx";
import { openPlanFile, PLAN_FILES } from "../editor/editor-bar.tsx";
import { nodeLine } from "../editor/node-lines.ts";
import { planBounds, stepsText } from "../editor/plan-bounds.tsx";
import { counted } from "../words/quantities.ts";
import { PLAN_EXAMPLES } from "./plan-examples.ts";
import { readParams, UNTYPED } from "./plan-params.ts";
import { Param } from "./param-field.tsx";
import { PlanGraph } from "./plan-graph.tsx";
import type { RunsDesk } from "./runs-desk.ts";

export interface StartFormProps {
  readonly desk: RunsDesk;
  readonly info: RelayInfo | undefined;
  readonly available: MicroCredits | undefined;
  readonly testMoney: boolean;
}

/** A run in three steps: which plan, on what, for how much. */
export function StartForm(props: StartFormProps): JSX.Element {
  const { desk } = props;
  const { draft } = desk;
  return (
    <div class="runs-form">
      <PlanStep desk={desk} />
      {!draft.isEmpty && (
        <>
          <ParamStep desk={desk} />
          <BudgetStep {...props} />
        </>
      )}
    </div>
  );
}

function PlanStep({ desk }: { readonly desk: RunsDesk }): JSX.Element {
  const { draft } = desk;
  const { text, isRefusal } = draft.said.value;
  return (
    <section class="card runs-step" aria-labelledby="runs-plan-title">
      <h2 id="runs-plan-title">
        <span class="runs-number">1</span>Plan
      </h2>
      <PlanDrop desk={desk} />
      <div class="runs-examples" role="group" aria-label="Examples">
        {PLAN_EXAMPLES.map((example) => (
          <button
            key={example.title}
            class="runs-example"
            type="button"
            onClick={() => void desk.useExample(example)}
          >
            <strong>{example.title}</strong>
            <span>{example.sentence}</span>
          </button>
        ))}
      </div>
      <p class={isRefusal ? "editor-said editor-refusal" : "editor-said"} role="status">
        {text}
      </p>
      {!draft.isEmpty && <Preview desk={desk} />}
    </section>
  );
}

function PlanDrop({ desk }: { readonly desk: RunsDesk }): JSX.Element {
  const isOver = useSignal(false);
  const take = (file: File): void => void openPlanFile(desk.draft, file);
  return (
    <div
      class="runs-drop"
      data-over={isOver.value}
      onDragOver={(event) => {
        event.preventDefault();
        isOver.value = true;
      }}
      onDragLeave={() => (isOver.value = false)}
      onDrop={(event) => {
        event.preventDefault();
        isOver.value = false;
        const file = event.dataTransfer?.files[0];
        if (file !== undefined) take(file);
      }}
    >
      <p>
        {desk.draft.isEmpty ? (
          "A plan as JSON or YAML, or one that you draw here."
        ) : (
          <strong class="runs-name">{desk.draft.plan.name}</strong>
        )}
      </p>
      <div class="button-row">
        <FileButton label="Choose a file" name="Plan as a file" accept={PLAN_FILES} onFile={take} />
        <button class="button" type="button" onClick={() => (desk.view.value = "editor")}>
          {desk.draft.isEmpty ? "Draw a plan" : "Change it"}
        </button>
      </div>
    </div>
  );
}

function Preview({ desk }: { readonly desk: RunsDesk }): JSX.Element {
  const { draft } = desk;
  const selected = draft.selected.value;
  return (
    <div class="runs-preview">
      <PlanGraph
        plan={draft.plan}
        label={`Steps of ${draft.plan.name}`}
        look={({ node, id }) => ({
          line: nodeLine(node, draft.functions),
          ...(draft.problemsOf(id).length > 0 ? { mark: "wrong" } : {}),
        })}
        selected={selected}
        onSelect={(id) => (draft.selected.value = id)}
        onOpen={() => (desk.view.value = "editor")}
      />
      {draft.problems.length > 0 && (
        <p class="hint hint-alarm">
          {`${counted(draft.problems.length, "thing")} in this plan ${draft.problems.length === 1 ? "is" : "are"} not right yet. Change it to see what.`}
        </p>
      )}
    </div>
  );
}

function ParamStep({ desk }: { readonly desk: RunsDesk }): JSX.Element {
  const params = Object.entries(desk.draft.plan.graph.params);
  return (
    <section class="card runs-step" aria-labelledby="runs-params-title">
      <h2 id="runs-params-title">
        <span class="runs-number">2</span>What it is given
      </h2>
      {params.length === 0 ? (
        <p class="hint">This plan is given nothing.</p>
      ) : (
        params.map(([name, type]) => (
          <Param
            key={name}
            name={name}
            type={type}
            draft={desk.params.value[name] ?? UNTYPED}
            onDraft={(draft) => desk.setParam(name, draft)}
          />
        ))
      )}
      <p class="hint">
        Whoever carries out a step reads what it is given. Send nothing that a stranger must not see.
      </p>
    </section>
  );
}

function BudgetStep({ desk, info, available, testMoney }: StartFormProps): JSX.Element {
  const { draft } = desk;
  const { plan } = draft;
  const bounds = useMemo(() => planBounds(plan, info), [plan, info]);
  const read = readParams(plan, desk.params.value);
  const typed = desk.budget.value.trim();
  const isWrong = typed !== "" && desk.budgetAsked() === undefined;
  const isRight = draft.problems.length === 0 && read.kind === "ready" && !isWrong;
  return (
    <section class="card runs-step" aria-labelledby="runs-budget-title">
      <h2 id="runs-budget-title">
        <span class="runs-number">3</span>Budget
      </h2>
      <dl class="plan-figures">
        <div>
          <dt>Steps at most</dt>
          <dd>{bounds === undefined ? "–" : stepsText(bounds.steps)}</dd>
        </div>
        <div>
          <dt>Price at most</dt>
          <dd>
            {bounds === undefined ? "–" : <Amount value={bounds.cost} testMoney={testMoney} withUnit />}
          </dd>
        </div>
        <div>
          <dt>You have</dt>
          <dd>
            {available === undefined ? "–" : <Amount value={available} testMoney={testMoney} withUnit />}
          </dd>
        </div>
      </dl>
      <div class="field runs-budget">
        <label for="runs-budget">Most that the run may cost, credits</label>
        <input
          id="runs-budget"
          inputMode="decimal"
          autocomplete="off"
          placeholder="what the plan can cost at most, or half of what you have"
          aria-describedby="runs-budget-hint"
          aria-invalid={isWrong ? true : undefined}
          value={desk.budget.value}
          onInput={(event) => (desk.budget.value = event.currentTarget.value)}
        />
        <p class={isWrong ? "hint hint-alarm" : "hint"} id="runs-budget-hint">
          {isWrong
            ? "Type an amount, as in 0.5."
            : "One budget for the whole run: the relay sets nothing more aside for it, whatever any peer does. What is not spent stays yours."}
        </p>
      </div>
      <div class="runs-actions">
        <button
          class="button"
          type="button"
          disabled={!isRight || desk.isRunning}
          onClick={() => desk.start()}
        >
          Run the plan
        </button>
        <p class="hint">
          {read.kind === "wrong"
            ? `“${read.name}”: ${read.problem}`
            : "Every step ends with a receipt that its tab has signed."}
        </p>
      </div>
    </section>
  );
}

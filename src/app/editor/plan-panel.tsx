import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { sentence } from "./connections.ts";
import { TextField } from "./fields.tsx";
import type { PlanDraft } from "./plan-draft.ts";
import { removeParam, renameParam, setParam, setResult } from "./plan-edits.ts";
import { SourceField } from "./source-field.tsx";
import { TypeField } from "./type-field.tsx";

const NAME = /^[A-Za-z_]\w{0,63}$/u;

/** The plan itself: its name, what it is given, and what comes out. */
export function PlanPanel({ draft }: { readonly draft: PlanDraft }): JSX.Element {
  const { plan } = draft;
  const { params } = plan.graph;
  const problems = draft.problemsOf(undefined);
  const result = problems.find(({ path }) => path.endsWith("result"));
  return (
    <section class="edit-panel" aria-labelledby="edit-panel-title">
      <div class="edit-panel-head">
        <h3 id="edit-panel-title" tabIndex={-1}>
          The plan
        </h3>
        <p class="hint">Choose a step in the graph to change it.</p>
      </div>
      {problems.length > 0 && (
        <ul class="edit-problems">
          {problems.map(({ path, message }) => (
            <li key={`${path} ${message}`}>{sentence(message)}</li>
          ))}
        </ul>
      )}
      <TextField
        label="Name of the plan"
        value={plan.name}
        onText={(name) => {
          draft.edit("the name", (before) => ({ ...before, name }));
          return undefined;
        }}
      />
      {Object.entries(params).map(([name, type]) => (
        <fieldset class="edit-limits" key={name}>
          <legend>{`Parameter “${name}”`}</legend>
          <TextField
            label="Name"
            isCode
            isLate
            value={name}
            onText={(to) => {
              if (!NAME.test(to)) return "A name begins with a letter.";
              if (to !== name && to in params) return `“${to}” is there already.`;
              draft.edit("a parameter", (before) => renameParam(before, name, to));
              return undefined;
            }}
          />
          <TypeField
            label="It is"
            type={type}
            onType={(next) => draft.edit(`param ${name}`, (before) => setParam(before, name, next))}
          />
          <button
            class="link"
            type="button"
            onClick={() => draft.edit("param-away", (before) => removeParam(before, name))}
          >
            {`Take “${name}” away`}
          </button>
        </fieldset>
      ))}
      <AddParam draft={draft} />
      <SourceField
        draft={draft}
        label="The result is"
        source={plan.graph.result}
        graph={plan.graph}
        place={undefined}
        problem={result && sentence(result.message)}
        onSource={(source) => draft.edit("the result", (before) => setResult(before, undefined, source))}
      />
    </section>
  );
}

function AddParam({ draft }: { readonly draft: PlanDraft }): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  const add = (): void => {
    const element = input.current;
    const name = element?.value.trim() ?? "";
    if (element === null || !NAME.test(name) || name in draft.plan.graph.params) {
      draft.say(
        name in draft.plan.graph.params ? `“${name}” is there already.` : "A name begins with a letter.",
        true,
      );
      return;
    }
    draft.edit("add-param", (before) => setParam(before, name, { type: "text" }));
    draft.say(`The plan is now given “${name}”.`);
    element.value = "";
  };
  return (
    <form
      class="edit-add"
      onSubmit={(event) => {
        event.preventDefault();
        add();
      }}
    >
      <input
        ref={input}
        class="code"
        aria-label="Name of a further parameter"
        placeholder="another parameter"
        spellcheck={false}
      />
      <button class="button button-quiet button-small" type="submit">
        Add a parameter
      </button>
    </form>
  );
}

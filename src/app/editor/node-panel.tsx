import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { graphsOf, inputsOf } from "../../plan/node-parts.ts";
import type { NodeId, PlanNode } from "../../plan/plan.ts";
import type { PublishedModel } from "../../protocol/relay-api.ts";
import { KINDS, kindOf } from "../runs/kinds.ts";
import { nameFor } from "./connections.ts";
import { CheckList, TextField } from "./fields.tsx";
import { type Found, findNode } from "./find-node.ts";
import { KindFields } from "./kind-fields.tsx";
import type { PlanDraft } from "./plan-draft.ts";
import { NOTHING, setInput, setResult, whyNotId, withName, withoutName } from "./plan-edits.ts";
import { problemWords } from "./problem-words.ts";
import { RemoteFields } from "./remote-fields.tsx";
import { SourceField } from "./source-field.tsx";

export interface NodePanelProps {
  readonly draft: PlanDraft;
  readonly id: NodeId;
  readonly models: readonly PublishedModel[];
  /** Back to the graph. */
  readonly onLeave: () => void;
}

/** Everything about one step of the plan. */
export function NodePanel(props: NodePanelProps): JSX.Element | null {
  const { draft, id, onLeave } = props;
  const found = findNode(draft.plan, id);
  if (found === undefined) return null;
  const { node } = found;
  const kind = kindOf(node);
  const problems = draft.problemsOf(id);
  return (
    <section
      class="edit-panel"
      aria-labelledby="edit-panel-title"
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.preventDefault();
        onLeave();
      }}
    >
      <div class="edit-panel-head">
        <h3 id="edit-panel-title" tabIndex={-1}>
          {node.title ?? id}
        </h3>
        <p class="hint">
          <strong>{KINDS[kind].label}.</strong> {KINDS[kind].sentence}
        </p>
      </div>
      {problems.length > 0 && (
        <ul class="edit-problems">
          {problems.map((each) => (
            <li key={`${each.path} ${each.message}`}>{problemWords(draft.plan, each)}</li>
          ))}
        </ul>
      )}
      <NameFields draft={draft} id={id} node={node} />
      <Inside {...props} found={found} />
      <div class="button-row">
        <button class="button button-quiet button-small" type="button" onClick={() => draft.remove(id)}>
          Remove this step
        </button>
        <button class="button button-quiet button-small edit-leave" type="button" onClick={onLeave}>
          Back to the graph
        </button>
      </div>
    </section>
  );
}

function NameFields({
  draft,
  id,
  node,
}: {
  readonly draft: PlanDraft;
  readonly id: NodeId;
  readonly node: PlanNode;
}): JSX.Element {
  return (
    <>
      <TextField
        label="Name"
        isCode
        isLate
        value={id}
        onText={(to) => {
          const why = whyNotId(draft.plan, id, to);
          if (why === undefined) draft.rename(id, to);
          return why;
        }}
      />
      <TextField
        label="Title"
        placeholder="for people"
        value={node.title ?? ""}
        onText={(title) => {
          draft.editNode(id, "title", (each) => {
            const { title: _before, ...rest } = each;
            return title === "" ? rest : { ...rest, title };
          });
          return undefined;
        }}
      />
    </>
  );
}

function Inside({ draft, id, models, found }: NodePanelProps & { readonly found: Found }): JSX.Element {
  const { node, graph, place } = found;
  const beside = Object.keys(graph.nodes).filter((each) => each !== id);
  const problems = draft.problemsOf(id);
  const problemAt = (path: string): string | undefined => {
    const problem = problems.find((each) => each.path === path || each.path.startsWith(`${path}.`));
    return problem && problemWords(draft.plan, problem);
  };
  const onNode = (what: string, next: PlanNode): void => draft.editNode(id, what, () => next);
  return (
    <>
      <KindFields {...{ draft, id, node, models, beside, problemAt, onNode }} />
      {inputsOf(node).map(({ slot, source }) => (
        <div class="edit-input" key={slot}>
          <SourceField
            draft={draft}
            label={slotLabel(slot)}
            source={source}
            graph={graph}
            place={place}
            taker={{ id, slot }}
            problem={problemAt(slot)}
            onSource={(next) => draft.edit(`${id} ${slot}`, (plan) => setInput(plan, id, slot, next))}
          />
          {slot.startsWith("with.") && (
            <button
              class="link"
              type="button"
              onClick={() =>
                draft.editNode(id, "names", (each) => withoutName(each, slot.slice("with.".length)))
              }
            >
              {`Take “${slot.slice("with.".length)}” away`}
            </button>
          )}
        </div>
      ))}
      {"with" in node && <AddName draft={draft} id={id} node={node} />}
      <Results draft={draft} id={id} node={node} />
      {"limits" in node && (
        <RemoteFields
          node={node}
          beside={beside}
          problemAt={problemAt}
          onNode={(what, change) =>
            draft.editNode(id, what, (each) => ("limits" in each ? { ...each, ...change } : each))
          }
        />
      )}
      {beside.length > 0 && node.kind !== "observe" && (
        <details class="edit-more">
          <summary>Wait for other steps</summary>
          <CheckList
            legend="Begins only after"
            names={beside}
            chosen={node.after ?? []}
            onChange={(after) =>
              draft.editNode(id, "after", (each) => {
                const { after: _before, ...rest } = each;
                return after.length === 0 ? rest : { ...rest, after };
              })
            }
          />
        </details>
      )}
    </>
  );
}

const SLOTS: ReadonlyMap<string, string> = new Map([
  ["input", "Its input"],
  ["request", "What is asked for"],
  ["task", "Its task"],
  ["over", "The list"],
  ["initial", "It begins with"],
  ["condition", "The condition"],
  ["value", "The value"],
  ["detail", "The reason"],
]);

function slotLabel(slot: string): string {
  if (slot.startsWith("with.")) return `“${slot.slice("with.".length)}” is`;
  if (slot.startsWith("of.")) return `Value ${Number(slot.slice("of.".length)) + 1}`;
  return SLOTS.get(slot) ?? slot;
}

const NAME = /^[A-Za-z_]\w{0,63}$/u;

/** A further name under which the expression, or the steps inside, know a value. */
function AddName({
  draft,
  id,
  node,
}: {
  readonly draft: PlanDraft;
  readonly id: NodeId;
  readonly node: PlanNode;
}): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (input.current !== null) input.current.value = "";
  }, [id]);
  const add = (): void => {
    const name = input.current?.value.trim() ?? "";
    const isTaken = "with" in node && Object.hasOwn(node.with, name);
    if (!NAME.test(name) || isTaken) {
      draft.say(isTaken ? `“${name}” is there already.` : "A name begins with a letter.", true);
      return;
    }
    draft.editNode(id, "names", (each) => withName(each, nameFor(name), NOTHING, { type: "json" }));
    if (input.current !== null) input.current.value = "";
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
        aria-label="Name of a further value"
        placeholder="another name"
        spellcheck={false}
      />
      <button class="button button-quiet button-small" type="submit">
        Add a value
      </button>
    </form>
  );
}

const RESULTS: ReadonlyMap<string, string> = new Map([
  ["graph", "Its steps come to"],
  ["then", "“then” comes to"],
  ["otherwise", "“otherwise” comes to"],
  ["fallback", "The fallback comes to"],
]);

/** What comes out of the steps inside. */
function Results({
  draft,
  id,
  node,
}: {
  readonly draft: PlanDraft;
  readonly id: NodeId;
  readonly node: PlanNode;
}): JSX.Element {
  return (
    <>
      {graphsOf(node).map(({ role, graph }) => (
        <SourceField
          key={role}
          draft={draft}
          label={RESULTS.get(role) ?? `Way ${Number(role.slice("of.".length)) + 1} comes to`}
          source={graph.result}
          graph={graph}
          place={{ owner: id, role }}
          onSource={(result) =>
            draft.edit(`${id} ${role} result`, (plan) => setResult(plan, { owner: id, role }, result))
          }
        />
      ))}
    </>
  );
}

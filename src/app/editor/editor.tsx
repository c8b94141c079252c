import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import type { DrawnNode } from "../../plan/layout.ts";
import { graphsOf } from "../../plan/node-parts.ts";
import type { Graph, NodeId } from "../../plan/plan.ts";
import type { PublishedModel, RelayInfo } from "../../protocol/relay-api.ts";
import { Dialog } from "../components/dialog.tsx";
import { type NodeLook, PlanGraph } from "../runs/plan-graph.tsx";
import { EditorBar } from "./editor-bar.tsx";
import { findNode, type GraphPlace } from "./find-node.ts";
import { SelectField } from "./fields.tsx";
import { nodeLine } from "./node-lines.ts";
import { NodePanel } from "./node-panel.tsx";
import { Palette } from "./palette.tsx";
import type { PlanDraft } from "./plan-draft.ts";
import { problemWords } from "./problem-words.ts";
import { PlanBounds } from "./plan-bounds.tsx";
import { PlanPanel } from "./plan-panel.tsx";

export interface EditorProps {
  readonly draft: PlanDraft;
  readonly models: readonly PublishedModel[];
  readonly info: RelayInfo | undefined;
  readonly testMoney: boolean;
  /** The plan is to be run. */
  readonly onUse: () => void;
}

/** A plan as a drawing that can be changed, with everything about the chosen step beside it. */
export function Editor({ draft, models, info, testMoney, onUse }: EditorProps): JSX.Element {
  const root = useRef<HTMLElement>(null);
  const isHelpOpen = useSignal(false);
  const { plan } = draft;
  const selected = draft.selected.value;
  const focusNode = (id: NodeId): void =>
    root.current?.querySelector<HTMLElement>(`[data-node="${CSS.escape(id)}"]`)?.focus();
  const openPanel = (): void => root.current?.querySelector<HTMLElement>("#edit-panel-title")?.focus();
  const keys: GraphKeys = { draft, openPanel, focusNode };
  return (
    <section
      class="card editor"
      aria-labelledby="editor-title"
      ref={root}
      onKeyDown={(event) => {
        if (takeWholeKey(event, draft)) event.preventDefault();
      }}
    >
      <EditorBar draft={draft} onHelp={() => (isHelpOpen.value = true)} onUse={onUse} />
      <Palette
        draft={draft}
        models={models}
        // The new step is drawn by the next frame.
        onAdded={(id) => requestAnimationFrame(() => focusNode(id))}
      />
      <Into draft={draft} />
      <Said draft={draft} />
      <div class="editor-columns">
        <div class="editor-sheet">
          {Object.keys(plan.graph.nodes).length === 0 ? (
            <p class="editor-blank">
              Nothing is here yet. Add a step from the row above, or a parameter beside.
            </p>
          ) : (
            <PlanGraph
              plan={plan}
              label="Steps of the plan. Arrow keys go from step to step, Enter opens one."
              look={(drawn) => lookOf(draft, drawn)}
              selected={selected}
              onSelect={(id) => {
                if (draft.connecting.value !== undefined && draft.connecting.value !== id) return;
                draft.select(id);
              }}
              onOpen={openPanel}
              onKey={(event, id) => takeNodeKey(event, id, keys)}
              onConnect={(from, to) => draft.connect(from, to)}
              connecting={draft.connecting.value}
            />
          )}
        </div>
        {selected === undefined || findNode(plan, selected) === undefined ? (
          <PlanPanel draft={draft} />
        ) : (
          <NodePanel
            key={draft.turns.value}
            draft={draft}
            id={selected}
            models={models}
            onLeave={() => focusNode(selected)}
          />
        )}
      </div>
      <PlanBounds draft={draft} info={info} testMoney={testMoney} />
      <Problems
        draft={draft}
        onGo={(id) => {
          draft.select(id);
          focusNode(id);
        }}
      />
      {isHelpOpen.value && <Keys onClose={() => (isHelpOpen.value = false)} />}
    </section>
  );
}

function lookOf(draft: PlanDraft, { id, node }: DrawnNode): NodeLook {
  const problems = draft.problemsOf(id);
  const [first] = problems;
  const line = nodeLine(node, draft.functions);
  if (first === undefined) return { line };
  return { line, mark: "wrong", aside: problemWords(draft.plan, first) };
}

interface GraphKeys {
  readonly draft: PlanDraft;
  readonly openPanel: () => void;
  readonly focusNode: (id: NodeId) => void;
}

/** Keys that mean something on a step. @returns whether this one did */
function takeNodeKey(event: KeyboardEvent, id: NodeId, { draft, focusNode }: GraphKeys): boolean {
  const from = draft.connecting.value;
  switch (event.key) {
    case "Enter":
      if (from === undefined) return false;
      if (from === id) draft.connecting.value = undefined;
      else draft.connect(from, id);
      draft.select(id);
      return true;
    case "Escape":
      if (from === undefined) {
        draft.select(undefined);
        return true;
      }
      draft.connecting.value = undefined;
      draft.say("Connected nothing.");
      return true;
    case "c":
    case "C":
      if (event.ctrlKey || event.metaKey) return false;
      draft.connecting.value = id;
      draft.say(`Where does “${id}” go? Go to a step with the arrow keys and press Enter. Escape leaves it.`);
      return true;
    case "Delete":
    case "Backspace": {
      draft.remove(id);
      const next = draft.selected.value;
      if (next !== undefined) requestAnimationFrame(() => focusNode(next));
      return true;
    }
    default:
      return false;
  }
}

/** Undo and redo, wherever in the editor the focus is, but not inside of a field that has its own. */
function takeWholeKey(event: KeyboardEvent, draft: PlanDraft): boolean {
  const isField =
    event.target instanceof HTMLTextAreaElement ||
    (event.target instanceof HTMLInputElement && event.target.type !== "checkbox");
  if (!(event.ctrlKey || event.metaKey) || isField) return false;
  const key = event.key.toLowerCase();
  if (key === "z" && !event.shiftKey) {
    draft.undo();
    return true;
  }
  if (key === "y" || (key === "z" && event.shiftKey)) {
    draft.redo();
    return true;
  }
  return false;
}

function keyOf(place: GraphPlace | undefined): string {
  return place === undefined ? "" : `${place.owner} ${place.role}`;
}

/** Which graph the next step goes into. */
function Into({ draft }: { readonly draft: PlanDraft }): JSX.Element | null {
  const places = placesOf(draft.plan.graph, undefined);
  if (places.length === 1) return null;
  return (
    <div class="editor-into">
      <SelectField
        label="New steps go into"
        value={keyOf(draft.into.value)}
        options={places.map(({ place, label }) => ({ value: keyOf(place), label }))}
        onChoose={(key) => {
          draft.into.value = places.find(({ place }) => keyOf(place) === key)?.place;
        }}
      />
    </div>
  );
}

interface NamedPlace {
  readonly place: GraphPlace | undefined;
  readonly label: string;
}

function placesOf(graph: Graph, place: GraphPlace | undefined): readonly NamedPlace[] {
  const own = place === undefined ? "the plan" : `“${place.owner}”${roleText(place.role)}`;
  return [
    { place, label: own },
    ...Object.entries(graph.nodes).flatMap(([owner, node]) =>
      graphsOf(node).flatMap(({ role, graph: inner }) => placesOf(inner, { owner, role })),
    ),
  ];
}

function roleText(role: string): string {
  if (role === "graph") return "";
  return role.startsWith("of.") ? `, way ${Number(role.slice("of.".length)) + 1}` : `, ${role}`;
}

function Said({ draft }: { readonly draft: PlanDraft }): JSX.Element {
  const { text, isRefusal } = draft.said.value;
  return (
    <p class={isRefusal ? "editor-said editor-refusal" : "editor-said"} role="status">
      {text}
    </p>
  );
}

const SHOWN_PROBLEMS = 8;

function Problems({
  draft,
  onGo,
}: {
  readonly draft: PlanDraft;
  readonly onGo: (id: NodeId) => void;
}): JSX.Element | null {
  const { problems } = draft;
  if (problems.length === 0 || draft.isEmpty) return null;
  const left = problems.length - SHOWN_PROBLEMS;
  return (
    <div class="editor-problems">
      <h3>Not right yet</h3>
      <ul>
        {problems.slice(0, SHOWN_PROBLEMS).map((each) => (
          <li key={`${each.node ?? ""} ${each.path} ${each.message}`}>
            {each.node !== undefined && <GoTo id={each.node} onGo={onGo} />}
            <span>{problemWords(draft.plan, each)}</span>
          </li>
        ))}
        {left > 0 && <li class="hint">{`and ${left} more`}</li>}
      </ul>
    </div>
  );
}

function GoTo({ id, onGo }: { readonly id: NodeId; readonly onGo: (id: NodeId) => void }): JSX.Element {
  return (
    <button class="link" type="button" onClick={() => onGo(id)}>
      {id}
    </button>
  );
}

const KEY_WORDS: readonly (readonly [keys: string, what: string])[] = [
  ["Arrow keys", "go from step to step"],
  ["Enter", "opens the step beside the graph; Escape comes back"],
  ["C, arrows, Enter", "connects: the value of the first step goes into the other"],
  ["Delete", "removes the step"],
  ["Ctrl Z, Ctrl Shift Z", "take back, and do again"],
  ["Escape", "leaves a connection; then the step"],
];

function Keys({ onClose }: { readonly onClose: () => void }): JSX.Element {
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl class="terms">
        {KEY_WORDS.map(([key, what]) => (
          <div key={key}>
            <dt>{key}</dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <p class="hint">
        With a pointer: drag from the dot at a step’s foot to another step. What does not fit is refused, and
        the page says why.
      </p>
      <div class="dialog-actions">
        <button class="button" type="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}

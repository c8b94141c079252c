import type { JSX } from "preact";
import { describeProblem, PlanError } from "../../plan/plan-error.ts";
import { parsePlan, type PlanFormat, printPlan } from "../../plan/plan-text.ts";
import { FailureError } from "../../protocol/failure.ts";
import { FileButton } from "../components/file-button.tsx";
import { savePlainText, saveTextFile } from "../state/save-file.ts";
import type { PlanDraft } from "./plan-draft.ts";

export interface EditorBarProps {
  readonly draft: PlanDraft;
  readonly onHelp: () => void;
  readonly onUse: () => void;
}

/** Steps back, files, and the way to a run. */
export function EditorBar({ draft, onHelp, onUse }: EditorBarProps): JSX.Element {
  const isRight = !draft.isEmpty && draft.problems.length === 0;
  return (
    <div class="card-head editor-bar">
      <h2 id="editor-title" tabIndex={-1}>
        {draft.plan.name}
      </h2>
      <div class="button-row">
        <button
          class="button button-quiet button-small"
          type="button"
          disabled={!draft.canUndo}
          onClick={() => draft.undo()}
        >
          Undo
        </button>
        <button
          class="button button-quiet button-small"
          type="button"
          disabled={!draft.canRedo}
          onClick={() => draft.redo()}
        >
          Redo
        </button>
        <ImportButton draft={draft} />
        <ExportButton draft={draft} format="yaml" />
        <ExportButton draft={draft} format="json" />
        <button class="button button-quiet button-small" type="button" onClick={onHelp}>
          Keys
        </button>
        <button class="button button-small" type="button" disabled={!isRight} onClick={onUse}>
          Run this plan
        </button>
      </div>
    </div>
  );
}

/** Reads a plan from a file. */
/** What a file with a plan is called. */
export const PLAN_FILES: string = ".json,.yaml,.yml,application/json,application/yaml";

export function ImportButton({ draft }: { readonly draft: PlanDraft }): JSX.Element {
  return (
    <FileButton
      label="Open a file"
      name="Plan as a file"
      accept={PLAN_FILES}
      isSmall
      onFile={(file) => void openPlanFile(draft, file)}
    />
  );
}

/** @returns whether it is a plan; why not is said by the draft */
export async function openPlanFile(draft: PlanDraft, file: File): Promise<boolean> {
  try {
    const { plan } = await parsePlan(await file.text());
    draft.open(plan, `Opened “${plan.name}” from ${file.name}.`);
    return true;
  } catch (error) {
    draft.say(`${file.name} was not taken. ${whyNotPlan(error)}`, true);
    return false;
  }
}

function whyNotPlan(error: unknown): string {
  if (error instanceof PlanError) {
    const [first] = error.problems;
    const more = error.problems.length - 1;
    return `${first === undefined ? "" : describeProblem(first)}${more > 0 ? `, and ${more} more` : ""}.`;
  }
  return error instanceof FailureError ? `${error.detail}.` : "It could not be read.";
}

function ExportButton({
  draft,
  format,
}: {
  readonly draft: PlanDraft;
  readonly format: PlanFormat;
}): JSX.Element {
  const save = async (): Promise<void> => {
    try {
      const text = await printPlan(draft.plan, format);
      const name = `${draft.plan.name === "" ? "plan" : draft.plan.name}.${format}`;
      if (format === "json") saveTextFile(name, text);
      else savePlainText(name, text);
    } catch {
      draft.say("The plan cannot be written down as it stands: a name in it is none.", true);
    }
  };
  return (
    <button class="button button-quiet button-small" type="button" onClick={() => void save()}>
      {`Save as ${format.toUpperCase()}`}
    </button>
  );
}

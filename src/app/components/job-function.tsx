import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { failureKind } from "../../protocol/failure-code.ts";
import type { Inspection } from "../../provider/workbench.ts";
import { printable } from "../state/jobs-output.ts";
import { type Example, EXAMPLES } from "../state/jobs-examples.ts";
import type { ChosenFunction, JobDraft } from "../state/jobs-draft.ts";
import { functionFacts, verdictSentence } from "../words/function-words.ts";
import { counted } from "../words/quantities.ts";
import { shortCid } from "../words/short-id.ts";
import { FailureNotice } from "./failure-notice.tsx";

/** First step: which function. A file of one's own, or an example. */
export function JobFunction({ draft }: { readonly draft: JobDraft }): JSX.Element {
  const chosen = draft.chosen.value;
  const refusal = draft.refusal.value;
  return (
    <section class="card job-step" aria-labelledby="job-function-title">
      <h2 id="job-function-title">
        <span class="job-number">1</span>Function
      </h2>
      <FileDrop draft={draft} name={chosen?.name} />
      <Examples onUse={(example) => void draft.useExample(example)} chosen={chosen?.name} />
      {refusal !== undefined && <FailureNotice title="The file was not taken" failure={refusal} />}
      {chosen !== undefined && <Looked chosen={chosen} />}
    </section>
  );
}

function FileDrop({
  draft,
  name,
}: {
  readonly draft: JobDraft;
  readonly name: string | undefined;
}): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  const isOver = useSignal(false);
  const take = (files: FileList | null | undefined): void => {
    const file = files?.[0];
    if (file !== undefined) void draft.choose(file);
  };
  return (
    <div
      class="job-drop"
      data-over={isOver.value}
      onDragOver={(event) => {
        event.preventDefault();
        isOver.value = true;
      }}
      onDragLeave={() => (isOver.value = false)}
      onDrop={(event) => {
        event.preventDefault();
        isOver.value = false;
        take(event.dataTransfer?.files);
      }}
    >
      <p>
        {name === undefined ? (
          "A WebAssembly file: a WASI program, a component, or a module of bytes."
        ) : (
          <>
            <strong class="job-file">{name}</strong>
          </>
        )}
      </p>
      <button class="button button-quiet" type="button" onClick={() => input.current?.click()}>
        {name === undefined ? "Choose a file" : "Choose another"}
      </button>
      <input
        ref={input}
        class="hidden"
        type="file"
        accept=".wasm,application/wasm"
        aria-label="WebAssembly file"
        tabIndex={-1}
        onChange={(event) => {
          take(event.currentTarget.files);
          // The same file may be chosen again.
          event.currentTarget.value = "";
        }}
      />
    </div>
  );
}

interface ExamplesProps {
  readonly chosen: string | undefined;
  readonly onUse: (example: Example) => void;
}

function Examples({ chosen, onUse }: ExamplesProps): JSX.Element {
  return (
    <div class="job-examples" role="group" aria-label="Examples">
      {EXAMPLES.map((example) => (
        <button
          key={example.name}
          class="job-example"
          type="button"
          aria-pressed={example.name === chosen}
          onClick={() => onUse(example)}
        >
          <strong>{example.title}</strong>
          <span>{example.sentence}</span>
        </button>
      ))}
    </div>
  );
}

function Looked({ chosen }: { readonly chosen: ChosenFunction }): JSX.Element {
  const { inspection, cid } = chosen;
  if (inspection.kind === "loading") return <p class="empty">Looking at the function…</p>;
  if (inspection.kind === "failed")
    return <FailureNotice title="The function could not be looked at" failure={inspection.failure} />;
  const { value } = inspection;
  const isFine = value.verdict === "accepted";
  return (
    <div class="job-look" role="status">
      <p class="job-verdict">
        <span class={isFine ? "chip chip-good" : "chip chip-bad"}>{isFine ? "Accepted" : "Refused"}</span>
        <span>{verdictSentence(value)}</span>
      </p>
      {!isFine && <Reasons inspection={value} />}
      {value.kind !== "unknown" && (
        <dl class="facts">
          {functionFacts(value).map(([name, text]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{text}</dd>
            </div>
          ))}
          <div>
            <dt>Name for everybody</dt>
            <dd class="code" title={cid}>
              {shortCid(cid)}
            </dd>
          </div>
        </dl>
      )}
      <Names inspection={value} />
    </div>
  );
}

/** More reasons than that say nothing more. */
const SHOWN_REASONS = 12;

function Reasons({ inspection: { reasons } }: { readonly inspection: Inspection }): JSX.Element {
  const left = reasons.length - SHOWN_REASONS;
  return (
    <ul class="job-reasons">
      {reasons.slice(0, SHOWN_REASONS).map(({ code, name, detail }) => (
        <li key={`${code} ${detail}`}>
          <span class="code job-file">{printable(detail)}</span>
          <span>{`${failureKind(code).means} ${failureKind(code).advice}`}</span>
          <span class="hint">{`${code} ${name}`}</span>
        </li>
      ))}
      {left > 0 && <li class="hint">{`and ${left} more`}</li>}
    </ul>
  );
}

const SHOWN_NAMES = 60;

function Names({ inspection }: { readonly inspection: Inspection }): JSX.Element | null {
  const { imports, outline } = inspection;
  const exports = outline.exports.filter(({ kind }) => kind === "function");
  if (imports.length + exports.length === 0) return null;
  return (
    <details class="technical">
      <summary>{`${counted(imports.length, "import")}, ${counted(exports.length, "exported function")}`}</summary>
      <ul class="job-names">
        {imports.slice(0, SHOWN_NAMES).map(({ module, name, kind, type, abis }) => (
          <li key={`${module}.${name}`} class="code">
            {printable(`import ${module === "" ? name : `${module}.${name}`} ${type === "" ? kind : type}`)}
            {abis.length === 0 && <strong> refused</strong>}
          </li>
        ))}
        {exports.slice(0, SHOWN_NAMES).map(({ name, type }) => (
          <li key={name} class="code">
            {printable(`export ${name} ${type}`)}
          </li>
        ))}
      </ul>
    </details>
  );
}

import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import type { InputList, InputSource } from "../state/jobs-inputs.ts";
import { sizesOf } from "../state/jobs-inputs.ts";
import { PICTURE_WIDTHS, SCENES } from "../state/jobs-picture.ts";
import type { JobDraft } from "../state/jobs-draft.ts";
import { bytesText } from "../words/model-words.ts";
import { counted } from "../words/quantities.ts";
import { Segments } from "./job-segments.tsx";

/** Second step: each file, line or number is a task; of a picture each tile. */
export function JobInputs({ draft }: { readonly draft: JobDraft }): JSX.Element {
  const isPicture = draft.chosen.value?.isPicture === true;
  return (
    <section class="card job-step" aria-labelledby="job-inputs-title">
      <div class="card-head">
        <h2 id="job-inputs-title">
          <span class="job-number">2</span>Inputs
        </h2>
        {!isPicture && <SourceChoice draft={draft} />}
      </div>
      {isPicture ? <PictureFields draft={draft} /> : <SourceFields draft={draft} />}
      <Count list={draft.inputs()} isPicture={isPicture} />
    </section>
  );
}

const SOURCES = [
  { value: "lines", label: "Lines" },
  { value: "files", label: "Files" },
  { value: "numbers", label: "Numbers" },
  { value: "nothing", label: "None" },
] as const;

function emptySource(kind: InputSource["kind"]): InputSource {
  switch (kind) {
    case "files":
      return { kind, files: [] };
    case "lines":
      return { kind, text: "" };
    case "numbers":
      return { kind, from: "1", to: "100" };
    case "nothing":
      return { kind };
    default:
      return kind satisfies never;
  }
}

function SourceChoice({ draft }: { readonly draft: JobDraft }): JSX.Element {
  return (
    <Segments
      label="Where inputs come from"
      name="job-source"
      options={SOURCES}
      value={draft.source.value.kind}
      onChange={(kind) => draft.setSource(emptySource(kind))}
    />
  );
}

function SourceFields({ draft }: { readonly draft: JobDraft }): JSX.Element {
  const source = draft.source.value;
  switch (source.kind) {
    case "lines":
      return <LineFields draft={draft} text={source.text} />;
    case "files":
      return <FileFields draft={draft} files={source.files} />;
    case "numbers":
      return <NumberFields draft={draft} source={source} />;
    case "nothing":
      return <p class="hint">The function runs once, with an empty input.</p>;
    default:
      return source satisfies never;
  }
}

function LineFields({ draft, text }: { readonly draft: JobDraft; readonly text: string }): JSX.Element {
  return (
    <div class="field">
      <label class="aside" for="job-lines">
        Lines
      </label>
      <textarea
        id="job-lines"
        rows={6}
        spellcheck={false}
        placeholder="One input a line"
        aria-describedby="job-count"
        value={text}
        onInput={(event) => draft.setSource({ kind: "lines", text: event.currentTarget.value })}
      />
    </div>
  );
}

/** Names of that many files are shown. */
const SHOWN_FILES = 6;

function FileFields({
  draft,
  files,
}: {
  readonly draft: JobDraft;
  readonly files: readonly File[];
}): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  const add = (list: FileList | null | undefined): void => {
    if (list !== null && list !== undefined && list.length > 0)
      draft.setSource({ kind: "files", files: [...files, ...list] });
  };
  return (
    <div
      class="job-drop"
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        add(event.dataTransfer?.files);
      }}
    >
      {files.length === 0 ? (
        <p>Drop files here. Each is an input of its own.</p>
      ) : (
        <ul class="job-filelist">
          {files.slice(0, SHOWN_FILES).map(({ name, size }, index) => (
            <li key={`${index} ${name}`}>
              <span class="job-file">{name}</span> <span class="hint">{bytesText(size)}</span>
            </li>
          ))}
          {files.length > SHOWN_FILES && <li class="hint">{`and ${files.length - SHOWN_FILES} more`}</li>}
        </ul>
      )}
      <div class="button-row">
        <button class="button button-quiet" type="button" onClick={() => input.current?.click()}>
          {files.length === 0 ? "Choose files" : "Add files"}
        </button>
        {files.length > 0 && (
          <button
            class="button button-quiet"
            type="button"
            onClick={() => draft.setSource({ kind: "files", files: [] })}
          >
            Clear
          </button>
        )}
      </div>
      <input
        ref={input}
        class="hidden"
        type="file"
        multiple
        aria-label="Input files"
        tabIndex={-1}
        onChange={(event) => {
          add(event.currentTarget.files);
          event.currentTarget.value = "";
        }}
      />
    </div>
  );
}

interface NumberFieldsProps {
  readonly draft: JobDraft;
  readonly source: Extract<InputSource, { kind: "numbers" }>;
}

function NumberFields({ draft, source }: NumberFieldsProps): JSX.Element {
  const { from, to } = source;
  return (
    <div class="job-pair">
      <div class="field">
        <label for="job-from">From</label>
        <input
          id="job-from"
          inputMode="numeric"
          autocomplete="off"
          value={from}
          onInput={(event) => draft.setSource({ kind: "numbers", from: event.currentTarget.value, to })}
        />
      </div>
      <div class="field">
        <label for="job-to">To, included</label>
        <input
          id="job-to"
          inputMode="numeric"
          autocomplete="off"
          value={to}
          onInput={(event) => draft.setSource({ kind: "numbers", from, to: event.currentTarget.value })}
        />
      </div>
    </div>
  );
}

const QUALITIES = [
  { value: "draft", label: "Draft" },
  { value: "standard", label: "Standard" },
  { value: "fine", label: "Fine" },
] as const;

function PictureFields({ draft }: { readonly draft: JobDraft }): JSX.Element {
  const { scene, width, quality } = draft.picture.value;
  return (
    <div class="job-picture-fields">
      <Labelled label="Scene">
        <Segments
          label="Scene"
          name="job-scene"
          options={SCENES.map(({ name, title }) => ({ value: name, label: title }))}
          value={scene}
          onChange={(next) => draft.setPicture({ scene: next })}
        />
      </Labelled>
      <Labelled label="Quality">
        <Segments
          label="Quality"
          name="job-quality"
          options={QUALITIES}
          value={quality}
          onChange={(next) => draft.setPicture({ quality: next })}
        />
      </Labelled>
      <Labelled label="Size">
        <Segments
          label="Size"
          name="job-size"
          options={PICTURE_WIDTHS.map((each) => ({
            value: String(each),
            label: `${each} × ${Math.round((each * 9) / 16)}`,
          }))}
          value={String(width)}
          onChange={(next) => draft.setPicture({ width: Number(next) })}
        />
      </Labelled>
    </div>
  );
}

function Labelled({
  label,
  children,
}: {
  readonly label: string;
  readonly children: JSX.Element;
}): JSX.Element {
  return (
    <div class="job-labelled">
      <span class="job-label" aria-hidden="true">
        {label}
      </span>
      {children}
    </div>
  );
}

function Count({ list, isPicture }: { readonly list: InputList; readonly isPicture: boolean }): JSX.Element {
  return (
    <p class={list.kind === "wrong" ? "hint hint-alarm" : "hint"} id="job-count" role="status">
      {countWords(list, isPicture)}
    </p>
  );
}

function countWords(list: InputList, isPicture: boolean): string {
  if (list.kind === "empty") return list.hint;
  if (list.kind === "wrong") return list.problem;
  const { total } = sizesOf(list.inputs);
  const count = counted(list.inputs.length, isPicture ? "tile" : "input");
  return `${count}, ${bytesText(total)} in all. Each becomes a task.`;
}

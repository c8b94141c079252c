import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { bytesText } from "../words/model-words.ts";
import type { JobSettings as Settings } from "../state/jobs-settings.ts";
import type { JobDraft } from "../state/jobs-draft.ts";

type TextKey = {
  [K in keyof Settings]: Settings[K] extends string ? (string extends Settings[K] ? K : never) : never;
}[keyof Settings];

interface TextFieldProps {
  readonly draft: JobDraft;
  readonly name: TextKey;
  readonly label: string;
  readonly hint: string;
  readonly placeholder?: string;
}

function TextField({ draft, name, label, hint, placeholder }: TextFieldProps): JSX.Element {
  const id = `job-${name}`;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        autocomplete="off"
        spellcheck={false}
        placeholder={placeholder}
        aria-describedby={`${id}-hint`}
        value={draft.settings.value[name]}
        onInput={(event) => draft.setSettings({ [name]: event.currentTarget.value })}
      />
      <p class="hint" id={`${id}-hint`}>
        {hint}
      </p>
    </div>
  );
}

/** What most jobs never need. */
export function JobSettings({ draft }: { readonly draft: JobDraft }): JSX.Element {
  const settings = draft.settings.value;
  const kind = draft.chosen.value?.inspection;
  const isComponent = kind?.kind === "ready" && kind.value.kind === "component";
  return (
    <details class="job-more">
      <summary>Arguments, limits and checks</summary>
      <div class="job-grid">
        <div class="field">
          <label for="job-args">Arguments</label>
          <textarea
            id="job-args"
            rows={2}
            spellcheck={false}
            placeholder="One a line"
            aria-describedby="job-args-hint"
            value={settings.args}
            onInput={(event) => draft.setSettings({ args: event.currentTarget.value })}
          />
          <p class="hint" id="job-args-hint">
            {"Of a WASI program. {input} stands for the input."}
          </p>
        </div>
        <TextField
          draft={draft}
          name="entry"
          label="Function to call"
          hint="Only where a file offers several."
          placeholder="its usual one"
        />
        <TextField
          draft={draft}
          name="inputFile"
          label="Input as a file"
          hint="The program finds its input there, not on standard input."
          placeholder="standard input"
        />
        <TextField
          draft={draft}
          name="outputFile"
          label="Output as a file"
          hint="What the program leaves there is the result."
          placeholder="standard output"
        />
        <TextField
          draft={draft}
          name="fuel"
          label="Fuel limit, Gfuel"
          hint="Of one task. Left empty, eight times what the dry run took."
          placeholder="from the dry run"
        />
        <TextField
          draft={draft}
          name="memory"
          label="Memory limit, MiB"
          hint="Of one task. Less finds more tabs."
          placeholder="256"
        />
        <TextField
          draft={draft}
          name="deadline"
          label="Longest time, seconds"
          hint="A task that takes longer is stopped, and not paid."
          placeholder="120"
        />
        <TextField
          draft={draft}
          name="parallel"
          label="Tabs at a time"
          hint="More are quicker; each costs a small fee."
          placeholder="4"
        />
        <TextField
          draft={draft}
          name="replicas"
          label="Tabs for each input"
          hint="Results count when tabs of different owners agree. Costs as many times as much."
          placeholder="1"
        />
        <TextField
          draft={draft}
          name="cap"
          label="Most that is spent, credits"
          hint="Set aside at the start; what is left comes back."
          placeholder="as estimated"
        />
      </div>
      <SharedFiles draft={draft} />
      <div class="job-checks">
        <Check
          label="Show results only once they are audited"
          isOn={settings.accept === "audited"}
          onChange={(isOn) => draft.setSettings({ accept: isOn ? "audited" : "signed" })}
        />
        <Check
          label="Other tabs may see inputs when a result is checked"
          isOn={settings.disclosure === "peers"}
          onChange={(isOn) => draft.setSettings({ disclosure: isOn ? "peers" : "relay" })}
        />
        {isComponent && (
          <Check
            label="Bytes go in and come out as they are, not as JSON"
            isOn={settings.raw}
            onChange={(raw) => draft.setSettings({ raw })}
          />
        )}
      </div>
    </details>
  );
}

/** Files that every task finds: a dictionary, a font, a model. */
function SharedFiles({ draft }: { readonly draft: JobDraft }): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  const files = draft.files.value;
  return (
    <div class="job-shared">
      <p>
        <span class="job-label">Files for every task</span>
        <span class="hint">
          {files.length === 0
            ? "The program finds them at /name."
            : files.map(({ path, bytes }) => `/${path} (${bytesText(bytes.length)})`).join(", ")}
        </span>
      </p>
      <div class="button-row">
        <button class="button button-quiet button-small" type="button" onClick={() => input.current?.click()}>
          Add files
        </button>
        {files.length > 0 && (
          <button class="button button-quiet button-small" type="button" onClick={() => draft.dropFiles()}>
            Clear
          </button>
        )}
      </div>
      <input
        ref={input}
        class="hidden"
        type="file"
        multiple
        aria-label="Files for every task"
        tabIndex={-1}
        onChange={(event) => {
          void draft.addFiles([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = "";
        }}
      />
    </div>
  );
}

interface CheckProps {
  readonly label: string;
  readonly isOn: boolean;
  readonly onChange: (isOn: boolean) => void;
}

function Check({ label, isOn, onChange }: CheckProps): JSX.Element {
  return (
    <label class="job-check">
      <input type="checkbox" checked={isOn} onChange={(event) => onChange(event.currentTarget.checked)} />
      <span>{label}</span>
    </label>
  );
}

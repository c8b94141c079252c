import type { JSX } from "preact";
import { printType } from "../../plan/text/type-text.ts";
import type { ValueType } from "../../plan/value-type.ts";
import { bytesText } from "../words/model-words.ts";
import { fieldFor, type ParamDraft } from "./plan-params.ts";

interface ParamProps {
  readonly name: string;
  readonly type: ValueType;
  readonly draft: ParamDraft;
  readonly onDraft: (draft: ParamDraft) => void;
}

/** One parameter, asked for by what it is. */
export function Param({ name, type, draft, onDraft }: ParamProps): JSX.Element {
  const id = `param-${name}`;
  const field = fieldFor(type);
  const text = draft.kind === "typed" ? draft.text : "";
  const put = (typed: string): void => onDraft({ kind: "typed", text: typed });
  return (
    <div class="field">
      <span class="field-head">
        <label for={id}>{name}</label>
        <span class="hint code">{printType(type)}</span>
      </span>
      {field === "file" ? (
        <FileParam id={id} draft={draft} onDraft={onDraft} />
      ) : field === "boolean" ? (
        <select id={id} value={text} onChange={(event) => put(event.currentTarget.value)}>
          <option value="">no</option>
          <option value="true">yes</option>
        </select>
      ) : field === "number" || field === "nothing" ? (
        <input
          id={id}
          inputMode="decimal"
          disabled={field === "nothing"}
          value={text}
          onInput={(event) => put(event.currentTarget.value)}
        />
      ) : (
        <textarea
          id={id}
          class={field === "json" ? "code" : undefined}
          rows={field === "text" || field === "lines" ? 5 : 3}
          spellcheck={false}
          placeholder={field === "lines" ? "One a line" : field === "json" ? "JSON" : undefined}
          value={text}
          onInput={(event) => put(event.currentTarget.value)}
        />
      )}
    </div>
  );
}

function FileParam({
  id,
  draft,
  onDraft,
}: {
  readonly id: string;
  readonly draft: ParamDraft;
  readonly onDraft: (draft: ParamDraft) => void;
}): JSX.Element {
  return (
    <>
      <input
        id={id}
        type="file"
        onChange={async (event) => {
          const file = event.currentTarget.files?.[0];
          if (file !== undefined)
            onDraft({ kind: "file", name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) });
        }}
      />
      {draft.kind === "file" && <p class="hint">{`${draft.name}, ${bytesText(draft.bytes.length)}`}</p>}
    </>
  );
}

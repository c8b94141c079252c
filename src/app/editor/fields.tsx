import { useSignal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useId } from "preact/hooks";

interface FieldProps {
  readonly label: string;
  readonly hint?: string | undefined;
  /** What is wrong with it. */
  readonly problem?: string | undefined;
}

interface FrameProps extends FieldProps {
  readonly id: string;
  readonly children: ComponentChildren;
}

function Frame({ id, label, hint, problem, children }: FrameProps): JSX.Element {
  return (
    <div class="field edit-field">
      <label for={id}>{label}</label>
      {children}
      {hint !== undefined && problem === undefined && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {problem !== undefined && (
        <p class="hint hint-alarm" id={`${id}-hint`}>
          {problem}
        </p>
      )}
    </div>
  );
}

export interface TextFieldProps extends FieldProps {
  readonly value: string;
  readonly placeholder?: string;
  readonly isCode?: boolean;
  readonly rows?: number;
  /** Told when the person has finished, not at every letter: for names, which must not change with each. */
  readonly isLate?: boolean;
  /** Told at every letter. @returns what is wrong with the text; then it is not taken */
  readonly onText: (text: string) => string | undefined;
}

/**
 * A text that may be wrong for a while: it stays as it is typed until the person goes on, with the reason beside it if it is
 * not taken.
 */
export function TextField(props: TextFieldProps): JSX.Element {
  const { label, hint, value, placeholder, isCode = false, isLate = false, rows, onText, problem } = props;
  const id = useId();
  const typed = useSignal<{ readonly text: string; readonly problem: string | undefined } | undefined>(
    undefined,
  );
  const said = typed.value?.problem ?? problem;
  const take = (text: string): void => {
    typed.value = { text, problem: onText(text) };
  };
  const attributes = {
    id,
    class: isCode ? "code" : undefined,
    value: typed.value?.text ?? value,
    autocomplete: "off",
    spellcheck: false,
    placeholder,
    "aria-describedby": hint === undefined && said === undefined ? undefined : `${id}-hint`,
    "aria-invalid": said === undefined ? undefined : true,
    onInput: (event: Event) => {
      if (!isLate) take(textIn(event));
    },
    onChange: (event: Event) => {
      if (isLate) take(textIn(event));
    },
    onBlur: () => {
      // What was taken is shown as it is written from now on.
      if (typed.value?.problem === undefined) typed.value = undefined;
    },
  } as const;
  return (
    <Frame {...{ id, label, hint, problem: said }}>
      {rows === undefined ? <input {...attributes} /> : <textarea {...attributes} rows={rows} />}
    </Frame>
  );
}

function textIn({ currentTarget }: Event): string {
  return currentTarget instanceof HTMLInputElement || currentTarget instanceof HTMLTextAreaElement
    ? currentTarget.value
    : "";
}

export interface NumberFieldProps extends FieldProps {
  readonly value: number;
  readonly least?: number;
  readonly most: number;
  readonly step?: number;
  readonly unit?: string;
  readonly onNumber: (value: number) => void;
}

/** A number within bounds; beyond them it is not taken. */
export function NumberField(props: NumberFieldProps): JSX.Element {
  const { label, hint, value, least = 1, most, step = 1, unit, onNumber, problem } = props;
  const id = useId();
  const wrong = useSignal<string | undefined>(undefined);
  const said = wrong.value ?? problem;
  const take = (text: string): void => {
    const number = Number(text);
    const isWhole = step !== 1 || Number.isInteger(number);
    const isFine =
      text.trim() !== "" && Number.isFinite(number) && isWhole && number >= least && number <= most;
    wrong.value = isFine ? undefined : `From ${least} to ${most}.`;
    if (isFine) onNumber(number);
  };
  return (
    <Frame {...{ id, label: unit === undefined ? label : `${label}, ${unit}`, hint, problem: said }}>
      <input
        id={id}
        type="number"
        value={value}
        min={least}
        max={most}
        step={step === 1 ? 1 : "any"}
        aria-describedby={hint === undefined && said === undefined ? undefined : `${id}-hint`}
        onInput={(event) => take(event.currentTarget.value)}
      />
    </Frame>
  );
}

/** One of several; a disabled one says in its label why. */
export interface Option {
  readonly value: string;
  readonly label: string;
  readonly isDisabled?: boolean;
}

export interface SelectFieldProps extends FieldProps {
  readonly value: string;
  readonly options: readonly (Option | { readonly group: string; readonly options: readonly Option[] })[];
  readonly onChoose: (value: string) => void;
}

export function SelectField({
  label,
  hint,
  problem,
  value,
  options,
  onChoose,
}: SelectFieldProps): JSX.Element {
  const id = useId();
  return (
    <Frame {...{ id, label, hint, problem }}>
      <select
        id={id}
        value={value}
        aria-describedby={hint === undefined && problem === undefined ? undefined : `${id}-hint`}
        onChange={(event) => onChoose(event.currentTarget.value)}
      >
        {options.map((option) =>
          "group" in option ? (
            <optgroup key={option.group} label={option.group}>
              {option.options.map((each) => optionOf(each, value))}
            </optgroup>
          ) : (
            optionOf(option, value)
          ),
        )}
      </select>
    </Frame>
  );
}

function optionOf({ value, label, isDisabled = false }: Option, chosen: string): JSX.Element {
  return (
    <option key={value} value={value} disabled={isDisabled} selected={value === chosen}>
      {label}
    </option>
  );
}

export interface CheckListProps {
  readonly legend: string;
  readonly names: readonly string[];
  readonly chosen: readonly string[];
  readonly onChange: (chosen: readonly string[]) => void;
}

/** Several of a few names. */
export function CheckList({ legend, names, chosen, onChange }: CheckListProps): JSX.Element | null {
  if (names.length === 0) return null;
  return (
    <fieldset class="edit-checks">
      <legend>{legend}</legend>
      {names.map((name) => (
        <label key={name} class="edit-check">
          <input
            type="checkbox"
            checked={chosen.includes(name)}
            onChange={(event) =>
              onChange(
                event.currentTarget.checked ? [...chosen, name] : chosen.filter((each) => each !== name),
              )
            }
          />
          <span>{name}</span>
        </label>
      ))}
    </fieldset>
  );
}

/** Names one a line, as lists of origins are typed. */
export function linesOf(text: string): readonly string[] {
  return text
    .split(/[\n,]/u)
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

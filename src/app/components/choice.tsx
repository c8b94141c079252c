import type { JSX } from "preact";

export interface ChoiceProps<T extends string> {
  /** Read aloud before the options. */
  readonly legend: string;
  readonly name: string;
  readonly options: readonly (readonly [value: T, label: string])[];
  readonly value: T;
  readonly onChange: (value: T) => void;
}

/** One of a few, side by side. */
export function Choice<T extends string>({
  legend,
  name,
  options,
  value,
  onChange,
}: ChoiceProps<T>): JSX.Element {
  return (
    <fieldset class="segments">
      <legend class="aside">{legend}</legend>
      {options.map(([each, label]) => (
        <label key={each} class="segment">
          <input type="radio" name={name} checked={value === each} onChange={() => onChange(each)} />
          <span>{label}</span>
        </label>
      ))}
    </fieldset>
  );
}

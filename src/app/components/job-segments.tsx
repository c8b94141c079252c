import type { JSX } from "preact";

export interface SegmentsProps<T extends string> {
  /** What is chosen, for who does not see it. */
  readonly label: string;
  /** Of the group of radio buttons: once on the page. */
  readonly name: string;
  readonly options: readonly { readonly value: T; readonly label: string }[];
  readonly value: T;
  readonly onChange: (value: T) => void;
}

/** One of a few, side by side. */
export function Segments<T extends string>(props: SegmentsProps<T>): JSX.Element {
  const { label, name, options, value, onChange } = props;
  return (
    <div class="segments" role="radiogroup" aria-label={label}>
      {options.map((option) => (
        <label key={option.value} class="segment">
          <input
            type="radio"
            name={name}
            checked={option.value === value}
            onChange={() => onChange(option.value)}
          />
          <span>{option.label}</span>
        </label>
      ))}
    </div>
  );
}

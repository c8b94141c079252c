import type { JSX } from "preact";
import { divisionText, percentOf, ppmOf } from "../words/site-words.ts";

export interface ShareControlProps {
  readonly id: string;
  /** What visitors keep, in millionths. */
  readonly share: number;
  readonly onChange: (share: number) => void;
}

/** How earnings are divided between visitors and the site's owner. */
export function ShareControl({ id, share, onChange }: ShareControlProps): JSX.Element {
  const says = divisionText(share);
  return (
    <div class="field">
      <label for={id}>Visitors keep</label>
      <div class="share-row">
        <input
          id={id}
          type="range"
          min={0}
          max={100}
          step={5}
          value={percentOf(share)}
          aria-valuetext={says}
          onInput={(event) => onChange(ppmOf(event.currentTarget.valueAsNumber))}
        />
        <output for={id} class="share-value">
          {percentOf(share)} %
        </output>
      </div>
      <p class="hint">{says}</p>
    </div>
  );
}

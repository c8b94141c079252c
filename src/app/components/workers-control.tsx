import type { JSX } from "preact";

export interface WorkersControlProps {
  readonly workers: number;
  readonly most: number;
  readonly onChange: (workers: number) => void;
}

/** How much of the machine strangers may use. */
export function WorkersControl({ workers, most, onChange }: WorkersControlProps): JSX.Element {
  return (
    <section class="card" aria-labelledby="threads-title">
      <h2 id="threads-title">Processor threads</h2>
      <div class="stepper" role="group" aria-labelledby="threads-title">
        <button
          class="step"
          type="button"
          aria-label="One thread less"
          disabled={workers <= 1}
          onClick={() => onChange(workers - 1)}
        >
          −
        </button>
        <output class="stepper-value" aria-live="polite">
          {workers} <span class="stepper-of">of {most}</span>
        </output>
        <button
          class="step"
          type="button"
          aria-label="One thread more"
          disabled={workers >= most}
          onClick={() => onChange(workers + 1)}
        >
          +
        </button>
      </div>
      <p class="hint">Each thread runs one task at a time. Leave one free to keep your own tabs quick.</p>
    </section>
  );
}

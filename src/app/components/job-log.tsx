import type { JSX } from "preact";

/** What a program wrote to its standard error. */
export function Log({ text }: { readonly text: string }): JSX.Element {
  return (
    <div>
      <p class="job-label">Its log (standard error)</p>
      <pre class="job-text" tabIndex={0} aria-label="Log">
        {text}
      </pre>
    </div>
  );
}

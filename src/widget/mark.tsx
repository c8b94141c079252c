import type { JSX } from "preact";

/** The mark: a tab in which three peers meet; the copper one earns. */
export function Mark(): JSX.Element {
  return (
    <svg class="mark" viewBox="0 0 64 64" width="28" height="28" aria-hidden="true">
      <rect class="mark-ground" width="64" height="64" rx="15" />
      <path
        class="mark-tab"
        d="M0 49h6c4.4 0 7-2.6 7-7V22a7 7 0 0 1 7-7h24a7 7 0 0 1 7 7v20c0 4.4 2.6 7 7 7h6c0 8.3-6.7 15-15 15H15C6.7 64 0 57.3 0 49z"
      />
      <path class="mark-edge" d="M23 26.5 41 26.5 32 42.5z" />
      <circle class="mark-peer" cx="23" cy="26.5" r="4.6" />
      <circle class="mark-peer" cx="41" cy="26.5" r="4.6" />
      <circle class="mark-earner" cx="32" cy="42.5" r="5.6" />
    </svg>
  );
}

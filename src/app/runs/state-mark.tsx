import type { JSX } from "preact";

/** How a step stands. */
export type Mark = "waiting" | "ready" | "running" | "done" | "failed" | "skipped" | "wrong";

/** Told by shape and word, never by colour alone. Strokes on a sheet of 20 by 20. */
export const MARKS: Readonly<Record<Mark, { readonly word: string; readonly path: string }>> = {
  waiting: { word: "waiting", path: "M6.5 10h.01M10 10h.01M13.5 10h.01" },
  ready: { word: "ready", path: "M8.2 6.5 13 10l-4.8 3.5z" },
  running: { word: "running", path: "M10 3.5a6.5 6.5 0 1 1-6.5 6.5" },
  done: { word: "done", path: "m5.5 10.4 3 3 6-6.4" },
  failed: { word: "failed", path: "m6 6 8 8M14 6l-8 8" },
  skipped: { word: "skipped", path: "M5 10h10" },
  wrong: { word: "not right yet", path: "M10 5.5v5.5M10 14.3h.01" },
};

export function StateMark({ mark }: { readonly mark: Mark }): JSX.Element {
  return (
    <svg class="state-mark" data-mark={mark} viewBox="0 0 20 20" width="22" height="22" aria-hidden="true">
      {mark !== "running" && <circle cx="10" cy="10" r="9" />}
      <path d={MARKS[mark].path} />
    </svg>
  );
}

import type { JSX } from "preact";
import type { PageProps } from "./page-gate.tsx";

export function JobsPage({ state }: PageProps): JSX.Element {
  return (
    <div class="page-head" data-page={state.page.value}>
      <h1 tabIndex={-1}>Jobs</h1>
      <p class="lede">Run a function on other people’s tabs, watch it work, and keep its receipts.</p>
    </div>
  );
}

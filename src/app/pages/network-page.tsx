import type { JSX } from "preact";
import type { PageProps } from "./page-gate.tsx";

export function NetworkPage({ state }: PageProps): JSX.Element {
  return (
    <div class="page-head" data-page={state.page.value}>
      <h1 tabIndex={-1}>Network</h1>
      <p class="lede">Who is working for this relay, as measured, and when it was measured.</p>
    </div>
  );
}

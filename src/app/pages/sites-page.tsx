import type { JSX } from "preact";
import type { PageProps } from "./page-gate.tsx";

export function SitesPage({ state }: PageProps): JSX.Element {
  return (
    <div class="page-head" data-page={state.page.value}>
      <h1 tabIndex={-1}>Sites</h1>
      <p class="lede">Let the visitors of your site contribute, if they want to.</p>
    </div>
  );
}

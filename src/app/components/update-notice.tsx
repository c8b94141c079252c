import type { JSX } from "preact";
import type { AppUpdate } from "../state/app-update.ts";

export function UpdateNotice({ update }: { readonly update: AppUpdate }): JSX.Element {
  return (
    <div class="toast-place" role="status">
      {update.isReady.value && (
        <p class="toast">
          A new version is ready.
          <button class="button button-small" type="button" onClick={() => update.reload()}>
            Reload
          </button>
        </p>
      )}
    </div>
  );
}

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { SiteView } from "../../sdk/index.ts";
import type { OwnedSites } from "../state/sites.ts";
import { readPage } from "../words/site-words.ts";
import { FailureNotice } from "./failure-notice.tsx";
import { ShareControl } from "./share-control.tsx";

export interface SiteFormProps {
  readonly owned: OwnedSites;
  readonly isFirst: boolean;
  readonly onRegistered: (site: SiteView) => void;
}

const HALF_PPM = 500_000;

/** Registers a site: its address, and how earnings are divided. */
export function SiteForm({ owned, isFirst, onRegistered }: SiteFormProps): JSX.Element {
  const address = useSignal("");
  const share = useSignal(HALF_PPM);
  const problem = useSignal("");
  const saving = owned.saving.value;
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const read = readPage(address.value);
    problem.value = "problem" in read ? read.problem : "";
    if ("problem" in read) return;
    const site = await owned.register({ page: read.page, share: share.value });
    if (site === undefined) return;
    address.value = "";
    onRegistered(site);
  };
  return (
    <form
      class="card site-form"
      onSubmit={(event) => void submit(event)}
      aria-labelledby="site-form-title"
      noValidate
    >
      <h2 id="site-form-title">{isFirst ? "Register your site" : "Register another site"}</h2>
      <div class="field">
        <label for="site-address">Address of the site</label>
        <input
          id="site-address"
          type="url"
          inputMode="url"
          autocomplete="url"
          autocapitalize="none"
          spellcheck={false}
          placeholder="https://news.example"
          aria-invalid={problem.value === "" ? undefined : true}
          aria-describedby="site-address-hint"
          value={address.value}
          onInput={(event) => {
            address.value = event.currentTarget.value;
            problem.value = "";
          }}
        />
        <p class={problem.value === "" ? "hint" : "hint hint-alarm"} id="site-address-hint" role="status">
          {problem.value === ""
            ? "The widget works on pages of this address and on no others."
            : problem.value}
        </p>
      </div>
      <ShareControl id="site-share" share={share.value} onChange={(next) => (share.value = next)} />
      <p class="hint">
        Visitors see the share before they agree. You can change it later; whoever has agreed keeps what was
        agreed until they are asked again.
      </p>
      <div>
        <button class="button" type="submit" disabled={saving.kind === "saving"}>
          {saving.kind === "saving" ? "Registering…" : "Register site"}
        </button>
      </div>
      {saving.kind === "failed" && <FailureNotice title="Not registered" failure={saving.failure} />}
    </form>
  );
}

import type { JSX } from "preact";
import type { Contribution } from "../state/contribution.ts";

const PROMISES: readonly (readonly [string, string])[] = [
  ["Sealed off", "Functions run without network, files or anything of yours, and end at their limits."],
  ["Paid by the task", "Both sides sign a running receipt; the relay logs it and pays by it."],
  ["Yours to check", "Each receipt can be verified here in the page, against the key of your first contact."],
];

/** What holds while this tab contributes, and the way back. */
export function Promises({ contribution }: { readonly contribution: Contribution }): JSX.Element {
  return (
    <section class="card" aria-labelledby="promises-title">
      <h2 id="promises-title">What holds here</h2>
      <dl class="promises">
        {PROMISES.map(([name, sentence]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{sentence}</dd>
          </div>
        ))}
      </dl>
      {contribution.hasConsent.value && (
        <p class="hint">
          You agreed to contribute through this relay.{" "}
          <button class="link" type="button" onClick={() => void contribution.withdraw()}>
            Withdraw
          </button>
        </p>
      )}
    </section>
  );
}

import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { PPM } from "../../protocol/audit-policy.ts";
import { microCredits } from "../../protocol/units.ts";
import { fill } from "../words/fill.ts";
import { amountText } from "../words/say.ts";
import type { ConsentAppProps } from "./consent-app.tsx";

const code = signal<readonly string[] | undefined>(undefined);

/** What is the visitor's own here, and how to have it: by a click where the key is kept, by words where it is not. */
export function YourShare({ tongue, consent, testMoney }: ConsentAppProps): JSX.Element | null {
  const { consent: words } = tongue.words;
  const { account, step } = consent.view.value;
  const isLost = !consent.isKept && step === "done";
  const { available = 0n, pending = 0n, held = 0n, bond = 0n } = account ?? {};
  // It is divided when it becomes available.
  const waiting = ((pending + held + bond) * BigInt(consent.site.share)) / BigInt(PPM);
  if (consent.site.share === 0 || (available + waiting === 0n && !isLost)) return null;
  const amount = (value: bigint): string => amountText(tongue, microCredits(value), testMoney);
  return (
    <section class="share">
      <h2>{words.share}</h2>
      {isLost ? <p>{words.unkept}</p> : null}
      {account === undefined ? null : (
        <p>{fill(words.shareText, { available: amount(available), pending: amount(waiting) })}</p>
      )}
      <p class="answers">
        {available > 0n ? (
          <button class="button button-quiet" type="button" onClick={() => void consent.move()}>
            {words.move}
          </button>
        ) : null}
        {code.value === undefined ? (
          <button
            class="button button-quiet"
            type="button"
            onClick={async () => {
              code.value = await consent.claimCode();
            }}
          >
            {words.claim}
          </button>
        ) : null}
      </p>
      {code.value === undefined ? null : (
        <>
          <p>{fill(words.claimText, { host: location.host })}</p>
          <ol class="claim-code" dir="ltr" lang="en">
            {code.value.map((word, index) => (
              // oxlint-disable-next-line react/no-array-index-key -- words may come twice
              <li key={index}>{word}</li>
            ))}
          </ol>
        </>
      )}
    </section>
  );
}

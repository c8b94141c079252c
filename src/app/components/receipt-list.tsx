import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import type { ReceiptView } from "../../protocol/relay-api.ts";
import type { Earnings } from "../state/earnings.ts";
import type { Verifications } from "../state/verifications.ts";
import { counted } from "../words/quantities.ts";
import { FailureNotice } from "./failure-notice.tsx";
import { ReceiptRow } from "./receipt-row.tsx";

export interface ReceiptListProps {
  readonly earnings: Earnings;
  readonly verifications: Verifications;
  readonly testMoney: boolean;
}

/** One line per lease: its newest receipt in the relay's log. */
export function ReceiptList({ earnings, verifications, testMoney }: ReceiptListProps): JSX.Element {
  return (
    <section class="card" aria-labelledby="receipts-title">
      <div class="card-head">
        <h2 id="receipts-title">Receipts</h2>
        <p class="hint">Verify checks signatures and log here in the page, without trusting the relay.</p>
      </div>
      <Body earnings={earnings} verifications={verifications} testMoney={testMoney} />
    </section>
  );
}

function Body({ earnings, verifications, testMoney }: ReceiptListProps): JSX.Element {
  const receipts = earnings.receipts.value;
  if (receipts.kind === "loading") return <Skeletons />;
  if (receipts.kind === "failed") {
    // One alarm is enough.
    if (earnings.account.value.kind === "failed") return <p class="empty">Listed once the relay answers.</p>;
    return (
      <FailureNotice
        title="The receipts are not to be had"
        failure={receipts.failure}
        onRetry={() => earnings.retry()}
      />
    );
  }
  if (receipts.value.length === 0) {
    return (
      <p class="empty">
        No receipts yet. They appear here as the relay logs them, at least once a minute while this tab works.
      </p>
    );
  }
  return (
    <>
      <ul class="receipts">
        {receipts.value.map((view) => (
          <ReceiptRow
            key={view.lease}
            view={view}
            state={stateOf(verifications, view)}
            testMoney={testMoney}
            onVerify={() => void verifications.verify(view)}
            onHide={() => verifications.hide(view)}
          />
        ))}
      </ul>
      <Older earnings={earnings} shown={receipts.value.length} />
    </>
  );
}

/** A proof holds for the view it was made of; when the lease's next receipt takes its place, it is gone. */
function stateOf(
  verifications: Verifications,
  view: ReceiptView,
): ReturnType<Verifications["states"]["value"]["get"]> {
  const state = verifications.states.value.get(view.entryIndex);
  return state?.view.lease === view.lease ? state : undefined;
}

function Older({ earnings, shown }: { readonly earnings: Earnings; readonly shown: number }): JSX.Element {
  const isFailed = useSignal(false);
  const load = async (): Promise<void> => {
    isFailed.value = false;
    try {
      await earnings.older();
    } catch {
      isFailed.value = true;
    }
  };
  return (
    <div class="older">
      <p class="hint" role="status">
        {isFailed.value ? "The relay did not answer." : `${counted(shown, "receipt")} shown`}
      </p>
      {earnings.hasOlder.value && (
        <button class="button button-quiet" type="button" onClick={() => void load()}>
          Older receipts
        </button>
      )}
    </div>
  );
}

function Skeletons(): JSX.Element {
  return (
    <div class="receipts" aria-busy="true">
      <p class="aside">Loading receipts…</p>
      {[1, 2, 3].map((row) => (
        <div key={row} class="receipt skeleton-block skeleton-row" />
      ))}
    </div>
  );
}

import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import type { Earnings } from "../state/earnings.ts";
import type { Names } from "../state/names.ts";
import type { Verifications } from "../state/verifications.ts";
import { counted } from "../words/quantities.ts";
import { ExportButtons } from "./export-buttons.tsx";
import { FailureNotice } from "./failure-notice.tsx";
import { ReceiptFilters } from "./receipt-filters.tsx";
import { ReceiptWindow } from "./receipt-window.tsx";

export interface ReceiptListProps {
  readonly earnings: Earnings;
  readonly verifications: Verifications;
  readonly names: Names;
  readonly testMoney: boolean;
}

/** One line per lease: its newest receipt in the relay's log. */
export function ReceiptList(props: ReceiptListProps): JSX.Element {
  const { earnings, names } = props;
  const { rows } = earnings;
  // Once there was something to look through, the fields stay: a search that finds nothing can be changed.
  const isSearchable = useRef(false);
  if ((rows.length.value ?? 0) > 0) isSearchable.current = true;
  return (
    <section class="card" aria-labelledby="receipts-title">
      <div class="card-head">
        <h2 id="receipts-title">Receipts</h2>
        <p class="hint">Verify checks signatures and log here in the page, without trusting the relay.</p>
      </div>
      {isSearchable.current && <ReceiptFilters earnings={earnings} names={names} />}
      <Body {...props} />
      {isSearchable.current && (
        <div class="receipts-foot">
          <p class="hint" role="status">
            {countedText(earnings)}
          </p>
          <ExportButtons earnings={earnings} />
        </div>
      )}
    </section>
  );
}

function countedText({ rows }: Earnings): string {
  const count = rows.length.value ?? 0;
  const isFiltered = Object.keys(rows.filter.value).length > 0;
  if (!isFiltered) return counted(count, "receipt");
  if (rows.isBusy.value) return "Looking…";
  return rows.isMore.value
    ? `${counted(count, "receipt")} found so far, newest first`
    : `${counted(count, "receipt")} found`;
}

function Body({ earnings, verifications, names, testMoney }: ReceiptListProps): JSX.Element {
  const { rows } = earnings;
  const { length, failure } = rows;
  if (failure.value !== undefined) {
    // One alarm is enough.
    if (earnings.account.value.kind === "failed") return <p class="empty">Listed once the relay answers.</p>;
    return (
      <FailureNotice
        title="The receipts are not to be had"
        failure={failure.value}
        onRetry={() => earnings.retry()}
      />
    );
  }
  if (length.value === undefined) return <Skeletons />;
  if (length.value === 0 && !rows.isMore.value) {
    return Object.keys(rows.filter.value).length > 0 ? (
      <p class="empty receipts-empty">No receipt is like that.</p>
    ) : (
      <p class="empty">
        No receipts yet. They appear here as the relay logs them, at least once a minute while this tab works.
      </p>
    );
  }
  return <ReceiptWindow rows={rows} verifications={verifications} names={names} testMoney={testMoney} />;
}

function Skeletons(): JSX.Element {
  return (
    <div aria-busy="true">
      <p class="aside">Loading receipts…</p>
      {[1, 2, 3].map((row) => (
        <div key={row} class="skeleton-block skeleton-row" />
      ))}
    </div>
  );
}

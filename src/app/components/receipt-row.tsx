import type { JSX } from "preact";
import type { ReceiptView } from "../../protocol/relay-api.ts";
import type { Verification } from "../../provider/receipt-verification.ts";
import type { VerificationState } from "../state/verifications.ts";
import { checkTitle, verdictWords } from "../words/check-words.ts";
import { fullTimeText, logTimeText } from "../words/log-time.ts";
import { countText, counted, scaledText } from "../words/quantities.ts";
import { shortCid, shortPeer } from "../words/short-id.ts";
import { Amount } from "./amount.tsx";

export interface ReceiptRowProps {
  readonly view: ReceiptView;
  readonly state: VerificationState | undefined;
  readonly testMoney: boolean;
  readonly onVerify: () => void;
  readonly onHide: () => void;
}

export function ReceiptRow({ view, state, testMoney, onVerify, onHide }: ReceiptRowProps): JSX.Element {
  return (
    <li class="receipt">
      <div class="receipt-line">
        <p class="receipt-amount">
          <Amount value={view.amount} testMoney={testMoney} />
          <span class={view.settled ? "chip chip-good" : "chip"}>{view.settled ? "Settled" : "Pending"}</span>
        </p>
        <p class="receipt-what">
          <span>
            {counted(view.count, "task")}
            {view.payable < view.count && `, ${countText(view.payable)} paid`}
          </span>
          <span title={view.workCid}>
            function <span class="code">{shortCid(view.workCid)}</span>
          </span>
          <span title={view.requester}>
            for <span class="code">{shortPeer(view.requester)}</span>
          </span>
          <span>{scaledText(Number(view.fuel))} fuel</span>
        </p>
        <p class="receipt-when">
          <time dateTime={new Date(view.time).toISOString()} title={fullTimeText(view.time)}>
            {logTimeText(view.time, Date.now())}
          </time>
          <span class="receipt-index">entry {countText(view.entryIndex)}</span>
        </p>
        <VerifyButton view={view} state={state} onVerify={onVerify} onHide={onHide} />
      </div>
      <div role="status">{state !== undefined && <Outcome state={state} onVerify={onVerify} />}</div>
    </li>
  );
}

function VerifyButton({ view, state, onVerify, onHide }: Omit<ReceiptRowProps, "testMoney">): JSX.Element {
  const isDone = state?.kind === "done";
  return (
    <button
      class="button button-quiet button-small receipt-verify"
      type="button"
      aria-expanded={isDone}
      aria-label={`${isDone ? "Hide the checks of" : "Verify"} entry ${view.entryIndex}`}
      disabled={state?.kind === "running"}
      onClick={isDone ? onHide : onVerify}
    >
      {buttonWord(state)}
    </button>
  );
}

function buttonWord(state: VerificationState | undefined): string {
  if (state?.kind === "running") return "Checking…";
  return state?.kind === "done" ? "Hide" : "Verify";
}

interface OutcomeProps {
  readonly state: VerificationState;
  readonly onVerify: () => void;
}

function Outcome({ state, onVerify }: OutcomeProps): JSX.Element | null {
  if (state.kind === "running") return <p class="aside">Checking</p>;
  if (state.kind === "not-loaded") {
    return (
      <p class="verdict verdict-wait">The part of the page that checks could not be loaded. Try again.</p>
    );
  }
  return <Checks result={state.result} onVerify={onVerify} />;
}

function Checks({
  result,
  onVerify,
}: {
  readonly result: Verification;
  readonly onVerify: () => void;
}): JSX.Element {
  const { tone, title, sentence } = verdictWords(result);
  return (
    <div class={`verdict verdict-${tone}`}>
      <p class="verdict-title">
        <CheckMark isPassed={tone === "good"} />
        <strong>{title}.</strong> {sentence}
        {tone === "wait" && (
          <button class="link" type="button" onClick={onVerify}>
            Try again
          </button>
        )}
      </p>
      <ul class="checks">
        {result.checks.map(({ name, ok, detail }) => (
          <li key={name} class={ok ? "check" : "check check-failed"}>
            <CheckMark isPassed={ok} />
            <span class="check-name">{checkTitle(name)}</span>
            <span class="check-detail">{detail}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Shape tells as much as colour does. */
function CheckMark({ isPassed }: { readonly isPassed: boolean }): JSX.Element {
  return (
    <svg
      class="check-mark"
      viewBox="0 0 20 20"
      width="18"
      height="18"
      role="img"
      aria-label={isPassed ? "Passed" : "Failed"}
    >
      <circle cx="10" cy="10" r="9" />
      {isPassed ? <path d="m6 10.4 2.7 2.700L14 7.6" /> : <path d="m7 7 6 6M13 7l-6 6" />}
    </svg>
  );
}

import type { JSX } from "preact";
import type { ReceiptView } from "../../protocol/relay-api.ts";
import type { Verification } from "../../provider/receipt-verification.ts";
import type { VerificationState } from "../state/verifications.ts";
import { asSentence, checkTitle, verdictWords } from "../words/check-words.ts";
import { fullTimeText, logTimeText } from "../words/log-time.ts";
import { countText, counted, scaledText } from "../words/quantities.ts";
import { shortCid, shortPeer } from "../words/short-id.ts";
import { Amount } from "./amount.tsx";
import { EvidenceButton } from "./evidence-button.tsx";

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
  const failedTone = tone === "wait" ? "wait" : "bad";
  return (
    <div class={`verdict verdict-${tone}`}>
      <p class="verdict-title">
        <CheckMark outcome={tone} />
        <strong>{title}.</strong> {sentence}
        {tone === "wait" && (
          <button class="link" type="button" onClick={onVerify}>
            Try again
          </button>
        )}
      </p>
      <ul class="checks">
        {result.checks.map(({ name, ok, detail }) => (
          <li key={name} class={ok ? "check" : `check check-line-${failedTone}`}>
            <CheckMark outcome={ok ? "good" : failedTone} />
            <span class="check-name">{checkTitle(name)}</span>
            <span class="check-detail">{asSentence(detail)}</span>
          </li>
        ))}
      </ul>
      <EvidenceButton evidence={result.evidence} />
    </div>
  );
}

const MARKS = {
  good: { word: "Passed", path: "m6 10.4 2.7 2.7L14 7.6" },
  bad: { word: "Failed", path: "m7 7 6 6M13 7l-6 6" },
  wait: { word: "Not known", path: "M6 10h8" },
} as const;

/** Shape tells as much as colour does. */
function CheckMark({ outcome }: { readonly outcome: keyof typeof MARKS }): JSX.Element {
  const { word, path } = MARKS[outcome];
  return (
    <svg
      class={`check-mark check-${outcome}`}
      viewBox="0 0 20 20"
      width="18"
      height="18"
      role="img"
      aria-label={word}
    >
      <circle cx="10" cy="10" r="9" />
      <path d={path} />
    </svg>
  );
}

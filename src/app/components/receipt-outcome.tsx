import type { JSX } from "preact";
import type { ReceiptView } from "../../protocol/relay-api.ts";
import type { Verification } from "../../provider/receipt-verification.ts";
import { savePlainText } from "../state/save-file.ts";
import type { VerificationState } from "../state/verifications.ts";
import { asSentence, checkTitle, verdictWords } from "../words/check-words.ts";
import { EvidenceButton } from "./evidence-button.tsx";

export interface ReceiptOutcomeProps {
  readonly state: VerificationState;
  readonly onVerify: () => void;
}

/** What the page found out about a receipt. */
export function ReceiptOutcome({ state, onVerify }: ReceiptOutcomeProps): JSX.Element {
  if (state.kind === "running") return <p class="aside">Checking</p>;
  if (state.kind === "not-loaded") {
    return (
      <p class="verdict verdict-wait">The part of the page that checks could not be loaded. Try again.</p>
    );
  }
  return <Checks view={state.view} result={state.result} onVerify={onVerify} />;
}

function Checks({
  view,
  result,
  onVerify,
}: {
  readonly view: ReceiptView;
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
      {result.proof !== undefined && <ProofButton entry={view.entryIndex} {...result.proof} />}
    </div>
  );
}

function ProofButton({
  entry,
  text,
  logKey,
}: {
  readonly entry: number;
  readonly text: string;
  readonly logKey: string;
}): JSX.Element {
  const file = `receipt-${entry}.tlog-proof`;
  return (
    <div class="proof">
      <button
        class="button button-quiet button-small"
        type="button"
        onClick={() => savePlainText(file, text)}
      >
        Save the proof
      </button>
      <p class="hint">
        One file with the receipt, its place in the log and the log’s signature. Anybody checks it without a
        network: <code class="proof-command">{`npx tabmesh verify ${file} --key ${logKey}`}</code>
      </p>
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

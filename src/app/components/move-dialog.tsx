import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { type Signal, useSignal } from "@preact/signals";
import type { MovingCode } from "../../provider/key-words.ts";
import type { KeyTransfer } from "../state/key-transfer.ts";
import { useNow } from "../state/now.ts";
import { Dialog } from "./dialog.tsx";
import { QrCode } from "./qr-code.tsx";

export interface MoveDialogProps {
  readonly transfer: KeyTransfer;
  readonly onClose: () => void;
}

type Step = "making" | "code" | "words";

/**
 * Shows the key as a code, and after it the words that open the code: never both at once, so that one picture of the screen
 * is not enough.
 */
export function MoveDialog({ transfer, onClose }: MoveDialogProps): JSX.Element {
  const code = useSignal<MovingCode | undefined>(undefined);
  const step = useSignal<Step>("making");
  useEffect(() => {
    const make = async (): Promise<void> => {
      code.value = await transfer.code();
      step.value = "code";
    };
    void make();
  }, [transfer, code, step]);
  const made = code.value;
  if (made === undefined || step.value === "making")
    return (
      <Dialog title="To another device" onClose={onClose}>
        <p role="status">Making a code. That takes a second, so that guessing it takes centuries.</p>
      </Dialog>
    );
  return step.value === "code" ? (
    <CodeStep made={made} step={step} onClose={onClose} />
  ) : (
    <WordsStep made={made} step={step} onClose={onClose} />
  );
}

interface StepProps {
  readonly made: MovingCode;
  readonly step: Signal<Step>;
  readonly onClose: () => void;
}

function Remaining({ until }: { readonly until: number }): JSX.Element {
  const seconds = Math.ceil((until - useNow(true).value) / 1_000);
  if (seconds <= 0) return <>The code has run out. Close this and make a new one.</>;
  return (
    <>
      Holds for {seconds > 90 ? `${Math.ceil(seconds / 60)} minutes` : `${seconds} seconds`}. Whoever takes
      the key over has what it earned.
    </>
  );
}

function CodeStep({ made, step, onClose }: StepProps): JSX.Element {
  const copied = useSignal("");
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(made.code);
      copied.value = "Copied. It opens nothing without the words of the next step.";
    } catch {
      copied.value = "This browser does not let the page copy. Select the text below.";
    }
  };
  return (
    <Dialog key="code" title="1. Scan this with the other device" onClose={onClose}>
      <div class="dialog-text">
        <p>
          There, open this address, then Earnings, <q>Take over a key</q>.
        </p>
        <QrCode text={made.code} label="Code for the other device; its text is below" />
        <p class="hint">
          <Remaining until={made.until} />
        </p>
        <details class="technical">
          <summary>Without a camera: as text</summary>
          <p class="code move-code">{made.code}</p>
          <p>
            <button class="button button-quiet button-small" type="button" onClick={() => void copy()}>
              Copy
            </button>
          </p>
          <p role="status">{copied.value}</p>
        </details>
      </div>
      <div class="dialog-actions">
        <button class="button button-quiet" type="button" onClick={onClose}>
          Cancel
        </button>
        <button class="button" type="button" onClick={() => (step.value = "words")}>
          Next: the words
        </button>
      </div>
    </Dialog>
  );
}

function WordsStep({ made, step, onClose }: StepProps): JSX.Element {
  return (
    <Dialog key="words" title="2. Type these there" onClose={onClose}>
      <div class="dialog-text">
        <p class="move-words">{made.words.join(" ")}</p>
        <p class="hint">
          <Remaining until={made.until} />
        </p>
        <p>
          The key then works on both devices, for the same account. To leave this one, forget the key here
          once the other one has it.
        </p>
      </div>
      <div class="dialog-actions">
        <button class="button button-quiet" type="button" onClick={() => (step.value = "code")}>
          Back to the code
        </button>
        <button class="button" type="button" onClick={onClose}>
          Done
        </button>
      </div>
    </Dialog>
  );
}

import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import type { KeyTransfer } from "../state/key-transfer.ts";
import { Dialog } from "./dialog.tsx";

export interface PhraseDialogProps {
  readonly transfer: KeyTransfer;
  readonly onClose: () => void;
  /** The person has shown that the words are on paper. */
  readonly onKept: () => void;
}

type Step =
  | { readonly kind: "before" }
  | { readonly kind: "shown"; readonly words: readonly string[] }
  | { readonly kind: "asked"; readonly words: readonly string[]; readonly places: readonly number[] };

/** Two different places of a list, at random. */
function twoPlaces(length: number): readonly number[] {
  const [a = 0, b = 0] = crypto.getRandomValues(new Uint32Array(2));
  const first = a % length;
  return [first, (first + 1 + (b % (length - 1))) % length].toSorted((x, y) => x - y);
}

/** The key as 24 words: shown after a word of warning, and asked back, because words nobody wrote down save nothing. */
export function PhraseDialog({ transfer, onClose, onKept }: PhraseDialogProps): JSX.Element {
  const step = useSignal<Step>({ kind: "before" });
  const show = async (): Promise<void> => {
    const words = await transfer.words();
    if (words !== undefined) step.value = { kind: "shown", words };
  };
  switch (step.value.kind) {
    case "before":
      return (
        <Dialog title="Your key in 24 words" onClose={onClose}>
          <div class="dialog-text">
            <p>
              With these words anybody can make your key again, on any device, and take what it has earned.
              Write them on paper. Do not photograph them, and do not keep them in a file or a message.
            </p>
            <p>Is nobody looking over your shoulder, and is your screen not shared?</p>
          </div>
          <div class="dialog-actions">
            <button class="button button-quiet" type="button" onClick={onClose}>
              Not now
            </button>
            <button class="button" type="button" onClick={() => void show()}>
              Show the words
            </button>
          </div>
        </Dialog>
      );
    case "shown":
      return <Shown words={step.value.words} onClose={onClose} onNext={(next) => (step.value = next)} />;
    case "asked":
      return (
        <Asked {...step.value} onBack={(back) => (step.value = back)} onKept={onKept} onClose={onClose} />
      );
    default:
      return step.value satisfies never;
  }
}

function Shown({
  words,
  onClose,
  onNext,
}: {
  readonly words: readonly string[];
  readonly onClose: () => void;
  readonly onNext: (step: Step) => void;
}): JSX.Element {
  return (
    <Dialog key="shown" title="Write them down in this order" onClose={onClose}>
      <ol class="phrase">
        {words.map((word, at) => (
          <li key={at}>
            <span class="phrase-number">{at + 1}</span> {word}
          </li>
        ))}
      </ol>
      <div class="dialog-actions">
        <button class="button button-quiet" type="button" onClick={onClose}>
          Close
        </button>
        <button
          class="button"
          type="button"
          onClick={() => onNext({ kind: "asked", words, places: twoPlaces(words.length) })}
        >
          I have written them down
        </button>
      </div>
    </Dialog>
  );
}

interface AskedProps {
  readonly words: readonly string[];
  readonly places: readonly number[];
  readonly onBack: (step: Step) => void;
  readonly onKept: () => void;
  readonly onClose: () => void;
}

function Asked({ words, places, onBack, onKept, onClose }: AskedProps): JSX.Element {
  const answers = useSignal<readonly string[]>(places.map(() => ""));
  const isWrong = useSignal(false);
  const check = (event: SubmitEvent): void => {
    event.preventDefault();
    const isRight = places.every((place, at) => answers.value[at]?.trim().toLowerCase() === words[place]);
    if (isRight) onKept();
    else isWrong.value = true;
  };
  return (
    <Dialog key="asked" title="Two of them, from your paper" onClose={onClose}>
      <form class="dialog-text" onSubmit={check}>
        {places.map((place, at) => (
          <label key={place} class="filter">
            <span>Word {place + 1}</span>
            <input
              type="text"
              autocomplete="off"
              autocapitalize="none"
              spellcheck={false}
              required
              onInput={({ currentTarget }) => {
                answers.value = answers.value.with(at, currentTarget.value);
                isWrong.value = false;
              }}
            />
          </label>
        ))}
        <p class="hint" role="status">
          {isWrong.value && "One of them is not what was shown. Look at your paper, or at the words again."}
        </p>
        <div class="dialog-actions">
          <button class="button button-quiet" type="button" onClick={() => onBack({ kind: "shown", words })}>
            See the words again
          </button>
          <button class="button" type="submit">
            Check
          </button>
        </div>
      </form>
    </Dialog>
  );
}

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";

export interface CopyButtonProps {
  readonly text: string;
  readonly label: string;
}

const SHOWN_MS = 2_500;

/** Copies a text and says so; where the browser does not let it, the text is there to be selected. */
export function CopyButton({ text, label }: CopyButtonProps): JSX.Element {
  const outcome = useSignal<"" | "Copied" | "Select the text and copy it by hand">("");
  useEffect(() => {
    outcome.value = "";
  }, [text]);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      outcome.value = "Copied";
    } catch {
      outcome.value = "Select the text and copy it by hand";
    }
    setTimeout(() => (outcome.value = ""), SHOWN_MS);
  };
  return (
    <span class="copy">
      <button class="button button-quiet button-small" type="button" onClick={() => void copy()}>
        {label}
      </button>
      <span class="hint" role="status">
        {outcome.value}
      </span>
    </span>
  );
}

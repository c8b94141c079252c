import type { JSX } from "preact";
import { useRef } from "preact/hooks";

export interface FilePickProps {
  readonly label: string;
  readonly isDisabled: boolean;
  readonly onText: (text: string) => void;
}

/** A button that asks for one JSON file and hands over its text. */
export function FilePick({ label, isDisabled, onText }: FilePickProps): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  const read = async (element: HTMLInputElement): Promise<void> => {
    const file = element.files?.[0];
    // The same file may be chosen again.
    const text = await file?.text();
    element.value = "";
    if (text !== undefined) onText(text);
  };
  return (
    <>
      <button
        class="button button-quiet"
        type="button"
        disabled={isDisabled}
        onClick={() => input.current?.click()}
      >
        {label}
      </button>
      <input
        ref={input}
        class="hidden"
        type="file"
        accept="application/json,.json"
        aria-label={label}
        tabIndex={-1}
        onChange={(event) => void read(event.currentTarget)}
      />
    </>
  );
}

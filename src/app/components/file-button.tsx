import type { JSX } from "preact";
import { useRef } from "preact/hooks";

export interface FileButtonProps {
  readonly label: string;
  /** What the file is, for those who cannot see where the button stands; the label when absent. */
  readonly name?: string;
  /** Endings and media types, as the attribute `accept` has them. */
  readonly accept: string;
  readonly isSmall?: boolean;
  readonly isDisabled?: boolean;
  readonly onFile: (file: File) => void;
}

/** A button that asks for one file. The same one may be chosen again. */
export function FileButton(props: FileButtonProps): JSX.Element {
  const { label, name = label, accept, isSmall = false, isDisabled = false, onFile } = props;
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button
        class={`button button-quiet${isSmall ? " button-small" : ""}`}
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
        accept={accept}
        aria-label={name}
        tabIndex={-1}
        onChange={({ currentTarget }) => {
          const file = currentTarget.files?.[0];
          currentTarget.value = "";
          if (file !== undefined) onFile(file);
        }}
      />
    </>
  );
}

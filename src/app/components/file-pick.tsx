import type { JSX } from "preact";
import { FileButton } from "./file-button.tsx";

export interface FilePickProps {
  readonly label: string;
  readonly isDisabled: boolean;
  readonly onText: (text: string) => void;
}

/** A button that asks for one JSON file and hands over its text. */
export function FilePick({ label, isDisabled, onText }: FilePickProps): JSX.Element {
  return (
    <FileButton
      label={label}
      accept="application/json,.json"
      isDisabled={isDisabled}
      onFile={async (file) => onText(await file.text())}
    />
  );
}

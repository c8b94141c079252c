import type { JSX } from "preact";
import { parseType, printType } from "../../plan/text/type-text.ts";
import type { ValueType } from "../../plan/value-type.ts";
import { TextField } from "./fields.tsx";

/** A type, as people write it. */
export function TypeField({
  label,
  type,
  onType,
}: {
  readonly label: string;
  readonly type: ValueType;
  readonly onType: (type: ValueType) => void;
}): JSX.Element {
  return (
    <TextField
      label={label}
      isCode
      hint="text, number, list<text>, {title: text}, json, bytes…"
      value={printType(type)}
      onText={(text) => {
        try {
          onType(parseType(text));
          return undefined;
        } catch (error) {
          return error instanceof RangeError ? `${error.message}.` : "This is not a type.";
        }
      }}
    />
  );
}

import type { JSX } from "preact";
import type { NoProviderWords } from "../words/no-provider-words.ts";
import { Notice } from "./notice.tsx";

export interface NoProviderProps {
  readonly words: NoProviderWords;
  /** It stands in a notice already. */
  readonly isPlain?: boolean;
}

/** Why no tab takes a job, reason by reason. */
export function NoProvider({ words, isPlain = false }: NoProviderProps): JSX.Element {
  const { title, reasons, advice } = words;
  const list = reasons.length > 0 && (
    <ul class="job-why">
      {reasons.map((reason) => (
        <li key={reason.sentence}>
          <strong>{`${reason.sentence}.`}</strong> {reason.advice}
        </li>
      ))}
    </ul>
  );
  if (isPlain) return <>{list}</>;
  return (
    <Notice tone="wait" title={title}>
      {list}
      <p>{advice}</p>
    </Notice>
  );
}

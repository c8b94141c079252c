import type { JSX } from "preact";
import { failureKind } from "../../protocol/failure-code.ts";
import type { Failure } from "../../protocol/failure.ts";
import { failureWords } from "../words/phase-words.ts";
import { Notice } from "./notice.tsx";

export interface FailureNoticeProps {
  readonly title: string;
  readonly failure: Failure;
  readonly onRetry?: () => void;
  /** The cause stands beside it already. */
  readonly isCauseSaid?: boolean;
}

export function FailureNotice({ title, failure, onRetry, isCauseSaid }: FailureNoticeProps): JSX.Element {
  const { cause, advice } = failureWords(failure);
  return (
    <Notice tone="alarm" title={title}>
      <p>{isCauseSaid === true ? advice : `${cause} ${advice}`}</p>
      <TechnicalDetail failure={failure} />
      {onRetry !== undefined && (
        <button class="button" type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </Notice>
  );
}

/** Code, name and detail, for whoever is asked for help. */
export function TechnicalDetail({ failure }: { readonly failure: Failure }): JSX.Element {
  return (
    <details class="technical">
      <summary>Technical detail</summary>
      <p class="code">
        {failure.code} {failureKind(failure.code).name}: {failure.detail}
      </p>
    </details>
  );
}

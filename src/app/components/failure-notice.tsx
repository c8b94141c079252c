import type { JSX } from "preact";
import { failureKind } from "../../protocol/failure-code.ts";
import type { Failure } from "../../protocol/failure.ts";
import { failureWords } from "../words/phase-words.ts";
import { Notice } from "./notice.tsx";

export interface FailureNoticeProps {
  readonly title: string;
  readonly failure: Failure;
  readonly onRetry?: () => void;
}

export function FailureNotice({ title, failure, onRetry }: FailureNoticeProps): JSX.Element {
  const { cause, advice, detail } = failureWords(failure);
  return (
    <Notice tone="alarm" title={title}>
      <p>
        {cause} {advice}
      </p>
      <details class="technical">
        <summary>Technical detail</summary>
        <p class="code">
          {failure.code} {failureKind(failure.code).name}: {detail}
        </p>
      </details>
      {onRetry !== undefined && (
        <button class="button" type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </Notice>
  );
}

import type { JSX } from "preact";
import type { JobView } from "../../protocol/relay-api.ts";
import type { JobAccount as Account } from "../state/jobs-receipts.ts";
import { auditWords, jobViewWords } from "../words/job-words.ts";
import { Amount } from "./amount.tsx";
import { FailureNotice } from "./failure-notice.tsx";

export interface JobAccountProps {
  readonly account: Account;
  readonly testMoney: boolean;
  /** Told when the person has ended it; absent where it may not be ended from here. */
  readonly onEnded: ((view: JobView) => void) | undefined;
}

/** What the relay says of a job now: its money and its audits. */
export function JobAccount({ account, testMoney, onEnded }: JobAccountProps): JSX.Element {
  const view = account.view.value;
  const end = async (): Promise<void> => {
    await account.end();
    const { value: ended } = account.view;
    if (ended.kind === "ready") onEnded?.(ended.value);
  };
  if (view.kind === "loading") return <p class="hint">Asking the relay how it stands…</p>;
  if (view.kind === "failed")
    return (
      <FailureNotice
        title="The relay does not say how it stands"
        failure={view.failure}
        onRetry={() => void account.look()}
      />
    );
  return (
    <div class="job-account">
      <p>{jobViewWords(view.value)}</p>
      <Money view={view.value} testMoney={testMoney} />
      <p class="hint">{auditWords(view.value)}</p>
      <div class="button-row">
        <button class="button button-quiet button-small" type="button" onClick={() => void account.look()}>
          Look again
        </button>
        {view.value.state === "open" && onEnded !== undefined && (
          <button class="button button-small" type="button" onClick={() => void end()}>
            End it and take back the rest
          </button>
        )}
      </div>
    </div>
  );
}

function Money({ view, testMoney }: { readonly view: JobView; readonly testMoney: boolean }): JSX.Element {
  const amounts = [
    ["Set aside", view.cap],
    ["Spent", view.spent],
    ["Come back", view.refunded],
  ] as const;
  return (
    <dl class="facts">
      {amounts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <Amount value={value} testMoney={testMoney} withUnit />
          </dd>
        </div>
      ))}
    </dl>
  );
}

import type { JSX } from "preact";
import { useEffect, useMemo } from "preact/hooks";
// oxlint-disable-next-line import/no-unassigned-import -- the rules of this panel
import "../styles/alerts.css";
import { type AlertTask, type Alerts, createAlerts } from "../state/alerts.ts";
import { AlertForm } from "./alert-form.tsx";
import { AlertList } from "./alert-list.tsx";
import type { AlertsGateProps } from "./alerts-gate.tsx";
import { FailureNotice } from "./failure-notice.tsx";
import { Notice } from "./notice.tsx";

export type AlertsPanelProps = AlertsGateProps;

/** What the relay tells this account by itself, and where. */
export function AlertsPanel({ relay, memory, testMoney }: AlertsPanelProps): JSX.Element {
  const alerts = useMemo(() => createAlerts(relay, memory), [relay, memory]);
  useEffect(() => void alerts.refresh(), [alerts]);
  const list = alerts.list.value;
  if (list.kind === "loading") return <p class="empty">Asking the relay…</p>;
  if (list.kind === "failed")
    return (
      <FailureNotice
        title="The relay does not say which alerts there are"
        failure={list.failure}
        onRetry={() => void alerts.refresh()}
      />
    );
  return (
    <div class="alerts">
      <AlertList alerts={alerts} list={list.value} testMoney={testMoney} />
      <AlertForm alerts={alerts} testMoney={testMoney} />
      <Outcome task={alerts.task.value} />
      <Secret alerts={alerts} />
    </div>
  );
}

function Outcome({ task }: { readonly task: AlertTask }): JSX.Element | null {
  if (task.kind === "refused")
    return (
      <Notice tone="alarm" title="No notices in this browser">
        <p>{task.words}</p>
      </Notice>
    );
  if (task.kind === "failed") return <FailureNotice title="That did not work" failure={task.failure} />;
  return null;
}

function Secret({ alerts }: { readonly alerts: Alerts }): JSX.Element | null {
  const secret = alerts.secret.value;
  if (secret === undefined) return null;
  return (
    <Notice tone="info" title="The webhook is made">
      <p>
        Its calls are signed with this secret. Keep it where your server can read it: it is shown only now.
        Any library for <a href="https://www.standardwebhooks.com">Standard Webhooks</a> checks the signature.
      </p>
      <p class="code alert-secret">{secret}</p>
      <div>
        <button
          class="button button-quiet button-small"
          type="button"
          onClick={() => void navigator.clipboard.writeText(secret)}
        >
          Copy the secret
        </button>
      </div>
    </Notice>
  );
}

import type { JSX } from "preact";
import type { AlertView } from "../../sdk/index.ts";
import type { Alerts } from "../state/alerts.ts";
import { useNow } from "../state/now.ts";
import { aboutText, callsText } from "../words/alert-words.ts";

export interface AlertListProps {
  readonly alerts: Alerts;
  readonly list: readonly AlertView[];
  readonly testMoney: boolean;
}

/** The alerts there are, each to be tried out and taken away. */
export function AlertList({ alerts, list, testMoney }: AlertListProps): JSX.Element | null {
  const now = useNow(false);
  if (list.length === 0) return null;
  return (
    <ul class="alert-list">
      {list.map((alert) => (
        <Row key={alert.alert} alert={alert} alerts={alerts} testMoney={testMoney} nowMs={now.value} />
      ))}
    </ul>
  );
}

function Row({
  alert,
  alerts,
  testMoney,
  nowMs,
}: {
  readonly alert: AlertView;
  readonly alerts: Alerts;
  readonly testMoney: boolean;
  readonly nowMs: number;
}): JSX.Element {
  const isBusy = alerts.task.value.kind === "busy";
  const tried = alerts.tried.value;
  const where = alert.kind === "push" ? `Notices in a browser, through ${alert.target}` : alert.target;
  return (
    <li class="alert-row">
      <div class="alert-words">
        <p class="alert-where">{where}</p>
        <p class="hint">About: {aboutText(alert, testMoney)}.</p>
        <p class={alert.lastFailure === undefined ? "hint" : "hint hint-alarm"}>{callsText(alert, nowMs)}</p>
        {tried?.alert === alert.alert && (
          <p class={tried.trial.ok ? "alert-good" : "hint hint-alarm"} role="status">
            {tried.trial.ok
              ? `The test arrived: ${tried.trial.words}, after ${tried.trial.elapsedMs} ms.`
              : `The test did not arrive: ${tried.trial.words}.`}
          </p>
        )}
      </div>
      <div class="button-row">
        <button
          class="button button-quiet button-small"
          type="button"
          disabled={isBusy}
          aria-label={`Test ${where}`}
          onClick={() => void alerts.test(alert.alert)}
        >
          Test
        </button>
        <button
          class="button button-quiet button-small"
          type="button"
          disabled={isBusy}
          aria-label={`Remove ${where}`}
          onClick={() => void alerts.remove(alert)}
        >
          Remove
        </button>
      </div>
    </li>
  );
}

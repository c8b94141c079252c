import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { TabMemory } from "../../provider/tab-memory.ts";
import type { RelayLink } from "../state/relay-link.ts";
import type { AlertsPanelProps } from "./alerts-panel.tsx";
import { LazyPart } from "./lazy-part.tsx";

export interface AlertsGateProps {
  readonly relay: RelayLink;
  readonly memory: TabMemory;
  readonly testMoney: boolean;
}

async function loadPanel(): Promise<(props: AlertsPanelProps) => JSX.Element> {
  return (await import("./alerts-panel.tsx")).AlertsPanel;
}

/** Being told while nobody looks: loaded when it is opened, as it asks the relay under the account's key. */
export function AlertsGate(props: AlertsGateProps): JSX.Element {
  const isOpen = useSignal(false);
  return (
    <section class="card" aria-labelledby="alerts-title">
      <div class="card-head">
        <h2 id="alerts-title">Alerts</h2>
        {!isOpen.value && (
          <button
            class="button button-quiet button-small"
            type="button"
            onClick={() => {
              isOpen.value = true;
            }}
          >
            Set up alerts
          </button>
        )}
      </div>
      <p class="hint">
        Be told when your provider stops, an audit fails, or money moves, also while this tab is closed.
      </p>
      {isOpen.value && <LazyPart load={loadPanel} show={(AlertsPanel) => <AlertsPanel {...props} />} />}
    </section>
  );
}

import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import type { GrantsPanelProps } from "./grants-panel.tsx";
import { LazyPart } from "./lazy-part.tsx";

async function loadPanel(): Promise<(props: GrantsPanelProps) => JSX.Element> {
  return (await import("./grants-panel.tsx")).GrantsPanel;
}

/** What this tab may do for others besides computing, loaded when it is opened. */
export function GrantsGate(props: GrantsPanelProps): JSX.Element {
  const isOpen = useSignal(false);
  return (
    <details
      class="card limits"
      onToggle={({ currentTarget }) => {
        isOpen.value = currentTarget.open;
      }}
    >
      <summary>
        <h2>What this tab may do for others</h2>
      </summary>
      {isOpen.value && <LazyPart load={loadPanel} show={(GrantsPanel) => <GrantsPanel {...props} />} />}
    </details>
  );
}

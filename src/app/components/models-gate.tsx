import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { ProviderState } from "../../provider/provider-state.ts";
import type { StoredModels } from "../state/stored-models.ts";
import { LazyPart } from "./lazy-part.tsx";
import type { ModelsPanelProps } from "./models-panel.tsx";

async function loadPanel(): Promise<(props: ModelsPanelProps) => JSX.Element> {
  return (await import("./models-panel.tsx")).ModelsPanel;
}

export interface ModelsGateProps {
  readonly stored: StoredModels;
  readonly provider: ProviderState;
}

/** The models on this machine, for who contributes or has some: others have nothing to see there yet. */
export function ModelsGate({ stored, provider }: ModelsGateProps): JSX.Element | null {
  const { models } = provider;
  const incoming = models?.downloads.map(({ cid }) => cid).join(" ");
  useEffect(() => void stored.refresh(), [stored, incoming, models?.open?.cid]);
  const shelf = stored.shelf.value;
  if (shelf === "none" || shelf === "loading") return null;
  if (models === undefined && shelf.models.length === 0) return null;
  return (
    <LazyPart
      load={loadPanel}
      show={(ModelsPanel) => <ModelsPanel shelf={shelf} stored={stored} provider={provider} />}
    />
  );
}

import type { JSX } from "preact";
import type { GovernorView } from "../../provider/governor/governor-view.ts";
import type { ProviderLimits } from "../../provider/provider-state.ts";
import { FoldedCard } from "./folded-card.tsx";
import type { GrantsPanelProps } from "./grants-panel.tsx";
import { LazyPart } from "./lazy-part.tsx";
import type { LimitsPanelProps } from "./limits-panel.tsx";
import type { PauseNoticeProps } from "./pause-notice.tsx";

async function loadPanel(): Promise<(props: LimitsPanelProps) => JSX.Element> {
  return (await import("./limits-panel.tsx")).LimitsPanel;
}

async function loadGrants(): Promise<(props: GrantsPanelProps) => JSX.Element> {
  return (await import("./grants-panel.tsx")).GrantsPanel;
}

async function loadNotice(): Promise<(props: PauseNoticeProps) => JSX.Element> {
  return (await import("./pause-notice.tsx")).PauseNotice;
}

/** The list of limits, loaded when it is opened. */
export function LimitsGate(props: LimitsPanelProps): JSX.Element {
  return <FoldedCard title="Limits" load={loadPanel} props={props} />;
}

/** What this tab may do for others besides computing, likewise. */
export function GrantsGate(props: GrantsPanelProps): JSX.Element {
  return <FoldedCard title="What this tab may do for others" load={loadGrants} props={props} />;
}

export interface PauseGateProps {
  readonly governor: GovernorView | undefined;
  readonly limits: ProviderLimits;
}

/** Why less is computed than the person allows; nothing while all of it is. */
export function PauseGate({ governor, limits }: PauseGateProps): JSX.Element | null {
  if (governor === undefined || governor.reasons.length === 0) return null;
  return (
    <LazyPart load={loadNotice} show={(PauseNotice) => <PauseNotice governor={governor} limits={limits} />} />
  );
}

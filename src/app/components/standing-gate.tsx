import type { JSX } from "preact";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { ProviderState } from "../../provider/provider-state.ts";
import type { RelayLink } from "../state/relay-link.ts";
import { LazyPart } from "./lazy-part.tsx";
import type { StandingPanelProps } from "./standing-panel.tsx";

async function loadPanel(): Promise<(props: StandingPanelProps) => JSX.Element> {
  return (await import("./standing-panel.tsx")).StandingPanel;
}

export interface StandingGateProps {
  readonly relay: RelayLink;
  /** Absent until there is a key. */
  readonly peer: PeerId | undefined;
  readonly provider: ProviderState;
  readonly testMoney: boolean;
}

/** How this key stands at the relay, for who has one. */
export function StandingGate({ relay, peer, ...rest }: StandingGateProps): JSX.Element | null {
  if (peer === undefined) return null;
  return (
    <LazyPart
      load={loadPanel}
      show={(StandingPanel) => <StandingPanel key={peer} relay={relay} peer={peer} {...rest} />}
    />
  );
}

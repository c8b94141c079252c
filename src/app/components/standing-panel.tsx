import type { JSX } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { CapabilityRow, StandingReason, StandingView } from "../../protocol/relay-api.ts";
import type { ProviderState } from "../../provider/provider-state.ts";
import type { RelayLink } from "../state/relay-link.ts";
import { createStanding } from "../state/standing.ts";
import { creditNumber } from "../words/credits.ts";
import { counted } from "../words/quantities.ts";
import {
  auditShareText,
  capabilityStateText,
  capabilityText,
  propertyText,
  recordText,
} from "../words/standing-words.ts";
import { Amount } from "./amount.tsx";
import { FailureNotice } from "./failure-notice.tsx";
import { Notice } from "./notice.tsx";

export interface StandingPanelProps {
  readonly relay: RelayLink;
  readonly peer: PeerId;
  readonly provider: ProviderState;
  readonly testMoney: boolean;
}

/** What the relay keeps back, how it trusts this key, and why work comes or does not. */
export function StandingPanel({ relay, peer, provider, testMoney }: StandingPanelProps): JSX.Element {
  const standing = useMemo(() => createStanding(relay, peer), [relay, peer]);
  useEffect(() => standing.watch(), [standing]);
  const { value } = standing.view;
  if (value.kind === "failed")
    return (
      <FailureNotice
        title="The relay does not say how you stand"
        failure={value.failure}
        onRetry={() => void standing.refresh()}
      />
    );
  return (
    <section class="card" aria-labelledby="standing-title" aria-busy={value.kind === "loading"}>
      <h2 id="standing-title">Your standing</h2>
      {provider.relayFault !== undefined && (
        <Notice tone="alarm" title="The relay sent what cannot be true">
          <p>
            {provider.relayFault.detail} Your receipts stay in this browser; work elsewhere if this goes on.
          </p>
        </Notice>
      )}
      {value.kind === "loading" ? (
        <p class="empty">Loading…</p>
      ) : value.value === undefined ? (
        <p class="hint">
          Nothing yet. Your first ten results are all recomputed, and your first earnings become your bond.
        </p>
      ) : (
        <Standing view={value.value} openings={provider.openings} testMoney={testMoney} />
      )}
    </section>
  );
}

function Standing({
  view,
  openings,
  testMoney,
}: {
  readonly view: StandingView;
  readonly openings: ProviderState["openings"];
  readonly testMoney: boolean;
}): JSX.Element {
  const { barred, bond, bondWanted, held, nextAuditPpm, reasons, capability } = view;
  return (
    <>
      {barred !== undefined && (
        <Notice tone="alarm" title="This key gets no more work here">
          <p>{barred}</p>
        </Notice>
      )}
      {nextAuditPpm !== undefined && (
        <>
          <div class="standing-bond">
            <p>
              Bond: <Amount value={bond} testMoney={testMoney} /> of{" "}
              <Amount value={bondWanted} testMoney={testMoney} withUnit />
            </p>
            <progress
              max={Math.max(creditNumber(bondWanted), Number.MIN_VALUE)}
              value={creditNumber(bond)}
              aria-label="How full the bond is"
            />
            <p class="hint">
              Your first earnings. They stay while you work and come back when you retire; a result that is
              proven false costs them.
            </p>
          </div>
          <dl class="standing-facts">
            <div>
              <dt>Kept back</dt>
              <dd>
                <Amount value={held} testMoney={testMoney} />
              </dd>
            </div>
            <div>
              <dt>Recomputed of your results</dt>
              <dd>{auditShareText(nextAuditPpm)}</dd>
            </div>
            <div>
              <dt>Audits so far</dt>
              <dd>{recordText(view)}</dd>
            </div>
            {openings.waiting > 0 && (
              <div>
                <dt>Waiting to be shown to the relay</dt>
                <dd>{counted(openings.waiting, "result")}</dd>
              </div>
            )}
          </dl>
        </>
      )}
      <Reasons reasons={reasons} />
      {capability !== undefined && capability.length > 0 && <Capability rows={capability} />}
    </>
  );
}

function Reasons({ reasons }: { readonly reasons: readonly StandingReason[] }): JSX.Element {
  return (
    <>
      <h3>Why am I not getting work?</h3>
      {reasons.length === 0 ? (
        <p class="hint">Nothing stands against you. Work comes when somebody asks for it.</p>
      ) : (
        <ul class="standing-reasons">
          {reasons.map(({ rule, value, means, advice }) => (
            <li key={rule}>
              <p class="standing-rule">
                {rule}: <span>{value}</span>
              </p>
              <p class="hint">
                {means} {advice}
              </p>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function Capability({ rows }: { readonly rows: readonly CapabilityRow[] }): JSX.Element {
  return (
    <details class="standing-machine">
      <summary>What the relay knows of this machine</summary>
      <table>
        <tbody>
          {rows.map((row) => (
            <tr key={row.property}>
              <th scope="row">{propertyText(row)}</th>
              <td>{capabilityText(row)}</td>
              <td class={row.state === "contradicted" ? "standing-false" : "hint"}>
                {capabilityStateText(row)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

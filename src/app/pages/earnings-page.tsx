import type { JSX } from "preact";
import { useEffect, useMemo } from "preact/hooks";
// oxlint-disable-next-line import/no-unassigned-import -- the rules of this page
import "../styles/earnings-page.css";
import { AlertsGate } from "../components/alerts-gate.tsx";
import { BalanceFigures } from "../components/balance-figures.tsx";
import { EarningsOverTime } from "../components/earnings-over-time.tsx";
import { EstimatePanel } from "../components/estimate-panel.tsx";
import type { KeyPanelProps } from "../components/key-panel.tsx";
import { LazyPart } from "../components/lazy-part.tsx";
import { ReceiptList } from "../components/receipt-list.tsx";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { TabMemory } from "../../provider/tab-memory.ts";
import type { Able, AppState } from "../state/app-state.ts";
import { createEarnings } from "../state/earnings.ts";
import { createNames } from "../state/names.ts";
import { createVerifications } from "../state/verifications.ts";

export interface EarningsPageProps {
  readonly state: AppState;
  readonly able: Able;
}

/** What can be done with a key is seldom asked for, so the list of earnings does not wait for it. */
async function loadKeyPanel(): Promise<(props: KeyPanelProps) => JSX.Element> {
  const { KeyPanel } = await import("../components/key-panel.tsx");
  return KeyPanel;
}

export function EarningsPage({ state, able }: EarningsPageProps): JSX.Element {
  const peer = able.account.peer.value;
  return (
    <>
      {peer === undefined ? (
        <NoAccount />
      ) : (
        <AccountEarnings key={peer} state={state} memory={able.memory} peer={peer} />
      )}
      <LazyPart load={loadKeyPanel} show={(KeyPanel) => <KeyPanel state={state} able={able} />} />
    </>
  );
}

interface AccountEarningsProps {
  readonly state: AppState;
  readonly memory: TabMemory;
  readonly peer: PeerId;
}

function AccountEarnings({ state, memory, peer }: AccountEarningsProps): JSX.Element {
  const { relay } = state;
  const earnings = useMemo(() => createEarnings(relay, peer), [relay, peer]);
  const names = useMemo(() => createNames(relay), [relay]);
  const verifications = useMemo(() => createVerifications(relay.url, memory, peer), [relay, memory, peer]);
  useEffect(() => earnings.watch(), [earnings]);
  const testMoney = state.testMoney.value;
  return (
    <>
      <BalanceFigures earnings={earnings} testMoney={testMoney} />
      <EarningsOverTime
        earnings={earnings}
        names={names}
        testMoney={testMoney}
        theme={state.preferences.theme.value}
      />
      <EstimatePanel week={earnings.week.value} testMoney={testMoney} />
      <ReceiptList earnings={earnings} verifications={verifications} names={names} testMoney={testMoney} />
      <AlertsGate relay={relay} memory={memory} testMoney={testMoney} />
    </>
  );
}

function NoAccount(): JSX.Element {
  return (
    <section class="card blank">
      <h2>Nothing earned yet</h2>
      <p>Your key is made when you first contribute, and every receipt it earns is listed here.</p>
      <p>
        <a class="button" href="#/">
          Contribute with this tab
        </a>
      </p>
    </section>
  );
}

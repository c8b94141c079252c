import type { JSX } from "preact";
import { AccountPanel } from "../components/account-panel.tsx";
import { ConsentDialog } from "../components/consent-dialog.tsx";
import { ContributeFigures } from "../components/contribute-figures.tsx";
import { ContributePanel } from "../components/contribute-panel.tsx";
import { GrantsGate, LimitsGate, PauseGate } from "../components/limits-gate.tsx";
import { ModelsGate } from "../components/models-gate.tsx";
import { Promises } from "../components/promises.tsx";
import { RunningTasks } from "../components/running-tasks.tsx";
import { StandingGate } from "../components/standing-gate.tsx";
import { TroubleNotice } from "../components/trouble-notice.tsx";
import { ModelsControl } from "../components/models-control.tsx";
import { WorkersControl } from "../components/workers-control.tsx";
import type { Able, AppState } from "../state/app-state.ts";
import { mostWorkers } from "../state/capabilities.ts";

export function ContributePage({ state }: { readonly state: AppState }): JSX.Element {
  const { able, trouble } = state;
  return (
    <>
      <div class="page-head">
        <h1 tabIndex={-1}>Contribute</h1>
        <p class="lede">
          Lend this tab’s spare computing to people who need it, and be paid for every task it finishes.
        </p>
      </div>
      {trouble !== undefined && <TroubleNotice {...trouble} />}
      {able !== undefined && <AblePage state={state} able={able} />}
    </>
  );
}

function AblePage({ state, able }: { readonly state: AppState; readonly able: Able }): JSX.Element {
  const { contribution, account } = able;
  const provider = contribution.state.value;
  const limits = state.preferences.limits.value;
  return (
    <>
      <ContributePanel contribution={contribution} />
      <PauseGate governor={provider.governor} limits={limits} />
      <ContributeFigures account={account} contribution={contribution} testMoney={state.testMoney.value} />
      <div class="columns">
        <div class="stack">
          <RunningTasks provider={provider} />
          <ModelsGate stored={able.models} provider={provider} />
          <Promises contribution={contribution} />
        </div>
        <div class="stack">
          <WorkersControl
            workers={limits.workers}
            most={mostWorkers()}
            onChange={(workers) => contribution.setLimits({ ...limits, workers })}
          />
          <LimitsGate
            limits={limits}
            governor={provider.governor}
            onChange={(changed) => contribution.setLimits(changed)}
          />
          <GrantsGate
            grants={state.preferences.grants.value}
            onChange={(grants) => contribution.setGrants(grants)}
          />
          <ModelsControl
            gpu={limits.gpu}
            models={provider.models}
            onGpu={(gpu) => contribution.setLimits({ ...limits, gpu })}
          />
          <StandingGate
            relay={state.relay}
            peer={account.peer.value}
            provider={provider}
            testMoney={state.testMoney.value}
          />
          <AccountPanel account={account} contribution={contribution} testMoney={state.testMoney.value} />
        </div>
      </div>
      {contribution.isAsking.value && (
        <ConsentDialog
          workers={limits.workers}
          mostWorkers={mostWorkers()}
          testMoney={state.testMoney.value}
          onAgree={() => void contribution.agree()}
          onDecline={() => contribution.decline()}
        />
      )}
    </>
  );
}

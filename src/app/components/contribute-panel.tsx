import type { JSX } from "preact";
import type { ProviderState } from "../../provider/provider-state.ts";
import type { Contribution } from "../state/contribution.ts";
import { useNow } from "../state/now.ts";
import { countdownText } from "../words/durations.ts";
import { phaseWords } from "../words/phase-words.ts";
import { EvidenceButton } from "./evidence-button.tsx";
import { FailureNotice, TechnicalDetail } from "./failure-notice.tsx";
import { MeshFigure } from "./mesh-figure.tsx";
import { PowerSwitch } from "./power-switch.tsx";

/** The switch, and where things stand. */
export function ContributePanel({ contribution }: { readonly contribution: Contribution }): JSX.Element {
  const state = contribution.state.value;
  const isOn = contribution.isOn.value;
  const { tone, title, sentence } = phaseWords(state);
  return (
    <section class="hero" data-tone={tone} aria-label="This tab">
      <div class="hero-main">
        <div class="hero-status" role="status">
          <p class="hero-title">
            <span class={`dot dot-${tone}`} />
            {title}
          </p>
          <p class="hero-sentence" id="phase-sentence">
            {sentence}
          </p>
        </div>
        <Countdown state={state} />
        {state.failure !== undefined && state.phase === "failed" && (
          <FailureNotice title="What to do" failure={state.failure} isCauseSaid />
        )}
        <EvidenceButton evidence={state.evidence} />
        {state.failure !== undefined && state.phase === "reconnecting" && (
          <TechnicalDetail failure={state.failure} />
        )}
        <div class="power-row">
          <PowerSwitch
            isOn={isOn}
            // A pause is not a wait for something to load: nothing turns.
            tone={state.phase === "paused" ? "ready" : tone}
            isBusy={state.phase === "draining"}
            onPress={() => void contribution.press()}
          />
          <p class="power-words">
            <span class="power-label" id="power-label">
              Contribute with this tab
            </span>
            <span class="power-state" aria-hidden="true">
              {isOn ? "On" : "Off"}
            </span>
          </p>
        </div>
      </div>
      <MeshFigure
        tone={tone}
        workers={state.workers}
        busy={state.running.length}
        ended={state.tasksDone + state.tasksFailed}
      />
    </section>
  );
}

/** Apart from the status, which is read aloud at each change: a countdown would never be silent. */
function Countdown({ state }: { readonly state: ProviderState }): JSX.Element | null {
  const isWaiting = state.phase === "reconnecting" && state.retryAt !== undefined;
  const now = useNow(isWaiting);
  if (state.retryAt === undefined || !isWaiting) return null;
  return (
    <p class="countdown">
      Next attempt <span class="countdown-time">{countdownText(state.retryAt - now.value)}</span>
    </p>
  );
}

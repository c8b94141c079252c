import type { ComponentChildren, JSX } from "preact";
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { microCredits } from "../../protocol/units.ts";
import { type Account, earnedToday } from "../state/account.ts";
import type { Contribution } from "../state/contribution.ts";
import { countText, rateText, scaledText } from "../words/quantities.ts";
import { creditUnit } from "../words/credits.ts";
import { Amount } from "./amount.tsx";

export interface ContributeFiguresProps {
  readonly account: Account;
  readonly contribution: Contribution;
  readonly testMoney: boolean;
}

/** What this tab earns and does, in numbers. */
export function ContributeFigures({ account, contribution, testMoney }: ContributeFiguresProps): JSX.Element {
  const state = contribution.state.value;
  const view = account.view.value;
  const isRunning = contribution.isOn.value;
  const atStart = useSignal(microCredits(0n));
  useEffect(() => {
    // While it runs the relay lags behind by what is not reported yet.
    if (!isRunning) atStart.value = view?.earnedToday ?? microCredits(0n);
  }, [atStart, isRunning, view]);
  useEffect(() => {
    if (!isRunning) void account.refresh();
  }, [account, isRunning]);
  return (
    <dl class="figures">
      <Figure name="Earned today" isMain note={creditUnit(testMoney)}>
        <Amount value={earnedToday(atStart.value, state, view)} testMoney={testMoney} />
      </Figure>
      <Figure name="Tasks done" note={failedNote(state.tasksFailed)}>
        {countText(state.tasksDone)}
      </Figure>
      <Figure name="Speed" note={`${scaledText(state.fuelPerSecond)} fuel per second`}>
        {rateText(state.tasksPerSecond)} <span class="figure-unit">tasks/s</span>
      </Figure>
      <Figure
        name="Receipts waiting"
        note={state.outbox === 0 ? "All are reported" : "Kept here until reported"}
      >
        {countText(state.outbox)}
      </Figure>
    </dl>
  );
}

function failedNote(count: number): string {
  return count === 0 ? "since you switched on" : `and ${countText(count)} failed`;
}

interface FigureProps {
  readonly name: string;
  readonly note: string;
  readonly isMain?: boolean;
  readonly children: ComponentChildren;
}

function Figure({ name, note, isMain = false, children }: FigureProps): JSX.Element {
  return (
    <div class={isMain ? "figure figure-main" : "figure"}>
      <dt>{name}</dt>
      <dd class="figure-value">{children}</dd>
      <dd class="figure-note">{note}</dd>
    </div>
  );
}

import type { JSX } from "preact";
import { failureCode } from "../../protocol/failure-code.ts";
import type { AccountView } from "../../protocol/relay-api.ts";
import { microCredits } from "../../protocol/units.ts";
import type { Earnings } from "../state/earnings.ts";
import { BALANCE_STATES, type BalanceState } from "../words/balance-states.ts";
import { creditUnit } from "../words/credits.ts";
import { Amount } from "./amount.tsx";
import { FailureNotice } from "./failure-notice.tsx";

export interface BalanceFiguresProps {
  readonly earnings: Earnings;
  readonly testMoney: boolean;
}

const ZERO = microCredits(0n);
const NOT_FOUND = failureCode("not-found");

/** A relay that has not heard of the account owes it nothing. */
function isUnknown(earnings: Earnings): boolean {
  const account = earnings.account.value;
  return account.kind === "failed" && account.failure.code === NOT_FOUND;
}

/** All of an account's money by the state it is in, and what each state means. */
export function BalanceFigures({ earnings, testMoney }: BalanceFiguresProps): JSX.Element {
  const account = earnings.account.value;
  if (account.kind === "failed" && !isUnknown(earnings)) {
    return (
      <FailureNotice
        title="The relay does not answer"
        failure={account.failure}
        onRetry={() => earnings.retry()}
      />
    );
  }
  const view = account.kind === "ready" ? account.value : undefined;
  const given = { view, testMoney, isKnown: account.kind !== "loading" };
  return (
    <section class="balance" aria-label="Balance" aria-busy={account.kind === "loading"}>
      <div class="balance-main">
        <p class="balance-name">
          Balance
          <span class="live" role="status">
            {earnings.isLive.value ? (
              <>
                <span class="dot dot-work" />
                Live
              </>
            ) : null}
          </span>
        </p>
        <p class="balance-value">
          <Value {...given} pick={(each) => microCredits(each.available + each.held + each.bond)} />
        </p>
        <p class="balance-note">
          {creditUnit(testMoney)}, of which <Value {...given} pick={(each) => each.available} /> free now
        </p>
        <dl class="balance-sums">
          <div>
            <dt>Earned today</dt>
            <dd>
              <Value {...given} pick={(each) => each.earnedToday} />
            </dd>
          </div>
          <div>
            <dt>Earned in all</dt>
            <dd>
              <Value {...given} pick={(each) => each.earned} />
            </dd>
          </div>
        </dl>
      </div>
      <dl class="balance-states">
        {BALANCE_STATES.map((state) => (
          <State key={state.name} state={state} {...given} />
        ))}
      </dl>
    </section>
  );
}

interface ValueProps {
  readonly view: AccountView | undefined;
  readonly pick: (view: AccountView) => AccountView["available"];
  readonly isKnown: boolean;
  readonly testMoney: boolean;
}

function State({
  state,
  ...given
}: Omit<ValueProps, "pick"> & { readonly state: BalanceState }): JSX.Element | null {
  const { name, means, pick, isRare } = state;
  if (isRare && (given.view === undefined || pick(given.view) === 0n)) return null;
  return (
    <div class={`balance-state balance-${state.kind}`}>
      <dt>{name}</dt>
      <dd>
        <Value {...given} pick={pick} />
      </dd>
      <dd class="figure-note">{means}</dd>
    </div>
  );
}

function Value({ view, pick, isKnown, testMoney }: ValueProps): JSX.Element {
  if (!isKnown) return <span class="skeleton">0.000000</span>;
  return <Amount value={view === undefined ? ZERO : pick(view)} testMoney={testMoney} />;
}
